import type { MethodCommand } from "@offprint/claims";
import { type Column, readSamples, Table, writeCsv } from "@offprint/data";
import { loadFile, saveFile } from "@offprint/data/node";
import { sigmoid, softmax, type Tensor } from "@offprint/tensor-core";
import { predictedClasses } from "./fit-targets.js";
import { outputsOf, readTableModel, type TableDescription } from "./table-model.js";

/** `offprint predict-targets model.safetensors data.csv --output predictions.csv` */
export const predictTargets: MethodCommand = {
  name: "predict-targets",
  summary: "Predict with a model that fit-targets made",
  arguments: [
    { name: "model", description: "file that fit-targets wrote" },
    { name: "data", description: "CSV with the columns of the model, others are left alone; or NPZ with an array x" },
  ],
  options: [{ name: "output", description: "file for the predictions (CSV); default: printed", type: "string" }],
  async run({ arguments: args, options, print }) {
    const model = await loadFile(String(args.model), readTableModel);
    const { inputs } = model.description;
    const samples = await loadFile(String(args.data), (bytes) => readSamples(bytes, { target: null, inputs }));
    const text = writeCsv(new Table(columnsOf(model.description, outputsOf(model, samples.inputs))));
    const output = options.output as string | undefined;
    if (output === undefined) return print(text.trimEnd());
    await saveFile(output, text);
    print(`${samples.inputs.shape[0]} predictions written: ${output}`);
  },
};

function columnsOf({ task, target, classes, outputs }: TableDescription, z: Tensor): Column[] {
  const taken = (from: Tensor, c: number) => Float64Array.from(from.data()).filter((_, i) => i % outputs === c);
  if (task === "regression") {
    return Array.from({ length: outputs }, (_, c) => ({
      name: outputs === 1 ? target : `${target} ${c}`,
      type: "number" as const,
      values: taken(z, c),
    }));
  }
  const p = outputs === 1 ? sigmoid(z) : softmax(z);
  return [
    { name: target, type: "text", values: predictedClasses(z).map((k) => classes[k]) },
    ...classes.map((label, k) => ({
      name: `probability ${label}`,
      type: "number" as const,
      values: outputs > 1 ? taken(p, k) : taken(p, 0).map((second) => (k === 1 ? second : 1 - second)),
    })),
  ];
}
