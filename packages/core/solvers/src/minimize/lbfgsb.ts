import { type sparse, ValueError } from "@offprint/tensor-core";
import { readVector } from "@offprint/tensor-core/internal";
import { type LineFunction, wolfeSearch } from "../line-search/wolfe-search.js";
import { dot, norm } from "../linear/vector-arithmetic.js";
import { CompactHessian } from "./compact-hessian.js";
import { CauchyPoint } from "./generalized-cauchy-point.js";
import {
  type MinimizerOptions,
  type MinimizerResult,
  MinimizerState,
  type ObjectiveWithGradient,
} from "./smooth-minimizer.js";
import { SubspaceMinimum } from "./subspace-minimum.js";

/** Options of {@link lbfgsb}. */
export interface BoundedMinimizerOptions extends MinimizerOptions {
  /** Lower bounds, `[n]` or one for all; `-Infinity` where there is none (default). */
  readonly lower?: sparse.VectorLike | number;
  /** Upper bounds, `[n]` or one for all; `Infinity` where there is none (default). */
  readonly upper?: sparse.VectorLike | number;
}

/**
 * Minimises a smooth function over a box by L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995, with the projection of Morales and
 * Nocedal 2011): generalised Cauchy point, minimisation over the free variables, strong Wolfe line search. Every
 * evaluation is inside the box. The gradient norm of the test and history is that of the projected gradient,
 * `max |clip(x - g) - x|`.
 *
 * @param objective - Returns `f(x)` and writes its gradient.
 * @param initial - First iterate, `[n]`; it is moved into the box.
 * @throws ShapeError; ValueError for crossed bounds or a start that is not finite; AbortedError.
 */
export function lbfgsb(
  objective: ObjectiveWithGradient,
  initial: sparse.VectorLike,
  options: BoundedMinimizerOptions = {},
): MinimizerResult {
  const state = new MinimizerState(objective, initial, options, "lbfgsb");
  const { n, memory } = state;
  const lower = readBound(options.lower, n, Number.NEGATIVE_INFINITY, "lower");
  const upper = readBound(options.upper, n, Number.POSITIVE_INFINITY, "upper");
  for (let i = 0; i < n; i++) {
    if (!(lower[i] <= upper[i])) {
      throw new ValueError(`lbfgsb: bounds cross at ${i}: lower ${lower[i]} must not exceed upper ${upper[i]}`);
    }
    state.x[i] = Math.min(Math.max(state.x[i], lower[i]), upper[i]);
  }
  const hessian = new CompactHessian(memory, n);
  const cauchy = new CauchyPoint(n, memory);
  const subspace = new SubspaceMinimum(n, memory);
  const direction = new Float64Array(n);
  let trial: Float64Array = new Float64Array(n);
  let trialGradient: Float64Array = new Float64Array(n);
  const line: LineFunction = {
    value: 0,
    slope: 0,
    evaluate(step) {
      for (let i = 0; i < n; i++) {
        trial[i] = Math.min(Math.max(state.x[i] + step * direction[i], lower[i]), upper[i]);
      }
      line.value = state.evaluate(trial, trialGradient);
      line.slope = dot(trialGradient, direction);
      if (!Number.isFinite(line.value) || !Number.isFinite(line.slope)) line.value = Number.POSITIVE_INFINITY;
    },
  };

  state.begin();
  let gradientNorm = projectedNorm(state.x, state.gradient, lower, upper);
  state.record(0, gradientNorm);
  if (gradientNorm <= state.gradientTolerance) return state.result("converged", 0);
  for (let k = 1; k <= state.maxIterations; k++) {
    cauchy.compute(state.x, state.gradient, lower, upper, hessian);
    subspace.compute(state.x, state.gradient, lower, upper, hessian, cauchy, direction);
    for (let i = 0; i < n; i++) direction[i] -= state.x[i];
    const slope = dot(direction, state.gradient);
    const step =
      slope < 0 ? wolfeSearch(line, state.value, slope, stepLimits(state, direction, lower, upper, hessian)) : 0;
    if (step === 0) {
      if (hessian.count === 0) return state.result("stalled", k - 1);
      hessian.clear();
      state.record(k, gradientNorm);
      continue;
    }
    const before = state.value;
    hessian.update(trial, state.x, trialGradient, state.gradient);
    [state.x, trial] = [trial, state.x];
    [state.gradient, trialGradient] = [trialGradient, state.gradient];
    state.value = line.value;
    gradientNorm = projectedNorm(state.x, state.gradient, lower, upper);
    state.record(k, gradientNorm);
    if (gradientNorm <= state.gradientTolerance) return state.result("converged", k);
    if (state.smallDecrease(before)) return state.result("smallDecrease", k);
  }
  return state.result("maxIterations", state.maxIterations);
}

function stepLimits(
  state: MinimizerState,
  direction: Float64Array,
  lower: Float64Array,
  upper: Float64Array,
  hessian: CompactHessian,
) {
  let maxStep = 1e10;
  for (let i = 0; i < direction.length; i++) {
    if (direction[i] > 0) maxStep = Math.min(maxStep, (upper[i] - state.x[i]) / direction[i]);
    else if (direction[i] < 0) maxStep = Math.min(maxStep, (lower[i] - state.x[i]) / direction[i]);
  }
  // The direction ends inside the box, so a step of 1 is always allowed whatever rounding says.
  maxStep = Math.max(maxStep, 1);
  const firstStep = hessian.count === 0 ? Math.min(1, 1 / norm(direction)) : 1;
  return { firstStep, maxStep, maxEvaluations: state.maxLineSearch };
}

function readBound(
  bound: sparse.VectorLike | number | undefined,
  n: number,
  fallback: number,
  name: string,
): Float64Array {
  if (bound === undefined || typeof bound === "number") return new Float64Array(n).fill(bound ?? fallback);
  return readVector(bound, n, `lbfgsb: ${name}`);
}

function projectedNorm(x: Float64Array, gradient: Float64Array, lower: Float64Array, upper: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < x.length; i++) {
    const size = Math.abs(Math.min(Math.max(x[i] - gradient[i], lower[i]), upper[i]) - x[i]);
    if (!(size <= largest)) largest = size;
  }
  return largest;
}
