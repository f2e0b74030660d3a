import { defineCommand, option, seedOption, stateOptions } from "@offprint/commands";
import type { TrainingRecord } from "@offprint/optim";
import { type SequenceTrainingState, saveSequenceModel, trainSequenceModel } from "../src/index.js";
import { alphabetOf, alphabetOption, readSequences } from "./sequence-table.js";

/** `offprint train-sequence-model --table relatives.csv --output model.safetensors` */
export const trainSequenceModelCommand = defineCommand({
  name: "train-sequence-model",
  summary: "Train a small language model on sequences without scores, to design with",
  options: {
    table: option.fileIn("table of sequences of one length (CSV, or a list of objects in JSON)", {
      required: true,
      short: "t",
    }),
    sequence: option.text("column of the sequences", { default: "sequence" }),
    ...alphabetOption,
    width: option.integer("width of the model", { default: 32, least: 1 }),
    layers: option.integer("blocks", { default: 2, least: 1 }),
    heads: option.integer("attention heads, a divisor of the width", { default: 2, least: 1 }),
    steps: option.integer("steps of training", { default: 1500, least: 0 }),
    learningRate: option.number("peak of the learning rate", { default: 3e-3, above: 0 }),
    ...seedOption,
    output: option.fileOut("file for the model", { required: true, short: "o", endings: [".safetensors"] }),
    ...stateOptions,
  },
  async run({ options, report, write, longRun }) {
    const { steps, heads, layers, width, learningRate, seed } = options;
    const alphabet = alphabetOf(options.alphabet);
    const { sequences } = await readSequences(options.table, { sequence: options.sequence });
    const run = await longRun<TrainingRecord, SequenceTrainingState>({
      progress: ({ step, loss }) => ({ fraction: step / steps, label: `step ${step}, loss ${loss.toFixed(3)}` }),
    });
    const result = await trainSequenceModel(sequences, {
      ...{ alphabet, width, layers, heads, steps, learningRate, seed },
      ...run.options,
    });
    await run.settle(result);
    const last = result.history.slice(-100).map(({ loss }) => loss);
    report([
      ["sequences", sequences.length],
      ["loss of hidden letters", last.length === 0 ? "none" : last.reduce((a, b) => a + b) / last.length],
      ["loss of a guess", Math.log(alphabet.length)],
    ]);
    await write(options.output, saveSequenceModel({ params: result.params, alphabet, heads }));
  },
});
