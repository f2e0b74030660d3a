import { stat } from "node:fs/promises";
import { defineCommand, option, seedOption, stateOptions } from "@offprint/commands";
import { Table, writeCsv } from "@offprint/data";
import { filesBeside, loadFile } from "@offprint/data/node";
import { bertFromSafetensors } from "@offprint/language/huggingface";
import { modelFolder } from "@offprint/language/node";
import { readOnnxGraph } from "@offprint/onnx-format";
import {
  bertSequences,
  type DesignRecord,
  type DesignState,
  designSequences,
  type KernelModel,
  ntkModel,
  onnxSequences,
  type Pooling,
  type RelaxedModel,
  readSequenceModel,
} from "../src/index.js";
import { alphabetOf, alphabetOption, readSequences } from "./sequence-table.js";

/** A BERT's folder, an encoder in an .onnx file, a file of {@link trainSequenceModelCommand}, or the tangent kernel of a network. */
async function modelOf(
  path: string | undefined,
  { alphabet, kmer, pool }: { alphabet: readonly string[]; kmer: number; pool: Pooling },
): Promise<RelaxedModel | KernelModel> {
  if (path === undefined) return ntkModel({ alphabet });
  if (path.endsWith(".onnx")) {
    const read = (bytes: Uint8Array) => readOnnxGraph(bytes, { externalData: filesBeside(path) });
    return loadFile(path, (bytes) => onnxSequences(read(bytes), { alphabet, pool }));
  }
  if (!(await stat(path)).isDirectory()) return loadFile(path, (bytes) => readSequenceModel(bytes, { pool }));
  return bertSequences(await bertFromSafetensors(modelFolder(path)), { kmer, pool, alphabet });
}

/** `offprint design-sequences --table measured.csv --model model.safetensors --output proposals.csv` */
export const designSequencesCommand = defineCommand({
  name: "design-sequences",
  summary: "Propose better sequences from a table of measured ones",
  options: {
    table: option.fileIn("table of sequences of one length and their scores (CSV, or a list of objects in JSON)", {
      required: true,
      short: "t",
    }),
    sequence: option.text("column of the sequences", { default: "sequence" }),
    score: option.text("column of the scores, the higher the better", { default: "score" }),
    ...alphabetOption,
    model: option.fileIn(
      "language model: a folder of a BERT (DNABERT, ProtBERT), an .onnx file that takes one-hot rows, or a file of train-sequence-model; without one a kernel without language",
      { kind: "either", short: "m" },
    ),
    kmer: option.integer("letters of a word that a BERT reads", { default: 1, least: 1, most: 8 }),
    pool: option.choice(["mean", "cls", "flatten"], "how features of places become those of a sequence", {
      default: "mean",
    }),
    mode: option.choice(["bib", "bdi", "forward", "backward", "grad"], "which losses lead", { default: "bib" }),
    adaptiveRate: option.flag("whether the learning rate adapts, too"),
    steps: option.integer("steps of every design", { default: 100, least: 0, free: true }),
    learningRate: option.number("step of Adam on the logits", { default: 0.1, above: 0 }),
    ridge: option.number("penalty of the forward map, relative to the kernel", { default: 1e-6, least: 0 }),
    target: option.number("score that is asked for, in standard deviations", { default: 10 }),
    starts: option.integer("how many of the best to begin with", { default: 128, least: 1 }),
    select: option.choice(["last", "proxyBest"], "the last designs, or the best predicted on the way", {
      default: "last",
    }),
    ...seedOption,
    output: option.fileOut("file for the proposals (CSV)", { short: "o", endings: [".csv"] }),
    ...stateOptions,
  },
  async run({ options, print, report, note, write, refuse, longRun }) {
    if (options.model === undefined) refuse(["kmer", "pool"], "without --model there is no language model");
    else if (!(await stat(options.model)).isDirectory()) refuse(["kmer"], "the model is no folder of a BERT");
    const { steps, mode, seed, ridge, target, starts, select, adaptiveRate, learningRate } = options;
    const table = await readSequences(options.table, { sequence: options.sequence, score: options.score });
    const alphabet = alphabetOf(options.alphabet);
    const model = await modelOf(options.model, { ...options, alphabet });
    if (String(model.alphabet) !== String(alphabet)) refuse(["alphabet"], `the model's is ${model.alphabet.join("")}`);
    const run = await longRun<DesignRecord, DesignState>({
      progress: ({ step, gamma }) => ({
        fraction: step / steps,
        label: `step ${step}, gamma ${(gamma.reduce((a, b) => a + b) / gamma.length).toFixed(2)}`,
      }),
    });
    const result = await designSequences(table, model, {
      ...{ mode, steps, seed, ridge, target, starts, select, adaptiveRate, learningRate },
      ...run.options,
    });
    await run.settle(result);
    const proposals = distinct(result);
    const known = new Set(table.sequences);
    report([
      ["rows", table.sequences.length],
      ["best score of the table", table.scores.reduce((a, b) => Math.max(a, b))],
      ["proposals", proposals.length],
      ["of them not in the table", proposals.filter(({ sequence }) => !known.has(sequence)).length],
      ["best prediction", proposals[0].prediction],
      ["letters changed on average", proposals.reduce((sum, { distance }) => sum + distance, 0) / proposals.length],
    ]);
    for (const text of result.notes) note(text);
    const csv = writeCsv(
      new Table([
        { name: "sequence", type: "text", values: proposals.map(({ sequence }) => sequence) },
        { name: "prediction", type: "number", values: Float64Array.from(proposals, ({ prediction }) => prediction) },
        { name: "start", type: "text", values: proposals.map(({ start }) => start) },
        { name: "distance", type: "integer", values: Float64Array.from(proposals, ({ distance }) => distance) },
      ]),
    );
    if (options.output === undefined) print(csv.trimEnd());
    await write(options.output, csv);
  },
});

/** Different sequences, the best predicted first. */
function distinct({
  sequences,
  predictions,
  starts,
  distances,
}: Pick<Awaited<ReturnType<typeof designSequences>>, "sequences" | "predictions" | "starts" | "distances">) {
  const rows = sequences.map((sequence, i) => ({
    ...{ sequence, prediction: predictions[i], start: starts[i], distance: distances[i] },
  }));
  rows.sort((a, b) => b.prediction - a.prediction);
  return rows.filter(({ sequence }, i) => rows.findIndex((other) => other.sequence === sequence) === i);
}
