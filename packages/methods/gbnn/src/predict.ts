import { concatenate, div, sub, type Tensor, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";
import { chosenClasses, classIndices } from "./classes.js";
import { applyNetwork, networkLogits, toNetwork } from "./dense-network.js";
import { addBlock, type GbnnModel, initialScores, keptBlocks, readFeatures, standardizeRows } from "./model.js";

/** Options of all that predicts. */
export interface PredictOptions {
  /** Uses the first blocks only, 0 to all of them. Default all. */
  keepBlocks?: number;
}

/**
 * F(x), `[samples, outputs]`, through the assembled network.
 *
 * @throws ShapeError for another number of features than the model was fitted to; ValueError for `keepBlocks`.
 */
export function decisionValues(model: GbnnModel, x: TensorLike, { keepBlocks }: PredictOptions = {}): Tensor {
  const { data, rows, features } = readFeatures("decisionValues", x, model.features);
  standardizeRows(data, model);
  const network = toNetwork(model, { keepBlocks, foldStandardization: false });
  return div(networkLogits(network, tensor(data, { shape: [rows, features] })), model.margin);
}

/** F(x), `[samples, outputs]`, as the sum over the blocks: what the network is made from. */
export function additiveDecision(model: GbnnModel, x: TensorLike, options: PredictOptions = {}): Tensor {
  const kept = keptBlocks("additiveDecision", model, options.keepBlocks);
  const { data, rows } = readFeatures("additiveDecision", x, model.features);
  standardizeRows(data, model);
  const F = initialScores(model.initial, rows);
  for (let t = 0; t < kept; t++) addBlock(F, data, model, model.blocks[t]);
  return tensor(F, { shape: [rows, model.outputs] });
}

/** Predicted numbers, `[samples]`, or `[samples, outputs]` for several outputs. @throws as `decisionValues`. */
export function predictNumbers(model: GbnnModel, x: TensorLike, options: PredictOptions = {}): Tensor {
  requireTask("predictNumbers", model, "regression", "predictClasses");
  const F = decisionValues(model, x, options);
  return model.outputs === 1 ? F.reshape([F.shape[0]]) : F;
}

/** The most probable class of every sample. @throws as `decisionValues`. */
export function predictClasses(model: GbnnModel, x: TensorLike, options: PredictOptions = {}): (number | string)[] {
  const classes = requireTask("predictClasses", model, "classification", "predictNumbers");
  const F = decisionValues(model, x, options);
  return Array.from(chosenClasses(F.data(), model.outputs), (k) => classes[k]);
}

/** Probabilities, `[samples, classes]`, classes in the model's order. @throws as `decisionValues`. */
export function predictProbabilities(model: GbnnModel, x: TensorLike, options: PredictOptions = {}): Tensor {
  requireTask("predictProbabilities", model, "classification", "predictNumbers");
  const { data, rows, features } = readFeatures("predictProbabilities", x, model.features);
  standardizeRows(data, model);
  const network = toNetwork(model, { ...options, foldStandardization: false });
  const p = applyNetwork(network, tensor(data, { shape: [rows, features] }));
  return model.outputs === 1 ? concatenate([sub(1, p), p], 1) : p;
}

/**
 * The score with 0, 1, ..., T blocks: accuracy for classes, the coefficient of determination R^2 for numbers (mean over
 * the outputs).
 *
 * @param y as in `fitClassifier` or `fitRegressor`.
 */
export function stagedScore(model: GbnnModel, x: TensorLike, y: Tensor | ArrayLike<number | string>): Float64Array {
  const { data, rows } = readFeatures("stagedScore", x, model.features);
  standardizeRows(data, model);
  const labels = "data" in y ? y.data() : y;
  if (labels.length !== rows * (model.task === "regression" ? model.outputs : 1)) {
    throw new ValueError(`stagedScore: y has ${labels.length} values for ${rows} samples; give one for each`);
  }
  const score =
    model.task === "classification"
      ? accuracyOf(classIndices("stagedScore", labels, model.classes ?? []), model.outputs)
      : determination(Float64Array.from(labels as ArrayLike<number>), model.outputs);
  const F = initialScores(model.initial, rows);
  const scores = new Float64Array(model.blocks.length + 1);
  scores[0] = score(F);
  model.blocks.forEach((block, t) => {
    addBlock(F, data, model, block);
    scores[t + 1] = score(F);
  });
  return scores;
}

function accuracyOf(truth: Int32Array, outputs: number): (F: Float64Array) => number {
  return (F) => chosenClasses(F, outputs).reduce((right, k, i) => right + (k === truth[i] ? 1 : 0), 0) / truth.length;
}

/** R^2 of predictions, mean over the columns. */
export function determination(y: Float64Array, outputs: number): (F: Float64Array) => number {
  const rows = y.length / outputs;
  const mean = new Float64Array(outputs);
  for (let i = 0; i < y.length; i++) mean[i % outputs] += y[i] / rows;
  const total = new Float64Array(outputs);
  for (let i = 0; i < y.length; i++) total[i % outputs] += (y[i] - mean[i % outputs]) ** 2;
  return (F) => {
    const left = new Float64Array(outputs);
    for (let i = 0; i < y.length; i++) left[i % outputs] += (y[i] - F[i]) ** 2;
    return left.reduce((sum, value, k) => sum + 1 - value / total[k], 0) / outputs;
  };
}

function requireTask(
  caller: string,
  model: GbnnModel,
  task: GbnnModel["task"],
  instead: string,
): readonly (number | string)[] {
  if (model.task !== task) throw new ValueError(`${caller}: the model is for ${model.task}; use ${instead}`);
  return model.classes ?? [];
}
