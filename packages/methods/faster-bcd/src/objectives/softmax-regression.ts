import { isTensor, requireInteger, requireObject, ShapeError, type Tensor, ValueError } from "@offprint/tensor-core";
import type { BlockObjective } from "../block-objective.js";
import { type DesignMatrix, designMatrix, type MatrixInput } from "../design-matrix.js";
import type { SmoothMemory } from "../smooth-state.js";
import { SoftmaxState } from "./softmax-state.js";

/**
 * Multi-class logistic regression, `sum_i logsumexp(a_i^T X) - (a_i^T X)_{y_i}` for X `[features, classes]`, flattened by
 * rows: variable `f * classes + c` is that of feature f and class c.
 * @param A `[m, features]`, dense or sparse (a sparse one stays sparse)
 * @param y `[m]` labels: classes 0 to `classes - 1`
 * @throws ValueError for a label outside that range; ShapeError, DTypeError, ValueError for what does not fit.
 */
export function softmaxRegression(A: MatrixInput, y: ArrayLike<number> | Tensor, classes: number): BlockObjective {
  const owner = "softmaxRegression";
  requireObject(owner, "labels", y, "an array of classes");
  const labels = isTensor(y) ? y.data() : y;
  const design = designMatrix(owner, "A", A);
  requireInteger(owner, "classes", classes, 2);
  if (labels.length !== design.rows) {
    throw new ShapeError(
      `${owner}: A has ${design.rows} rows and there are ${labels.length} labels; they must be as many`,
    );
  }
  for (let i = 0; i < labels.length; i++) {
    if (!(Number.isInteger(labels[i]) && labels[i] >= 0 && labels[i] < classes)) {
      throw new ValueError(`${owner}: labels[${i}] is ${labels[i]}; classes are the integers from 0 to ${classes - 1}`);
    }
  }
  const label = Int32Array.from(labels);
  const squared = design.squaredNorms();
  const n = design.columns * classes;
  const start = (x: Float64Array, memory?: SmoothMemory) => new SoftmaxState(design, label, classes, x, memory);
  return {
    n,
    lipschitz: Float64Array.from({ length: n }, (_, i) => 0.25 * squared[Math.floor(i / classes)]),
    value: (x) => start(x.slice()).value,
    gradient: (x) => start(x.slice()).gradient(),
    blockHessian: (x, block) => start(x.slice()).blockHessian(block),
    blockBound: (block) => softmaxBound(design, classes, block),
    // Each row has (1 - 1/C) / 2 once and 1 / (2C) another C - 1 times.
    absoluteRowSums() {
      const sums = design.gramRowSums();
      return Float64Array.from({ length: n }, (_, i) => (1 - 1 / classes) * sums[Math.floor(i / classes)]);
    },
    boundTimes: (block, d, out) => softmaxBoundTimes(design, classes, block, d, out),
    start,
  };
}

/** 1/2 ([c1 = c2] - 1/C') A_f1^T A_f2, where C' counts the classes in the block and one for all others. */
function softmaxBound(design: DesignMatrix, classes: number, block: Int32Array): Float64Array {
  const t = block.length;
  const distinct = new Set(block.map((i) => i % classes)).size;
  const merged = Math.min(classes, distinct + 1);
  const out = design.gram(block.map((i) => Math.floor(i / classes)));
  for (let a = 0; a < t; a++) {
    for (let b = 0; b < t; b++)
      out[a * t + b] *= 0.5 * ((block[a] % classes === block[b] % classes ? 1 : 0) - 1 / merged);
  }
  return out;
}

/** 1/2 A^T A D (I - 1 1^T / C) for the matrix D `[features, classes]` of d. */
function softmaxBoundTimes(
  design: DesignMatrix,
  classes: number,
  block: Int32Array,
  d: Float64Array,
  out: Float64Array,
): void {
  const features = Int32Array.from(new Set(block.map((i) => Math.floor(i / classes))));
  const place = new Map(Array.from(features, (f, k) => [f, k]));
  const spread = Array.from({ length: classes }, () => new Float64Array(features.length));
  for (let k = 0; k < block.length; k++) {
    const f = place.get(Math.floor(block[k] / classes)) as number;
    for (let c = 0; c < classes; c++) spread[c][f] += 0.5 * d[k] * ((c === block[k] % classes ? 1 : 0) - 1 / classes);
  }
  const product = design.emptyProduct();
  const column = new Float64Array(design.columns);
  for (let c = 0; c < classes; c++) {
    design.product(features, spread[c], product);
    column.fill(0);
    design.addGramProduct(features, spread[c], product, 1, column);
    for (let f = 0; f < column.length; f++) out[f * classes + c] = column[f];
  }
}
