import { defineCommand, exitCodes, Failure, option } from "@offprint/commands";
import { readNpy, readNpz, readSafetensors } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { reshape, type Tensor } from "@offprint/tensor-core";
import { headFromWeights, type NormReport, normReport } from "../src/index.js";

/** `offprint judge-lora model.safetensors --activations layer0.npy --layer 0 --heads 12` */
export const judgeLoraCommand = defineCommand({
  name: "judge-lora",
  summary: "Say whether a head's LoRA gradient can be had in almost linear time",
  arguments: {
    weights: option.fileIn("safetensors of a GPT-2, or of a model with q_proj, k_proj, v_proj", {
      required: true,
      endings: [".safetensors"],
    }),
  },
  options: {
    activations: option.fileIn(
      "what the layer's attention gets, [tokens, D] or [1, tokens, D] (npy, or the first array of an npz)",
      {
        required: true,
        endings: [".npy", ".npz"],
      },
    ),
    layer: option.integer("number of the layer, from 0", { default: 0, least: 0 }),
    heads: option.integer("heads of a layer", { required: true, least: 1 }),
    head: option.integer("number of the head, from 0; all when left out", { least: 0 }),
    prefix: option.text(
      "what stands before the layers' names, where a file holds several models, such as model.decoder",
    ),
    adapter: option.fileIn("safetensors of a PEFT adapter", { endings: [".safetensors"] }),
    alpha: option.number("lora_alpha of the adapter; its rank unless given", { above: 0 }),
    epsilon: option.number("relative error of exp; 1 / tokens unless given", { above: 0, below: 1 }),
    output: option.fileOut("file for the reports (JSON)", { short: "o", endings: [".json"] }),
  },
  async run({ options, arguments: words, print, report, write, refuse }) {
    if (options.adapter === undefined) refuse(["alpha"], "it is of the adapter, and there is none");
    const { tensors } = await loadFile(words.weights, readSafetensors);
    const adapter =
      options.adapter === undefined ? undefined : (await loadFile(options.adapter, readSafetensors)).tensors;
    const x = await readActivations(options.activations);
    const { layer, heads, alpha, epsilon, prefix } = options;
    if (options.head !== undefined && options.head >= heads) {
      throw new Failure(`--head is ${options.head}; a layer of ${heads} heads has 0 to ${heads - 1}`);
    }
    const [first, last] = options.head === undefined ? [0, heads - 1] : [options.head, options.head];
    const reports: (NormReport & { head: number })[] = [];
    for (let head = first; head <= last; head++) {
      const place = { layer, head, heads, adapter, alpha, prefix };
      const found = normReport(x, headFromWeights(tensors, place), epsilon === undefined ? {} : { epsilon });
      reports.push({ head, ...found });
      print(
        `head ${String(head).padStart(3)}  ${found.verdict.padEnd(10)}  scores up to ${short(found.range)}, norm ${short(found.gamma)} ` +
          `(threshold ${short(found.threshold)})${found.degree === undefined ? ", no polynomial" : `, degree ${found.degree}, ${found.features} features`}`,
      );
    }
    const [best] = [...reports].sort((a, b) => a.flopsAlmostLinear / a.flopsExact - b.flopsAlmostLinear / b.flopsExact);
    report([
      ["tokens", x.shape[0]],
      [
        "heads with an almost linear gradient",
        `${reports.filter(({ verdict }) => verdict === "linear").length} of ${reports.length}`,
      ],
      ["least work, as a part of the exact", best.flopsAlmostLinear / best.flopsExact],
      ["error of dW_Q at most, by a unit gradient", best.gradientError ?? "none certified"],
    ]);
    await write(options.output, `${JSON.stringify(reports, null, 2)}\n`);
    if (reports.every(({ verdict }) => verdict === "quadratic")) return exitCodes.negative;
    return undefined;
  },
});

async function readActivations(path: string): Promise<Tensor> {
  const x = path.endsWith(".npy")
    ? await loadFile(path, (bytes) => readNpy(bytes))
    : Object.values(await loadFile(path, (bytes) => readNpz(bytes)))[0];
  if (x === undefined) throw new Failure(`${path} holds no array`);
  // What a model gives of one text.
  return x.rank === 3 && x.shape[0] === 1 ? reshape(x, x.shape.slice(1)) : x;
}

/** Four digits, as programs read them too. */
const short = (value: number): string => String(Number(value.toPrecision(4)));
