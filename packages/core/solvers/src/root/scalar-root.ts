import { checkOptions, requireFunction, requireInteger, requireNonNegative, ValueError } from "@offprint/tensor-core";

/** Options of the scalar solvers. */
export interface ScalarOptions {
  /** Absolute accuracy in `x` (default 1e-14), besides a few units in the last place of `x`. */
  readonly tolerance?: number;
  /** Most iterations (default 200). */
  readonly maxIterations?: number;
}

/** Result of {@link bisection} and {@link brentRoot}. */
export interface ScalarRootResult {
  /** Approximate root. */
  readonly x: number;
  /** `f(x)`. */
  readonly value: number;
  /** Why the solver stopped. */
  readonly status: "converged" | "limit";
  /** Iterations done. */
  readonly iterations: number;
}

const EPSILON = 2 ** -52;

/** @internal The options of a scalar solver, checked. @throws ValueError */
export function scalarSettings(owner: string, options: ScalarOptions, fallback: number): Required<ScalarOptions> {
  checkOptions(owner, options, ["tolerance", "maxIterations"]);
  const { tolerance = fallback, maxIterations = 200 } = options;
  requireNonNegative(owner, "tolerance", tolerance);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  return { tolerance, maxIterations };
}

function checkedValue(f: (x: number) => number, x: number, solver: string): number {
  const value = f(x);
  if (Number.isNaN(value)) throw new ValueError(`${solver}: f(${x}) is NaN`);
  return value;
}

function checkBracket(solver: string, low: number, high: number, atLow: number, atHigh: number): void {
  if (!(Number.isFinite(low) && Number.isFinite(high))) {
    throw new ValueError(`${solver}: the bracket [${low}, ${high}] must be finite`);
  }
  if (Math.sign(atLow) * Math.sign(atHigh) > 0) {
    throw new ValueError(
      `${solver}: f has the same sign at both ends of [${low}, ${high}] (${atLow} and ${atHigh}): widen the bracket`,
    );
  }
}

/** Of an interval, also of one whose length is too large for a number. */
const middleOf = (left: number, right: number) => left + halfOf(left, right);

/** Half the way from one end to the other. */
const halfOf = (from: number, to: number) => (Number.isFinite(to - from) ? (to - from) / 2 : to / 2 - from / 2);

/**
 * A root of `f` between `low` and `high`, where its signs differ, by halving the bracket.
 * @throws ValueError if the signs are equal, an end is not finite, or `f` gives NaN.
 */
export function bisection(
  f: (x: number) => number,
  low: number,
  high: number,
  options: ScalarOptions = {},
): ScalarRootResult {
  requireFunction("bisection", "f", f);
  const { tolerance, maxIterations } = scalarSettings("bisection", options, 1e-14);
  const atLow = checkedValue(f, low, "bisection");
  const atHigh = checkedValue(f, high, "bisection");
  checkBracket("bisection", low, high, atLow, atHigh);
  if (atLow === 0) return { x: low, value: 0, status: "converged", iterations: 0 };
  if (atHigh === 0) return { x: high, value: 0, status: "converged", iterations: 0 };
  let [left, right, value] = [low, high, atLow];
  let x = left;
  for (let k = 1; k <= maxIterations; k++) {
    x = middleOf(left, right);
    value = checkedValue(f, x, "bisection");
    if (value === 0) return { x, value, status: "converged", iterations: k };
    if (value > 0 === atLow > 0) left = x;
    else right = x;
    if (Math.abs(right - left) <= 2 * (tolerance + EPSILON * Math.abs(x))) {
      return { x, value, status: "converged", iterations: k };
    }
  }
  return { x, value, status: "limit", iterations: maxIterations };
}

/**
 * A root of `f` between `low` and `high`, where its signs differ, by Brent's method: inverse quadratic interpolation and
 * secant steps, held in a bracket by bisection (Brent 1973, ch. 4).
 *
 * @throws ValueError if the signs are equal, an end is not finite, or `f` gives NaN.
 */
export function brentRoot(
  f: (x: number) => number,
  low: number,
  high: number,
  options: ScalarOptions = {},
): ScalarRootResult {
  requireFunction("brentRoot", "f", f);
  const { tolerance, maxIterations } = scalarSettings("brentRoot", options, 1e-14);
  // `best` has the smallest value so far, `other` the opposite sign; `last` is the best point before.
  let [last, best] = [low, high];
  let [atLast, atBest] = [checkedValue(f, low, "brentRoot"), checkedValue(f, high, "brentRoot")];
  checkBracket("brentRoot", low, high, atLast, atBest);
  let [other, atOther] = [last, atLast];
  let step = best - last;
  let stepBefore = step;
  for (let k = 0; k <= maxIterations; k++) {
    if (atBest > 0 === atOther > 0 && atBest !== 0) {
      [other, atOther] = [last, atLast];
      step = best - last;
      stepBefore = step;
    }
    if (Math.abs(atOther) < Math.abs(atBest)) {
      [last, best, other] = [best, other, best];
      [atLast, atBest, atOther] = [atBest, atOther, atBest];
    }
    const resolution = 2 * EPSILON * Math.abs(best) + tolerance / 2;
    const half = halfOf(best, other);
    if (Math.abs(half) <= resolution || atBest === 0) {
      return { x: best, value: atBest, status: "converged", iterations: k };
    }
    const proposed = interpolate(last, best, other, atLast, atBest, atOther);
    const limit = Math.min(1.5 * half * Math.sign(half) - resolution, Math.abs(stepBefore) / 2);
    if (
      Math.abs(stepBefore) >= resolution &&
      Math.abs(atLast) > Math.abs(atBest) &&
      proposed * half > 0 &&
      Math.abs(proposed) < limit
    ) {
      stepBefore = step;
      step = proposed;
    } else {
      step = half;
      stepBefore = half;
    }
    [last, atLast] = [best, atBest];
    best += Math.abs(step) > resolution ? step : Math.sign(half) * resolution;
    atBest = checkedValue(f, best, "brentRoot");
  }
  return { x: best, value: atBest, status: "limit", iterations: maxIterations };
}

/** Step from `best` to the root of the inverse quadratic through three points, or of the secant through two. */
function interpolate(
  last: number,
  best: number,
  other: number,
  atLast: number,
  atBest: number,
  atOther: number,
): number {
  const s = atBest / atLast;
  if (last === other) return ((last - best) * s) / (s - 1);
  const q = atLast / atOther;
  const r = atBest / atOther;
  const numerator = s * ((other - best) * q * (q - r) - (best - last) * (r - 1));
  return -numerator / ((q - 1) * (r - 1) * (s - 1));
}
