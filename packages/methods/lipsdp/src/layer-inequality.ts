import { combine, type Matrix, matrix, place, transposed } from "./matrix.js";

/**
 * @internal One layer's part of the inequality of a feed-forward network, with a storage matrix Q on its output:
 *
 *   [Q_before - own(Q), -cross(Q)^T; -cross(Q), corner(Q)] >= 0
 *
 * on the increments of the layer's input and the free coordinates of its output.
 */
export interface LayerInequality {
  /** Whether `cross` can be anything but 0. */
  readonly crossed: boolean;
  /** `[inputs, inputs]` */
  own(Q: Matrix): Matrix;
  /** `[free, inputs]` */
  cross(Q: Matrix): Matrix;
  /** `[free, free]`; with Q = 0 what bounds the storages from above. */
  corner(Q: Matrix): Matrix;
  /** Q on the free coordinates. */
  free(Q: Matrix): Matrix;
  /** For a layer without a cross term: the storage -M22, for which `corner` vanishes. */
  natural(): Matrix;
  /** Upper bound of what rounding can have done to the whole inequality, times s. */
  errorTimes(before: Matrix, Q: Matrix, s: Float64Array): Float64Array;
}

/** @internal The whole inequality of a layer. */
export function assembled(inequality: LayerInequality, before: Matrix, Q: Matrix): Matrix {
  const top = combine(1, before, -1, inequality.own(Q));
  if (!inequality.crossed) return top;
  const corner = inequality.corner(Q);
  const cross = inequality.cross(Q);
  const n = before.rows;
  const X = matrix(n + corner.rows, n + corner.rows);
  place(X, 0, 0, top);
  place(X, n, n, corner);
  place(X, n, 0, cross, -1);
  place(X, 0, n, transposed(cross), -1);
  return X;
}

/** @internal Sum of vectors. */
export function plus(...terms: readonly Float64Array[]): Float64Array {
  return terms[0].map((_, i) => terms.reduce((sum, term) => sum + term[i], 0));
}

/** @internal `factor` times two vectors, one behind the other. */
export function joined(factor: number, first: Float64Array, second: Float64Array): Float64Array {
  const out = new Float64Array(first.length + second.length);
  out.set(first);
  out.set(second, first.length);
  return out.map((value) => factor * value);
}
