import { sparse } from "@offprint/tensor-core";
import type { ConicOptions } from "./conic-options.js";
import { type ConicResult, solveConic } from "./solve-conic.js";

/** Result of {@link hardMarginSvm}; its status is `infeasible` if no `w` separates. */
export interface HardMarginResult extends Pick<ConicResult, "status" | "iterations" | "history" | "state"> {
  /** `[d]` the shortest vector with `G w >= 1`. */
  readonly w: Float64Array;
  /** 1 / ||w||, the largest margin of a unit vector. */
  readonly margin: number;
  /** `[samples]` multipliers, nonnegative, with `w = G^T multipliers`. */
  readonly multipliers: Float64Array;
}

/**
 * The hard-margin support vector machine: minimises ||w||^2 / 2 subject to `G_i w >= 1`.
 *
 * @param G `[samples, d]`, each row a sample (or a difference of samples) times its label
 */
export async function hardMarginSvm(
  G: sparse.SparseMatrix | sparse.MatrixLike,
  options: ConicOptions = {},
): Promise<HardMarginResult> {
  const matrix = sparse.toCsc(sparse.isSparseMatrix(G) ? G : sparse.fromDense(G));
  const [samples, d] = matrix.shape;
  const result = await solveConic(
    {
      P: sparse.identity(d),
      A: matrix.withValues(matrix.values.map((value) => -value)),
      b: new Float64Array(samples).fill(-1),
      c: new Float64Array(d),
      cones: { l: samples },
    },
    options,
  );
  const { status, x, y, iterations, history, state } = result;
  let squares = 0;
  for (const value of x) squares += value * value;
  return { status, w: x, margin: 1 / Math.sqrt(squares), multipliers: y, iterations, history, state };
}
