import { standardization } from "@offprint/data";
import {
  checkOptions,
  concatenate,
  div,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { chosenClasses, classIndices } from "./classes.js";
import { applyNetwork, networkLogits, toNetwork } from "./dense-network.js";
import { readLabels, readNumbers } from "./fit.js";
import { columnsOf } from "./hidden-layer.js";
import {
  addBlock,
  type GbnnModel,
  initialScores,
  keptBlocks,
  readFeatures,
  requireModel,
  standardizeRows,
} from "./model.js";

/** Options of all that predicts. */
export interface PredictOptions {
  /** Uses the first blocks only, 0 to all of them. Default all. */
  readonly keepBlocks?: number;
}

/** Samples in the model's units, row-major. */
function standardized(caller: string, model: GbnnModel, x: TensorLike) {
  requireModel(caller, model);
  const samples = readFeatures(caller, x, model.features);
  standardizeRows(samples.data, model);
  return samples;
}

/**
 * F(x), `[samples, outputs]`, through the assembled network.
 *
 * @throws ShapeError for another number of features than the model was fitted to; ValueError for `keepBlocks`.
 */
export function decisionValues(model: GbnnModel, x: TensorLike, options: PredictOptions = {}): Tensor {
  checkOptions("decisionValues", options, ["keepBlocks"]);
  const { data, rows, features } = standardized("decisionValues", model, x);
  const network = toNetwork(model, { ...options, foldStandardization: false });
  return div(networkLogits(network, tensor(data, { shape: [rows, features] })), model.margin);
}

/** F(x), `[samples, outputs]`, as the sum over the blocks: what the network is made from. */
export function additiveDecision(model: GbnnModel, x: TensorLike, options: PredictOptions = {}): Tensor {
  checkOptions("additiveDecision", options, ["keepBlocks"]);
  const { data, rows, features } = standardized("additiveDecision", model, x);
  const kept = keptBlocks("additiveDecision", model, options.keepBlocks);
  const columns = columnsOf(data, features);
  const F = initialScores(model.initial, rows);
  for (let t = 0; t < kept; t++) addBlock(F, columns, model, model.blocks[t]);
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
  checkOptions("predictProbabilities", options, ["keepBlocks"]);
  const { data, rows, features } = standardized("predictProbabilities", model, x);
  const network = toNetwork(model, { ...options, foldStandardization: false });
  const p = applyNetwork(network, tensor(data, { shape: [rows, features] }));
  return model.outputs === 1 ? concatenate([sub(1, p), p], 1) : p;
}

/**
 * The score with 0, 1, ..., T blocks: accuracy for classes, the coefficient of determination R^2 for numbers (mean over
 * the outputs). R^2 of an output that does not vary in `y` is 1 where its predictions are exact, else 0.
 *
 * @param y as in `fitClassifier` or `fitRegressor`.
 * @throws ShapeError, ValueError for values that are not finite and classes that the model does not know.
 */
export function stagedScore(model: GbnnModel, x: TensorLike, y: TensorLike | ArrayLike<number | string>): Float64Array {
  const caller = "stagedScore";
  const { data, rows, features } = standardized(caller, model, x);
  const labels = () => readLabels(caller, y as Tensor | ArrayLike<number | string>, rows);
  const score =
    model.task === "classification"
      ? accuracyOf(classIndices(caller, labels(), model.classes ?? []), model.outputs)
      : determination(readNumbers(caller, y as TensorLike, rows, model.outputs).targets, model.outputs);
  const columns = columnsOf(data, features);
  const F = initialScores(model.initial, rows);
  return Float64Array.from({ length: model.blocks.length + 1 }, (_, t) => {
    if (t > 0) addBlock(F, columns, model, model.blocks[t - 1]);
    return score(F);
  });
}

function accuracyOf(truth: Int32Array, outputs: number): (F: Float64Array) => number {
  return (F) => chosenClasses(F, outputs).reduce((right, k, i) => right + (k === truth[i] ? 1 : 0), 0) / truth.length;
}

/** R^2 of predictions, mean over the columns. */
export function determination(y: Float64Array, outputs: number): (F: Float64Array) => number {
  const { mean, std } = standardization(tensor(y, { shape: [y.length / outputs, outputs] }));
  const [middle, unit] = [mean.data(), std.data()];
  // In units of the deviations, so that no square overflows or vanishes.
  const total = new Float64Array(outputs);
  for (let i = 0; i < y.length; i++) total[i % outputs] += ((y[i] - middle[i % outputs]) / unit[i % outputs]) ** 2;
  return (F) => {
    const left = new Float64Array(outputs);
    for (let i = 0; i < y.length; i++) left[i % outputs] += ((y[i] - F[i]) / unit[i % outputs]) ** 2;
    return left.reduce((sum, value, k) => sum + explained(value, total[k]), 0) / outputs;
  };
}

/** The part of a sum of squares that is not left. */
function explained(left: number, total: number): number {
  if (total === 0) return left === 0 ? 1 : 0;
  return 1 - left / total;
}

function requireTask(
  caller: string,
  model: GbnnModel,
  task: GbnnModel["task"],
  instead: string,
): readonly (number | string)[] {
  requireModel(caller, model);
  if (model.task !== task) throw new ValueError(`${caller}: the model is for ${model.task}; use ${instead}`);
  return model.classes ?? [];
}
