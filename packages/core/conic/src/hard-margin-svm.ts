import { sparse } from "@offprint/tensor-core";
import { type ConicOptions, type ConicStatus, solveConic } from "./solve-conic.js";

/** Result of {@link hardMarginSvm}. */
export interface HardMarginResult {
  /** `solved`; `infeasible` if no `w` separates; `inaccurate` if out of iterations. */
  readonly status: ConicStatus;
  /** `[d]` the shortest vector with `G w >= 1`. */
  readonly w: Float64Array;
  /** 1 / ||w||, the largest margin of a unit vector. */
  readonly margin: number;
  /** `[samples]` multipliers, nonnegative, with `w = G^T multipliers`. */
  readonly multipliers: Float64Array;
  /** Iterations of the solver. */
  readonly iterations: number;
}

/**
 * The hard-margin support vector machine: minimises ||w||^2 / 2 subject to `G_i w >= 1`.
 *
 * @param G `[samples, d]`, each row a sample (or a difference of samples) times its label
 */
export function hardMarginSvm(
  G: sparse.SparseMatrix | sparse.MatrixLike,
  options: ConicOptions = {},
): HardMarginResult {
  const matrix = sparse.toCsc(sparse.isSparseMatrix(G) ? G : sparse.fromDense(G));
  const [samples, d] = matrix.shape;
  const result = solveConic(
    {
      P: sparse.identity(d),
      A: matrix.withValues(matrix.values.map((value) => -value)),
      b: new Float64Array(samples).fill(-1),
      c: new Float64Array(d),
      cones: { l: samples },
    },
    options,
  );
  const { status, x, y, iterations } = result;
  return { status, w: x, margin: 1 / Math.hypot(...x), multipliers: y, iterations };
}
