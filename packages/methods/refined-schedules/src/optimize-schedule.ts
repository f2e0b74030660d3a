import {
  type MinimizerRecord,
  type MinimizerState,
  type MinimizerStatus,
  minimizeLbfgs,
  type RunOptions,
  runOptionNames,
} from "@offprint/solvers";
import { checkOptions, requireNonNegative, ValueError } from "@offprint/tensor-core";
import { readNorms, requireDistance } from "./argument-checks.js";
import { evaluateBound } from "./last-iterate-bound.js";

/** Options of `optimizeSchedule`. */
export interface OptimizeOptions extends RunOptions<MinimizerRecord, MinimizerState> {
  /** Most iterations of L-BFGS. Default 5000. */
  maxIterations?: number;
  /**
   * Converged when no derivative of `B` by the logarithm of a step size is larger, in the units where `D` and the root mean
   * square of `G` are 1. Default 1e-11.
   */
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
  /** How the minimisation ended; `"inaccurate"` is at the limit of rounding. */
  readonly status: MinimizerStatus;
  /** The record of every iteration, `B` in the units where `D` and the root mean square of `G` are 1. */
  readonly history: readonly MinimizerRecord[];
  /** What `resume` goes on from. */
  readonly state: MinimizerState;
}

/**
 * The numerical refinement (part F): the step sizes that minimise `lastIterateBound`, by L-BFGS with memory 20 from
 * `D / (G sqrt T)`.
 *
 * It works on the logarithms of the step sizes, which keeps them positive without bounds: from the same start that takes a
 * tenth of the iterations of L-BFGS-B on the step sizes themselves, and less for long runs.
 *
 * @param norms - `G_t >= 0`, not all 0, `[T]`.
 * @param distance - `D > 0`.
 * @throws ValueError.
 */
export async function optimizeSchedule(
  norms: ArrayLike<number>,
  distance: number,
  options: OptimizeOptions = {},
): Promise<OptimizedSchedule> {
  checkOptions("optimizeSchedule", options, ["maxIterations", "tolerance", ...runOptionNames]);
  const { maxIterations = 5000, tolerance = 1e-11, ...run } = options;
  requireNonNegative("optimizeSchedule", "tolerance", tolerance);
  const g = readNorms("optimizeSchedule", norms);
  requireDistance("optimizeSchedule", distance);
  const steps = g.length;
  const typical = Math.sqrt(g.reduce((sum, value) => sum + value * value, 0) / steps);
  if (typical === 0)
    throw new ValueError("optimizeSchedule: all gradient norms are 0; no step size would be too large");
  // B(c eta; G / sqrt c, sqrt c D) = B(eta; G, D) and B(eta; c G, c D) = c^2 B: minimised where D = 1 and G is about 1.
  const unit = distance / typical;
  const relative = g.map((value) => value / typical);
  const eta = new Float64Array(steps);
  const { x, objective, iterations, status, history, state } = await minimizeLbfgs(
    (logarithms, gradient) => {
      for (let t = 0; t < steps; t++) eta[t] = Math.exp(logarithms[t]);
      const value = evaluateBound(eta, relative, 1, gradient);
      for (let t = 0; t < steps; t++) gradient[t] *= eta[t];
      return value;
    },
    new Float64Array(steps).fill(-Math.log(steps) / 2),
    { ...run, maxIterations, memory: 20, gradientTolerance: tolerance, decreaseTolerance: 1e-15 },
  );
  const stepSizes = x.map((logarithm) => Math.exp(logarithm) * unit);
  const peak = (steps > 1 ? stepSizes.subarray(0, -1) : stepSizes).reduce((a, b) => Math.max(a, b));
  const multipliers = stepSizes.map((step) => step / peak);
  return { stepSizes, multipliers, bound: objective * distance * typical, iterations, status, history, state };
}
