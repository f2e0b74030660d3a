import { defineCommand, option, readTable, tableOptions, writePredictions } from "@offprint/commands";
import { loadFile } from "@offprint/data/node";
import { concatenate, sigmoid, softmax, sub } from "@offprint/tensor-core";
import { predictedClasses } from "./fit-targets.js";
import { outputsOf, readTableModel } from "./table-model.js";

/** `offprint predict-targets --model model.safetensors --table data.csv --output predictions.csv` */
export const predictTargets = defineCommand({
  name: "predict-targets",
  summary: "Predict with a model that fit-targets made",
  options: {
    model: option.fileIn("file that fit-targets wrote", { required: true, short: "m" }),
    table: tableOptions.table,
    output: option.fileOut("file for the predictions (CSV); default: printed", { short: "o" }),
  },
  async run({ options, print }) {
    const model = await loadFile(options.model, readTableModel);
    const { inputs: features, target, task, classes, outputs } = model.description;
    const { inputs } = await readTable(options.table, { target: null, features });
    const z = outputsOf(model, inputs);
    if (task === "regression") return writePredictions({ print }, options.output, { target, values: z });
    const second = sigmoid(z);
    await writePredictions({ print }, options.output, {
      target,
      predicted: predictedClasses(z).map((k) => classes[k]!),
      classes,
      probabilities: outputs === 1 ? concatenate([sub(1, second), second], 1) : softmax(z),
    });
  },
});
