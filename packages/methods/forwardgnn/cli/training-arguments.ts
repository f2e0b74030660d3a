import type { CommandArgument, CommandInput, CommandOption } from "@offprint/claims";
import { ValueError } from "@offprint/tensor-core";
import type { TrainingOptions } from "../src/index.js";
import { KARATE } from "./graph-source.js";

/** Where the graph comes from. */
export const graphArgument: CommandArgument = {
  name: "graph",
  description: `folder with Planetoid files (ind.NAME.x, ind.NAME.graph, ...), or ${KARATE}`,
};

/** Options that all commands have. */
export const trainingArguments: readonly CommandOption[] = [
  { name: "set", description: "which data set, where the folder holds several", type: "string" },
  { name: "convolution", description: "gcn, sage or gat", type: "string", default: "gcn" },
  { name: "layers", description: "number of layers", type: "number", default: 2 },
  { name: "hidden", description: "width of the layers", type: "number", default: 128 },
  { name: "epochs", description: "most epochs of each layer", type: "number", default: 300 },
  { name: "learning-rate", description: "Adam's learning rate", type: "number", default: 0.01 },
  { name: "seed", description: "source of all randomness", type: "number", default: 0 },
  { name: "raw-features", description: "features as they are, rather than rows divided by their sum", type: "boolean" },
  { name: "save", description: "file for the trained model (safetensors)", type: "string" },
  { name: "output", description: "file for the predictions (CSV)", type: "string" },
];

/** Training options from a command line. */
export async function trainingOptions(input: CommandInput): Promise<TrainingOptions> {
  const { options, signal, onProgress } = input;
  const convolution = String(options.convolution);
  if (convolution !== "gcn" && convolution !== "sage" && convolution !== "gat") {
    throw new ValueError(`--convolution is ${convolution}; it must be gcn, sage or gat`);
  }
  const backend = await input.backend();
  return {
    convolution,
    layers: Number(options.layers),
    hidden: Number(options.hidden),
    epochs: Number(options.epochs),
    learningRate: Number(options["learning-rate"]),
    seed: Number(options.seed),
    signal,
    onProgress({ layer, epoch, epochs, stages, loss }) {
      const done = (Math.max(layer, 1) - 1 + epoch / epochs) / stages;
      onProgress(done, `${layer === 0 ? "" : `layer ${layer}, `}epoch ${epoch}, loss ${loss.toPrecision(4)}`);
    },
    ...(backend && { backend }),
  };
}

/** One of the words that are allowed. */
export function chosen<T extends string>(option: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === value);
  if (found === undefined)
    throw new ValueError(`--${option} is ${String(value)}; it must be one of ${allowed.join(", ")}`);
  return found;
}

/** An option that names a file, if it was given. */
export function fileOption(input: CommandInput, name: "save" | "output" | "set"): string | undefined {
  const value = input.options[name];
  return value === undefined || value === "" ? undefined : String(value);
}
