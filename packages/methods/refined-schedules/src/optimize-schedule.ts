import { solvers } from "@offprint/tensor-core";
import { readNorms, requireDistance } from "./argument-checks.js";
import { evaluateBound } from "./last-iterate-bound.js";

/** Options of `optimizeSchedule`. */
export interface OptimizeOptions extends solvers.IterationOptions {
  /** Most iterations of L-BFGS-B. Default 5000. */
  maxIterations?: number;
  /** Converged when the largest projected derivative, in the units where `D` and the root mean square of `G` are 1, is at most this. Default 1e-9. */
  tolerance?: number;
}

/** Step sizes that minimise the bound. */
export interface OptimizedSchedule {
  /** Absolute, `[T]`, > 0. The last one does not move `x_T`: leave it out of plots. */
  readonly stepSizes: Float64Array;
  /** `stepSizes` over the largest of them but the last, `[T]`. */
  readonly multipliers: Float64Array;
  /** `B` at these step sizes. */
  readonly bound: number;
  /** Iterations made. */
  readonly iterations: number;
  /** How the minimisation ended; `"smallDecrease"` and `"stalled"` are at the limit of rounding. */
  readonly status: solvers.MinimizerStatus;
}

/** Least step size, in units of D over the root mean square of G: absolute, it would bind for large norms. */
const LEAST = 1e-8;

/**
 * The numerical refinement (part F): the step sizes that minimise `lastIterateBound`, by L-BFGS-B with memory 20 from
 * `D / (G sqrt T)`.
 *
 * @param norms - `G_t >= 0`, not all 0, `[T]`.
 * @param distance - `D > 0`.
 * @throws ValueError; AbortedError.
 */
export function optimizeSchedule(
  norms: ArrayLike<number>,
  distance: number,
  options: OptimizeOptions = {},
): OptimizedSchedule {
  const { maxIterations = 5000, tolerance = 1e-9, ...iteration } = options;
  const g = readNorms("optimizeSchedule", norms);
  requireDistance("optimizeSchedule", distance);
  const steps = g.length;
  const typical = Math.sqrt(g.reduce((sum, value) => sum + value * value, 0) / steps) || 1;
  // B(c eta; G / sqrt c, sqrt c D) = B(eta; G, D) and B(eta; c G, c D) = c^2 B: minimised where D = 1 and G is about 1.
  const unit = distance / typical;
  const relative = g.map((value) => value / typical);
  const { x, objective, iterations, status } = solvers.lbfgsb(
    (eta, gradient) => evaluateBound(eta, relative, 1, gradient),
    new Float64Array(steps).fill(1 / Math.sqrt(steps)),
    {
      ...iteration,
      maxIterations,
      memory: 20,
      lower: LEAST,
      gradientTolerance: tolerance,
      decreaseTolerance: 1e-15,
    },
  );
  const stepSizes = x.map((eta) => eta * unit);
  const peak = (steps > 1 ? stepSizes.subarray(0, -1) : stepSizes).reduce((a, b) => Math.max(a, b));
  const multipliers = stepSizes.map((eta) => eta / peak);
  return { stepSizes, multipliers, bound: objective * distance * typical, iterations, status };
}
