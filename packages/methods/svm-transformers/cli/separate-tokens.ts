import {
  type CommandInput,
  defineCommand,
  exitCodes,
  Failure,
  type Options,
  option,
  seedOption,
  stateOptions,
} from "@offprint/commands";
import { readNpy } from "@offprint/data";
import { filesBeside, loadFile } from "@offprint/data/node";
import { readOnnxGraph } from "@offprint/onnx-format";
import type { Tensor } from "@offprint/tensor-core";
import {
  type AttentionRecord,
  InfeasibleSvmError,
  locallyOptimal,
  type MarginReport,
  marginReport,
  optimalTokens,
  type TrainAttentionOptions,
  trainAttention,
  weightsFromOnnx,
} from "../src/index.js";
import { type ExampleFile, readExampleFile } from "./example-file.js";

const options = {
  data: option.fileIn("examples (NPZ): tokens [n, T, d], labels [n] or [n, T]; queries, mask and the head v if any", {
    required: true,
    short: "d",
    endings: [".npz"],
  }),
  whole: option.flag("with labels of every position: it sees its whole sequence, not what is before it alone"),
  weights: option.fileIn("weights W [d, d] of attention (NPY), instead of training some", { endings: [".npy"] }),
  onnx: option.fileIn("a transformer, instead of training some weights: --query and --key name its matrices", {
    endings: [".onnx"],
  }),
  query: option.text("initialiser of the .onnx file, [d, heads width]"),
  key: option.text("likewise"),
  head: option.integer("number of the head in them, from 0", { default: 0, least: 0 }),
  heads: option.integer("heads in them", { default: 1, least: 1 }),
  parameters: option.choice(["w", "kq"], "what is trained: W, or K and Q with W = K Q^T", { default: "w" }),
  loss: option.choice(["logistic", "exponential", "linear"], "of a label times the prediction", {
    default: "logistic",
  }),
  learningRate: option.number("length of a normalised step", { default: 0.1, above: 0 }),
  steps: option.integer("steps of training", { default: 2000, least: 0, free: true }),
  norm: option.choice(["frobenius", "nuclear"], "of the largest margin: nuclear is where training K and Q goes", {
    default: "frobenius",
  }),
  choices: option.integer("choices of tokens tried for local optima, from the highest scores on; 0 for none", {
    default: 0,
    least: 0,
  }),
  ...seedOption,
  output: option.fileOut("file for what was found of every example (JSON)", { short: "o", endings: [".json"] }),
  ...stateOptions,
};

/** Options that say how weights are trained. */
const ofTraining = [
  ...(["parameters", "loss", "learningRate", "steps"] as const),
  ...(Object.keys(stateOptions) as (keyof typeof stateOptions)[]),
];

type Input = CommandInput<Options, typeof options>;

/** `offprint separate-tokens --data examples.npz --output report.json` */
export const separateTokens = defineCommand({
  name: "separate-tokens",
  summary: "Say which tokens attention selects, and whether and with what margin they can be separated",
  options,
  async run(input) {
    const { options: given, report, note, write, print, refuse } = input;
    if (given.onnx === undefined) refuse(["query", "key", "head", "heads"], "they name parts of an --onnx file");
    if ((given.weights ?? given.onnx) !== undefined) refuse(ofTraining, "with weights given nothing is trained");
    const file = await readExampleFile(given.data, given.whole);
    const { examples, v, repeats } = file;
    const [count, , d] = examples.tokens.shape;
    print(`${count} examples in ${d} dimensions`);
    if (repeats > 0) note(`${repeats} tokens stand in their example before and were left out.`);
    const weights = await weightsOf(input, file);
    const best = optimalTokens(examples, v).tokens;
    const found = await marginsOf(given, file, weights);
    if (found === undefined) {
      report([["can be separated", "no: choose other weights, or tokens of more dimensions"]]);
      return exitCodes.negative;
    }
    const local =
      given.choices === 0 ? [] : await locallyOptimal(examples, v, { search: "neighbours", maxChoices: given.choices });
    report([
      ["selected tokens of the highest score", `${found.selected.filter((t, i) => t === best[i]).length} of ${count}`],
      ["least attention of a selected token", found.concentration],
      ["margin of the weights", found.margin],
      ["largest margin", found.largestMargin],
      ["correlation with the weights of that", found.correlation],
      ...(given.choices === 0 ? [] : [["local optima found", local.length] as const]),
    ]);
    const { attention, selected, support } = { ...found, support: found.svm.support };
    const { margin, largestMargin, correlation } = found;
    await write(
      given.output,
      `${JSON.stringify({
        ...{
          margin,
          largestMargin,
          correlation,
          selected,
          highestScores: best,
          support,
          attention: attention.toArray(),
        },
        local: local.map(({ tokens, margin: own, isGlobal }) => ({ tokens, margin: own, isGlobal })),
      })}\n`,
    );
    return undefined;
  },
});

/** Given weights, or trained ones. */
async function weightsOf({ options: given, longRun }: Input, { examples, v }: ExampleFile): Promise<Tensor> {
  const { weights, onnx, query, key, head, heads, parameters, loss, learningRate, steps, seed } = given;
  if (weights !== undefined && onnx !== undefined)
    throw new Failure("--weights and --onnx both give weights; take one");
  if (weights !== undefined) return loadFile(weights, (bytes) => readNpy(bytes));
  if (onnx !== undefined) {
    if (query === undefined || key === undefined)
      throw new Failure("--onnx needs --query and --key, names of matrices");
    const read = (bytes: Uint8Array) => readOnnxGraph(bytes, { externalData: filesBeside(onnx) });
    return loadFile(onnx, (bytes) => weightsFromOnnx(read(bytes), { query, key, head, heads }));
  }
  const run = await longRun<AttentionRecord, NonNullable<TrainAttentionOptions["resume"]>>({
    progress: ({ step, loss: value }) => ({
      fraction: step / Math.max(1, steps),
      label: `step ${step}, loss ${value.toPrecision(4)}`,
    }),
  });
  const trained = await trainAttention(examples, {
    ...{ head: { kind: "linear", v }, parameters, loss, learningRate, steps, seed },
    ...run.options,
  });
  await run.settle(trained);
  return trained.w;
}

/** Nothing where no weights separate what was selected. */
async function marginsOf(
  { norm }: Input["options"],
  { examples }: ExampleFile,
  weights: Tensor,
): Promise<MarginReport | undefined> {
  try {
    return await marginReport(examples, weights, { norm });
  } catch (error) {
    if (error instanceof InfeasibleSvmError) return undefined;
    throw error;
  }
}
