import type { sparse } from "@offprint/tensor-core";
import { type LineFunction, wolfeSearch } from "../line-search/wolfe-search.js";
import { addScaled, dot, maxNorm, norm } from "../linear/vector-arithmetic.js";
import {
  type MinimizerOptions,
  type MinimizerResult,
  MinimizerState,
  type ObjectiveWithGradient,
} from "./smooth-minimizer.js";

/** The last pairs of steps and gradient changes, and the inverse Hessian approximation they make. */
class InverseHessian {
  private readonly steps: Float64Array[];
  private readonly changes: Float64Array[];
  private readonly rho: Float64Array;
  private readonly alpha: Float64Array;
  private readonly memory: number;
  private count = 0;
  private newest = -1;
  private scale = 1;

  constructor(memory: number, n: number) {
    this.memory = memory;
    this.steps = Array.from({ length: memory }, () => new Float64Array(n));
    this.changes = Array.from({ length: memory }, () => new Float64Array(n));
    this.rho = new Float64Array(memory);
    this.alpha = new Float64Array(memory);
  }

  /** Remembers `s = x_new - x_old` and `y = g_new - g_old` if they show positive curvature. */
  update(newX: Float64Array, oldX: Float64Array, newGradient: Float64Array, oldGradient: Float64Array): void {
    const slot = (this.newest + 1) % this.memory;
    const s = this.steps[slot];
    const y = this.changes[slot];
    for (let i = 0; i < s.length; i++) {
      s[i] = newX[i] - oldX[i];
      y[i] = newGradient[i] - oldGradient[i];
    }
    const curvature = dot(s, y);
    const square = dot(y, y);
    if (!(curvature > 2.2e-16 * square)) {
      // A full memory has just lost its oldest pair to the rejected one.
      if (this.count === this.memory) this.count--;
      return;
    }
    this.rho[slot] = 1 / curvature;
    this.scale = curvature / square;
    this.newest = slot;
    this.count = Math.min(this.count + 1, this.memory);
  }

  /** Forgets everything; the next direction is steepest descent. */
  clear(): void {
    this.count = 0;
    this.newest = -1;
    this.scale = 1;
  }

  get empty(): boolean {
    return this.count === 0;
  }

  /** `q = -H q` by the two-loop recursion (Nocedal 1980). */
  applyNegative(q: Float64Array): void {
    for (let k = 0; k < this.count; k++) {
      const slot = (this.newest - k + this.memory) % this.memory;
      this.alpha[slot] = this.rho[slot] * dot(this.steps[slot], q);
      addScaled(q, -this.alpha[slot], this.changes[slot]);
    }
    for (let i = 0; i < q.length; i++) q[i] *= this.scale;
    for (let k = this.count - 1; k >= 0; k--) {
      const slot = (this.newest - k + this.memory) % this.memory;
      const beta = this.rho[slot] * dot(this.changes[slot], q);
      addScaled(q, this.alpha[slot] - beta, this.steps[slot]);
    }
    for (let i = 0; i < q.length; i++) q[i] = -q[i];
  }
}

/**
 * Minimises a smooth function by L-BFGS (Liu and Nocedal 1989) with a strong Wolfe line search.
 *
 * @param objective - Returns `f(x)` and writes its gradient; values that are not finite inside a line search are
 * stepped back from.
 * @param initial - First iterate, `[n]`; `f` must be finite there.
 * @throws ShapeError; ValueError for a start that is not finite; AbortedError.
 */
export function lbfgs(
  objective: ObjectiveWithGradient,
  initial: sparse.VectorLike,
  options: MinimizerOptions = {},
): MinimizerResult {
  const state = new MinimizerState(objective, initial, options, "lbfgs");
  const hessian = new InverseHessian(state.memory, state.n);
  const direction = new Float64Array(state.n);
  let trial: Float64Array = new Float64Array(state.n);
  let trialGradient: Float64Array = new Float64Array(state.n);
  const line: LineFunction = {
    value: 0,
    slope: 0,
    evaluate(step) {
      for (let i = 0; i < trial.length; i++) trial[i] = state.x[i] + step * direction[i];
      line.value = state.evaluate(trial, trialGradient);
      line.slope = dot(trialGradient, direction);
      if (!Number.isFinite(line.value) || !Number.isFinite(line.slope)) line.value = Number.POSITIVE_INFINITY;
    },
  };

  state.begin();
  state.record(0, maxNorm(state.gradient));
  if (maxNorm(state.gradient) <= state.gradientTolerance) return state.result("converged", 0);
  for (let k = 1; k <= state.maxIterations; k++) {
    direction.set(state.gradient);
    hessian.applyNegative(direction);
    let slope = dot(direction, state.gradient);
    if (!(slope < 0)) {
      hessian.clear();
      for (let i = 0; i < state.n; i++) direction[i] = -state.gradient[i];
      slope = -dot(state.gradient, state.gradient);
    }
    const firstStep = hessian.empty ? Math.min(1, 1 / norm(state.gradient)) : 1;
    const step = wolfeSearch(line, state.value, slope, { firstStep, maxEvaluations: state.maxLineSearch });
    if (step === 0) {
      if (hessian.empty) return state.result("stalled", k - 1);
      // The remembered curvature may be what misleads: one more try from steepest descent.
      hessian.clear();
      state.record(k, maxNorm(state.gradient));
      continue;
    }
    const before = state.value;
    hessian.update(trial, state.x, trialGradient, state.gradient);
    [state.x, trial] = [trial, state.x];
    [state.gradient, trialGradient] = [trialGradient, state.gradient];
    state.value = line.value;
    const gradientNorm = maxNorm(state.gradient);
    state.record(k, gradientNorm);
    if (gradientNorm <= state.gradientTolerance) return state.result("converged", k);
    if (state.smallDecrease(before)) return state.result("smallDecrease", k);
  }
  return state.result("maxIterations", state.maxIterations);
}
