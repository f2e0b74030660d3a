import {
  asTensor,
  checkOptions,
  div,
  matmul,
  mul,
  requireFinite,
  requireNonNegative,
  ShapeError,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  transpose,
  ValueError,
} from "@offprint/tensor-core";
import { solveRidge } from "./ridge-solve.js";

/** A ridge regression of scores on features. */
export interface ForwardMap {
  /** `[N, d]` the features of the offline table, float64. */
  readonly phi: Tensor;
  /** `[N]` standardised scores. */
  readonly y: Tensor;
  /** `[d]` w, so that a prediction is `phi w`. */
  readonly weights: Tensor;
  /** `[N]` a = (K + beta I)^-1 y, so that a prediction is `k a`. */
  readonly alpha: Tensor;
  /** The penalty in use over the mean diagonal of the kernel; larger than asked for where the factorisation failed. */
  readonly ridge: number;
}

/** Options of {@link fitForward}. */
export interface ForwardOptions {
  /** beta over the mean diagonal of the kernel, >= 0. Default 1e-6, as in the paper: almost interpolation. */
  readonly ridge?: number;
}

/**
 * The forward map: `w = Phi' (Phi Phi' + beta I)^-1 y` with beta = ridge tr(Phi Phi') / N, by the smaller of the two systems.
 * Where it can't be factorised the penalty grows by tens to 1e-2.
 * @throws ShapeError where features and scores do not fit; ValueError for numbers that are not finite; ConvergenceError where
 * no penalty helps.
 */
export function fitForward(phi: TensorLike, y: TensorLike, options: ForwardOptions = {}): ForwardMap {
  checkOptions("fitForward", options, ["ridge"]);
  const { ridge = 1e-6 } = options;
  requireNonNegative("fitForward", "ridge", ridge);
  const [features, scores] = [asTensor(phi, "float64"), asTensor(y, "float64")];
  if (features.rank !== 2 || scores.rank !== 1 || scores.size !== features.shape[0] || scores.size < 2) {
    throw new ShapeError(
      `fitForward: phi has shape [${features.shape}] and y [${scores.shape}]; give [N, d] and [N], N >= 2`,
    );
  }
  requireFinite("fitForward", "phi", features);
  requireFinite("fitForward", "y", scores);
  const [n, d] = features.shape;
  const turned = transpose(features);
  const scale = sum(square(features)).item() / n;
  if (!(scale > 0)) throw new ValueError("fitForward: all features are zero; give a model that tells sequences apart");
  const penalty = { ridge, scale };
  if (n <= d) {
    const { solution, ridge: used } = solveRidge("fitForward", matmul(features, turned), scores, penalty);
    return { phi: features, y: scores, weights: matmul(turned, solution), alpha: solution, ridge: used };
  }
  const { solution, ridge: used } = solveRidge("fitForward", matmul(turned, features), matmul(turned, scores), penalty);
  // K a + beta a = y, and K a = Phi w.
  const left = sub(scores, matmul(features, solution));
  const alpha = used === 0 ? mul(left, 0) : div(left, used * scale);
  return { phi: features, y: scores, weights: solution, alpha, ridge: used };
}
