import {
  type CommandInput,
  deviceOptions,
  type LongRun,
  type Options,
  option,
  seedOption,
  stateOptions,
} from "@offprint/commands";
import type { EpochRecord, TrainingOptions, TrainingRun } from "../src/index.js";
import { KARATE } from "./graph-source.js";

/** Where the graph comes from. */
export const graphOptions = {
  graph: option.fileIn(`folder with Planetoid files (ind.NAME.x, ind.NAME.graph, ...), or ${KARATE}`, {
    kind: "folder",
    words: [KARATE],
    required: true,
  }),
  set: option.text("which data set, where the folder holds several"),
  rawFeatures: option.flag("features as they are, rather than rows divided by their sum"),
};

/** What both commands have. */
export const trainingOptions = {
  convolution: option.choice(["gcn", "sage", "gat"], "convolution of the layers", { default: "gcn" }),
  heads: option.integer("heads of gat, which divide the width", { default: 4, least: 1 }),
  layers: option.integer("number of layers", { default: 2, least: 1 }),
  hidden: option.integer("width of the layers", { default: 128, least: 1 }),
  epochs: option.integer("most epochs of each layer", { default: 300, least: 1, free: true }),
  learningRate: option.number("Adam's learning rate", { default: 0.01, above: 0 }),
  ...seedOption,
  output: option.fileOut("file for the predictions (CSV)", { short: "o" }),
  save: option.fileOut("file for the trained model (safetensors)"),
  ...stateOptions,
  ...deviceOptions,
};

type Input = Pick<CommandInput<Options, typeof trainingOptions>, "backend" | "longRun" | "options" | "refuse">;

/** Training options from a command line, and the run to be settled with their result. */
export async function preparedTraining({ options, longRun, backend, refuse }: Input): Promise<{
  readonly run: LongRun<EpochRecord, TrainingRun>;
  readonly settings: TrainingOptions;
}> {
  const { convolution, heads, layers, hidden, epochs, learningRate, seed } = options;
  if (convolution !== "gat") refuse(["heads"], `${convolution} has none`);
  const run = await longRun<EpochRecord, TrainingRun>({
    progress: ({ layer, epoch, loss }) => ({
      fraction: layer === 0 ? epoch / epochs : (layer - 1 + epoch / epochs) / layers,
      label: `${layer === 0 ? "" : `layer ${layer}, `}epoch ${epoch}, loss ${loss.toPrecision(4)}`,
    }),
  });
  const opened = await backend();
  const shape = { convolution, layers, hidden, ...(convolution === "gat" && { heads }) };
  const settings = { ...shape, epochs, learningRate, seed, ...run.options };
  return { run, settings: opened === undefined ? settings : { ...settings, backend: opened } };
}
