import { defineCommand, exitCodes, Failure, option } from "@offprint/commands";
import { readNpy, readNpz, readSafetensors } from "@offprint/data";
import { filesBeside, loadFile } from "@offprint/data/node";
import { asTensor, FormatError, reshape, type Tensor } from "@offprint/tensor-core";
import { type Head, type HeadPlace, headFromWeights, type NormReport, normReport } from "../src/index.js";

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
    adapter: option.fileIn("safetensors of a PEFT adapter, with its adapter_config.json beside it", {
      endings: [".safetensors"],
    }),
    alpha: option.number("lora_alpha of the adapter; that of adapter_config.json, or else its rank, unless given", {
      above: 0,
    }),
    scaling: option.choice(
      ["lora", "rslora"],
      "alpha / r or alpha / sqrt(r); as adapter_config.json says, or else lora, unless given",
    ),
    epsilon: option.number("relative error of exp; 1 / tokens unless given", { above: 0, below: 1 }),
    center: option.flag("subtract the mean key first, which changes no weight of attention"),
    output: option.fileOut("file for the reports (JSON)", { short: "o", endings: [".json"] }),
  },
  async run({ options, arguments: words, print, report, write, refuse }) {
    if (options.adapter === undefined) refuse(["alpha", "scaling"], "it is of the adapter, and there is none");
    const { tensors } = await loadFile(words.weights, readSafetensors);
    const { adapter, adapterConfig } = await readAdapter(options.adapter);
    const x = await readActivations(options.activations);
    const { layer, heads, alpha, scaling, epsilon, prefix, center } = options;
    if (options.head !== undefined && options.head >= heads) {
      throw new Failure(`--head is ${options.head}; a layer of ${heads} heads has 0 to ${heads - 1}`);
    }
    const [first, last] = options.head === undefined ? [0, heads - 1] : [options.head, options.head];
    // Said, as a scale that nobody gave may be a wrong one.
    const unread = alpha === undefined && adapterConfig === undefined ? "; no adapter_config.json lies beside it" : "";
    let scales: string | undefined;
    const reports: (NormReport & { head: number })[] = [];
    for (let head = first; head <= last; head++) {
      const judged = headFromWeights(tensors, { layer, head, heads, adapter, adapterConfig, alpha, scaling, prefix });
      if (adapter !== undefined) scales = scalesOf(judged);
      const found = normReport(x, judged, { center, ...(epsilon !== undefined && { epsilon }) });
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
      ...(scales === undefined ? [] : [["adapter is scaled by", `${scales}${unread}`] as const]),
      ["error of dW_Q at most, by a unit gradient", best.gradientError ?? "none certified"],
    ]);
    await write(options.output, `${JSON.stringify(reports, null, 2)}\n`);
    if (reports.every(({ verdict }) => verdict === "quadratic")) return exitCodes.negative;
    return undefined;
  },
});

/** An adapter with its configuration, which lies beside it. */
async function readAdapter(path: string | undefined): Promise<Pick<HeadPlace, "adapter" | "adapterConfig">> {
  if (path === undefined) return {};
  const { tensors: adapter } = await loadFile(path, readSafetensors);
  const bytes = filesBeside(path)("adapter_config.json");
  if (bytes === undefined) return { adapter };
  try {
    return { adapter, adapterConfig: JSON.parse(new TextDecoder().decode(bytes)) };
  } catch (cause) {
    throw new FormatError(`adapter_config.json beside ${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** What the products of a head's adapters are multiplied by. */
function scalesOf({ q, k, v }: Head): string {
  const parts = Object.entries({ q, k, v }).flatMap(([name, projection]) => {
    if (typeof projection !== "object" || !("a" in projection)) return [];
    const [rank] = asTensor(projection.a).shape;
    const { alpha = rank, scaling } = projection;
    return [`${name} ${short(alpha)} / ${scaling === "rslora" ? `sqrt(${rank})` : rank}`];
  });
  return parts.join(", ");
}

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
