import type { MethodCommand } from "@offprint/claims";
import { type Column, readSamples, Table, writeCsv } from "@offprint/data";
import { loadFile, saveFile } from "@offprint/data/node";
import type { TensorLike } from "@offprint/tensor-core";
import {
  type GbnnModel,
  type PredictOptions,
  predictClasses,
  predictNumbers,
  predictProbabilities,
} from "../src/index.js";
import { readTableModel } from "./model-and-columns.js";

/** `offprint boost-predict model.safetensors data.csv --output predictions.csv` */
export const boostPredict: MethodCommand = {
  name: "boost-predict",
  summary: "Predict with a network that boost-network made",
  arguments: [
    { name: "model", description: "file that boost-network wrote" },
    { name: "data", description: "CSV with the columns of the model, others are left alone; or NPZ with an array x" },
  ],
  options: [
    { name: "blocks", description: "use the first blocks only; default all", type: "number" },
    { name: "output", description: "file for the predictions (CSV); default: printed", type: "string" },
  ],
  async run({ arguments: args, options, print }) {
    const { model, inputs, target } = await loadFile(String(args.model), readTableModel);
    const samples = await loadFile(String(args.data), (bytes) => readSamples(bytes, { target: null, inputs }));
    const kept = options.blocks as number | undefined;
    const columns = predictions(model, target, samples.inputs, kept === undefined ? {} : { keepBlocks: kept });
    const text = writeCsv(new Table(columns));
    const output = options.output as string | undefined;
    if (output === undefined) return print(text.trimEnd());
    await saveFile(output, text);
    print(`${samples.inputs.shape[0]} predictions written: ${output}`);
  },
};

function predictions(model: GbnnModel, target: string, x: TensorLike, options: PredictOptions): Column[] {
  if (model.task === "regression") {
    const values = predictNumbers(model, x, options).data() as Float64Array;
    const K = model.outputs;
    return Array.from({ length: K }, (_, k) => ({
      name: K === 1 ? target : `${target} ${k}`,
      type: "number" as const,
      values: values.filter((_, i) => i % K === k),
    }));
  }
  const classes = model.classes ?? [];
  const p = predictProbabilities(model, x, options).data() as Float64Array;
  return [
    { name: target, type: "text", values: predictClasses(model, x, options).map(String) },
    ...classes.map((label, k) => ({
      name: `probability ${label}`,
      type: "number" as const,
      values: p.filter((_, i) => i % classes.length === k),
    })),
  ];
}
