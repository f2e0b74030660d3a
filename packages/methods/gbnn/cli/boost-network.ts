import type { MethodCommand } from "@offprint/claims";
import { readSamples, trainTestSplit } from "@offprint/data";
import { loadFile, saveFile } from "@offprint/data/node";
import {
  AbortedError,
  isTensor,
  random,
  ShapeError,
  type Tensor,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type FitOptions, fitClassifier, fitRegressor, stagedScore } from "../src/index.js";
import { writeTableModel } from "./model-and-columns.js";

/** `offprint boost-network data.csv --output model.safetensors` */
export const boostNetwork: MethodCommand = {
  name: "boost-network",
  summary: "Learn to predict a column of a table (CSV, NPZ): a network grown by gradient boosting",
  arguments: [{ name: "data", description: "CSV with a header, or NPZ with arrays x [samples, features] and y" }],
  options: [
    { name: "target", description: "column to predict (default the last), or array of an NPZ file", type: "string" },
    {
      name: "task",
      description: "regression or classification; default: texts are classes, numbers are not",
      type: "string",
    },
    { name: "units", description: "hidden units in all", type: "number", default: 200 },
    { name: "block", description: "hidden units of a block", type: "number", default: 3 },
    { name: "eta", description: "factor of every step", type: "number", default: 0.1 },
    { name: "subsample", description: "fraction of the samples per block", type: "number", default: 0.5 },
    {
      name: "test",
      description: "fraction of the samples held out to judge by; 0 for none",
      type: "number",
      default: 0.2,
    },
    { name: "seed", description: "source of all randomness", type: "number", default: 0 },
    { name: "output", description: "file for the model (safetensors)", type: "string" },
  ],
  async run({ arguments: args, options, print, onProgress, signal }) {
    const target = options.target as string | undefined;
    const samples = await loadFile(String(args.data), (bytes) =>
      readSamples(bytes, target === undefined ? {} : { target }),
    );
    const given = samples.targets;
    if (given === undefined) throw new ValueError("boost-network: the file has no target");
    const task = chosenTask(options.task, given);
    const rows = samples.inputs.shape[0];
    print(`${rows} samples, ${samples.inputNames.length} features; ${samples.targetName}: ${task}`);
    const [learn, judge] = splitRows(rows, Number(options.test), Number(options.seed));
    const settings: FitOptions = {
      totalUnits: Number(options.units),
      unitsPerStep: Number(options.block),
      eta: Number(options.eta),
      subsample: Number(options.subsample),
      seed: Number(options.seed),
      signal,
      async onProgress({ block, blocks, loss }) {
        onProgress(block / blocks, `block ${block} of ${blocks}, loss ${loss.toPrecision(4)}`);
        await new Promise((resume) => setImmediate(resume)); // lets Ctrl-C through
      },
    };
    const x = (at: Int32Array) => take(samples.inputs, at);
    const y = (at: Int32Array) => (isTensor(given) ? take(given, at) : Array.from(at, (i) => given[i]));
    const { model, history, status } =
      task === "classification"
        ? await fitClassifier(x(learn), y(learn), settings)
        : await fitRegressor(x(learn), numbersOf(y(learn)), settings);
    if (status === "aborted") throw new AbortedError("boost-network: interrupted; no model is written");
    print(
      `${model.blocks.length} blocks; loss ${history.loss[0].toPrecision(4)} -> ${history.loss.at(-1)?.toPrecision(4)}`,
    );
    if (judge.length > 0) {
      const scores = stagedScore(model, x(judge), y(judge));
      const name = task === "classification" ? "accuracy" : "R^2";
      for (const share of [0.1, 0.25, 0.5, 1]) {
        const blocks = Math.round(share * model.blocks.length);
        print(
          `${name} on ${judge.length} held-out samples with ${String(blocks * model.units).padStart(4)} units: ${scores[blocks].toFixed(4)}`,
        );
      }
    }
    const output = options.output as string | undefined;
    if (output === undefined) return print("--output <file> writes the model.");
    await saveFile(output, writeTableModel({ model, inputs: samples.inputNames, target: samples.targetName ?? "y" }));
    print(`written: ${output}`);
  },
};

function chosenTask(option: unknown, targets: Tensor | readonly string[]): "classification" | "regression" {
  const task = option ?? (isTensor(targets) ? "regression" : "classification");
  if (task !== "classification" && task !== "regression") {
    throw new ValueError(`--task is ${String(task)}; it must be regression or classification`);
  }
  if (task === "classification" && isTensor(targets) && targets.rank !== 1) {
    throw new ShapeError(`boost-network: classes must be [samples], the target has shape [${targets.shape}]`);
  }
  return task;
}

function numbersOf(targets: Tensor | readonly string[]): Tensor {
  if (isTensor(targets)) return targets;
  throw new ValueError(
    "boost-network: the target holds texts, which are no numbers; leave --task out, or take classification",
  );
}

/** Row numbers to learn from, and to judge by. */
function splitRows(rows: number, test: number, seed: number): [Int32Array, Int32Array] {
  if (!(test >= 0 && test < 1)) throw new ValueError(`--test is ${test}; it must be in [0, 1)`);
  const numbers = tensor(Int32Array.from({ length: rows }, (_, i) => i));
  if (test === 0) return [numbers.data() as Int32Array, new Int32Array(0)];
  const parts = trainTestSplit({ inputs: numbers, targets: numbers }, { test, rng: random.rng(`${seed}/held out`) });
  return [parts.train.inputs.data() as Int32Array, parts.test.inputs.data() as Int32Array];
}
