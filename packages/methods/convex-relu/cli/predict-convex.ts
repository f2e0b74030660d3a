import {
  defineCommand,
  option,
  type PredictedClasses,
  type PredictedNumbers,
  readTable,
  tableOptions,
  writePredictions,
} from "@offprint/commands";
import { loadFile } from "@offprint/data/node";
import { concatenate, ShapeError, sigmoid, sub, type Tensor, tensor } from "@offprint/tensor-core";
import { loadModel, predict, type ReluModel } from "../src/index.js";

/** `offprint predict-convex --model model.safetensors --table data.csv --output predictions.csv` */
export const predictConvex = defineCommand({
  name: "predict-convex",
  summary: "Predict with a network that train-convex made",
  options: {
    model: option.fileIn("file that train-convex wrote", { required: true, short: "m" }),
    table: tableOptions.table,
    features: tableOptions.features,
    output: option.fileOut("file for the predictions (CSV); default: printed", { short: "o" }),
  },
  async run({ options, print }) {
    const model = await loadFile(options.model, loadModel);
    const features = options.features ?? model.features;
    const table = await readTable(options.table, { target: null, ...(features && { features }) });
    const width = model.net.U.shape[0]! - (model.net.bias ? 1 : 0);
    if (table.features.length !== width) {
      const given = table.features.length;
      throw new ShapeError(`${table.path}: ${given} features, the model takes ${width}; choose them with --features`);
    }
    const scores = tensor(Float64Array.from(predict(model.net, table.inputs).data()));
    await writePredictions({ print }, options.output, predictions(model, scores));
  },
});

function predictions(
  { target = "prediction", classes, loss }: ReluModel,
  scores: Tensor,
): PredictedClasses | PredictedNumbers {
  if (classes === undefined) return { target, values: scores };
  const predicted = Array.from(scores.data(), (score) => classes[score >= 0 ? 1 : 0]);
  if (loss !== "bce") return { target, predicted, classes, scores };
  const second = sigmoid(scores.mul(2)).reshape([-1, 1]);
  return { target, predicted, classes, scores, probabilities: concatenate([sub(1, second), second], 1) };
}
