import { asTensor, requireInteger, ShapeError, type Tensor, type TensorLike, ValueError } from "@offprint/tensor-core";
import { evaluateLayer, type HiddenActivation, type HiddenLayer, type HiddenLayerSize } from "./hidden-layer.js";
import { requireThat } from "./requirements.js";

/** J units that were added in one step of boosting. */
export interface Block extends HiddenLayer {
  /** rho: what the block is multiplied with in the sum. */
  readonly step: number;
}

/** A trained model, as plain data: `F(x) = F_0 + sum of rho_s f_s(x)`. */
export interface GbnnModel {
  /** What is predicted. */
  readonly task: "classification" | "regression";
  /** Classes in sorted order; none for regression. */
  readonly classes?: readonly (number | string)[];
  /** d: number of features. */
  readonly features: number;
  /** J: units of a block. */
  readonly units: number;
  /** K: outputs of the network; 1 for two classes. */
  readonly outputs: number;
  /** Of the hidden units. */
  readonly activation: HiddenActivation;
  /** Turns margin times F into predictions. */
  readonly link: "identity" | "sigmoid" | "softmax";
  /** m: 2 for two classes, else 1. */
  readonly margin: number;
  /** Subtracted from the features, `[features]`. */
  readonly mean: Float64Array;
  /** The differences are divided by these, `[features]`. */
  readonly std: Float64Array;
  /** F_0, `[outputs]`. */
  readonly initial: Float64Array;
  /** In the order in which they were added. */
  readonly blocks: readonly Block[];
}

/** Extents of one block of a model. */
export function blockSize({ features, units, outputs }: GbnnModel): HiddenLayerSize {
  return { features, units, outputs };
}

/** How many of the model's blocks count: all, or the first `keepBlocks`. @throws ValueError out of 0..T. */
export function keptBlocks(caller: string, model: GbnnModel, keepBlocks = model.blocks.length): number {
  requireInteger(caller, "keepBlocks", keepBlocks, 0);
  requireThat(
    keepBlocks <= model.blocks.length,
    `${caller}: keepBlocks is ${keepBlocks}, but the model has ${model.blocks.length} blocks; give 0 to ${model.blocks.length}`,
  );
  return keepBlocks;
}

/** @throws ValueError for what `fitClassifier`, `fitRegressor` or `loadModel` did not make. */
export function requireModel(caller: string, model: GbnnModel): void {
  requireThat(
    Array.isArray((model as GbnnModel | null | undefined)?.blocks),
    `${caller}: the model is ${String(model)}; give the \`model\` of a result of fitClassifier or fitRegressor`,
  );
}

/**
 * Samples as a row-major matrix, a copy; plain arrays are read as float64.
 * @throws ShapeError, ValueError for values that are not finite.
 */
export function readFeatures(
  caller: string,
  x: TensorLike,
  features?: number,
): { data: Float64Array; rows: number; features: number } {
  if (x === undefined || x === null) throw new ShapeError(`${caller}: x is missing; give samples [samples, features]`);
  const matrix = asTensor(x, "float64");
  if (matrix.rank !== 2)
    throw new ShapeError(`${caller}: x has shape [${matrix.shape}]; it must be [samples, features]`);
  const [rows, width] = matrix.shape;
  if (features !== undefined && width !== features) {
    throw new ShapeError(
      `${caller}: x has ${width} features, but the model was fitted to ${features}; give those, in their order`,
    );
  }
  if (width === 0) throw new ShapeError(`${caller}: x has no features; give at least one column`);
  const data = Float64Array.from(matrix.data());
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new ValueError(
      `${caller}: x is ${data[bad]} in row ${Math.floor(bad / width)}, column ${bad % width}; remove such rows or fill in numbers`,
    );
  }
  return { data, rows, features: width };
}

/** Brings features to the model's units, in place. */
export function standardizeRows(data: Float64Array, { mean, std }: Pick<GbnnModel, "mean" | "std">): void {
  const d = mean.length;
  for (let i = 0, f = 0; i < data.length; i++) {
    data[i] = (data[i] - mean[f]) / std[f];
    f = f + 1 === d ? 0 : f + 1;
  }
}

/** `F += rho f(x)` for samples `[features, samples]`, which are standardised. */
export function addBlock(F: Float64Array, x: Tensor, model: GbnnModel, block: Block): void {
  const phi = evaluateLayer(x, block, blockSize(model), model.activation);
  for (let i = 0; i < F.length; i++) F[i] += block.step * phi[i];
}

/** F_0 for every one of the samples, `[rows, outputs]`. */
export function initialScores(initial: Float64Array, rows: number): Float64Array {
  return Float64Array.from({ length: rows * initial.length }, (_, i) => initial[i % initial.length]);
}
