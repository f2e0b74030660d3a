import { ValueError } from "@offprint/tensor-core";
import { type ScalarOptions, scalarSettings } from "../root/scalar-root.js";

/** Result of {@link brentMinimize}. */
export interface ScalarMinimumResult {
  /** Approximate minimiser. */
  readonly x: number;
  /** `f(x)`. */
  readonly objective: number;
  /** Why the solver stopped. */
  readonly status: "converged" | "limit";
  /** Iterations done. */
  readonly iterations: number;
}

const GOLDEN = (3 - Math.sqrt(5)) / 2;

/**
 * A local minimum of `f` between `low` and `high` by Brent's method: parabolic interpolation and golden sections
 * (Brent 1973, ch. 5). `tolerance` defaults to 1e-10; below about 1e-8 times the size of `x` rounding of `f` decides.
 *
 * @throws ValueError unless `low < high` are finite, or if `f` gives NaN or -Infinity.
 */
export function brentMinimize(
  f: (x: number) => number,
  low: number,
  high: number,
  options: ScalarOptions = {},
): ScalarMinimumResult {
  const { tolerance, maxIterations } = scalarSettings("brentMinimize", options, 1e-10);
  if (!(low < high && Number.isFinite(low) && Number.isFinite(high))) {
    throw new ValueError(`brentMinimize: the interval [${low}, ${high}] must be finite and increasing`);
  }
  const evaluate = (at: number): number => {
    const value = f(at);
    if (value > Number.NEGATIVE_INFINITY) return value;
    throw new ValueError(`brentMinimize: f(${at}) is ${value}; give an interval in which f is bounded below`);
  };
  let [left, right] = [low, high];
  // The best point, the second best, and the one that was second best before.
  let x = left + GOLDEN * (right - left);
  let [second, third] = [x, x];
  let best = evaluate(x);
  let [atSecond, atThird] = [best, best];
  let step = 0;
  let stepBefore = 0;
  for (let k = 0; k < maxIterations; k++) {
    const middle = (left + right) / 2;
    const resolution = 1.5e-8 * Math.abs(x) * Math.min(1, tolerance / 1e-10) + tolerance;
    if (Math.abs(x - middle) <= 2 * resolution - (right - left) / 2) {
      return { x, objective: best, status: "converged", iterations: k };
    }
    const parabolic = parabolaStep(x, second, third, best, atSecond, atThird);
    const inside = parabolic > left - x && parabolic < right - x;
    if (Math.abs(stepBefore) > resolution && inside && Math.abs(parabolic) < Math.abs(stepBefore) / 2) {
      stepBefore = step;
      step = parabolic;
      const at = x + step;
      if (at - left < 2 * resolution || right - at < 2 * resolution) step = x < middle ? resolution : -resolution;
    } else {
      stepBefore = x < middle ? right - x : left - x;
      step = GOLDEN * stepBefore;
    }
    const at = x + (Math.abs(step) >= resolution ? step : step > 0 ? resolution : -resolution);
    const value = evaluate(at);
    if (value <= best) {
      if (at < x) right = x;
      else left = x;
      [third, atThird, second, atSecond, x, best] = [second, atSecond, x, best, at, value];
      continue;
    }
    if (at < x) left = at;
    else right = at;
    if (value <= atSecond || second === x) {
      [third, atThird, second, atSecond] = [second, atSecond, at, value];
    } else if (value <= atThird || third === x || third === second) {
      [third, atThird] = [at, value];
    }
  }
  return { x, objective: best, status: "limit", iterations: maxIterations };
}

/** Step from `x` to the vertex of the parabola through three points; `NaN` if they do not make one. */
function parabolaStep(x: number, v: number, w: number, atX: number, atV: number, atW: number): number {
  const r = (x - v) * (atX - atW);
  const q = (x - w) * (atX - atV);
  const numerator = (x - w) * q - (x - v) * r;
  const denominator = 2 * (q - r);
  return denominator === 0 ? Number.NaN : -numerator / denominator;
}
