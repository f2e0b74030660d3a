import {
  checkOptions,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requirePositive,
  ValueError,
} from "@offprint/tensor-core";
import type { GrowthTerm } from "./lagrangian.js";

/** What a recursion starts from. */
interface Common {
  /** eta, one for all iterations or one for each. */
  readonly stepSize: number | readonly number[];
  /** Barron norm at the start. Default 0. */
  readonly initial?: number;
}

/** From the composition assumption alone, as in the paper: `b + eta ((1 + d / 2) B_L max(1, b)^p + |f|)`. */
export interface GeneralRecursion extends Common {
  /** d. */
  readonly dimension: number;
  /** B_L. */
  readonly composition: number;
  /** p. */
  readonly degree: number;
  /** Barron norm of f. */
  readonly f: number;
}

/** With the linear part exact: `|1 - eta| b + eta (growth(b) + |f|)`. */
export interface SplitRecursion extends Common {
  /** What bounds the rest, by `Lagrangian.growth`. */
  readonly growth: readonly GrowthTerm[];
  /** Barron norm of f. */
  readonly f: number;
}

/** For `u - Laplacian u + beta u^3 = f`, through the Wiener norm, which small data keep bounded for ever. */
export interface RefinedRecursion extends Common {
  /** beta >= 0. */
  readonly beta: number;
  /** Wiener norm at the start. Default 0. */
  readonly initialWiener?: number;
  /** Wiener norm of G f. */
  readonly wienerF: number;
  /** Barron norm of G f. */
  readonly barronF: number;
}

/** `max_x (1 + x) / (1 + x^2)`: G makes the Barron norm of a Wiener function. */
export const smoothing = (1 + Math.SQRT2) / 2;

const common = ["stepSize", "initial"] as const;
const known = {
  general: [...common, "dimension", "composition", "degree", "f"],
  split: [...common, "growth", "f"],
  refined: [...common, "beta", "initialWiener", "wienerF", "barronF"],
} as const;

/**
 * Bounds of the Barron norm along a descent, as logarithms: they grow double exponentially.
 *
 * @param iterations T
 * @returns `[T + 1]` decimal logarithms, that of the start first; -Infinity is the bound 0
 * @throws ValueError for what is out of range
 */
export function barronRecursion(kind: "general", facts: GeneralRecursion, iterations: number): Float64Array;
export function barronRecursion(kind: "split", facts: SplitRecursion, iterations: number): Float64Array;
export function barronRecursion(kind: "refined", facts: RefinedRecursion, iterations: number): Float64Array;
export function barronRecursion(
  kind: "general" | "split" | "refined",
  facts: GeneralRecursion | SplitRecursion | RefinedRecursion,
  iterations: number,
): Float64Array {
  const owner = "barronRecursion";
  requireChoice(owner, "kind", kind, ["general", "split", "refined"]);
  checkOptions(owner, facts, known[kind]);
  requireInteger(owner, "iterations", iterations, 0);
  const { stepSize, initial = 0 } = facts;
  const steps = typeof stepSize === "number" ? new Array<number>(iterations).fill(stepSize) : stepSize;
  if (steps.length < iterations) {
    throw new ValueError(
      `${owner}: stepSize has ${steps.length} steps for ${iterations} iterations; give one for each`,
    );
  }
  for (const eta of steps) requirePositive(owner, "stepSize", eta);
  requireNonNegative(owner, "initial", initial);
  const next = advance(owner, kind, facts);
  const all = new Float64Array(iterations + 1);
  let b = Math.log(initial);
  all[0] = b;
  for (let t = 0; t < iterations; t++) {
    b = next(b, Math.log(steps[t]), Math.log(Math.abs(1 - steps[t])));
    all[t + 1] = b;
  }
  return all.map((each) => each / Math.LN10);
}

/** The step of a recursion, from natural logarithms to natural logarithms. */
function advance(
  owner: string,
  kind: "general" | "split" | "refined",
  facts: GeneralRecursion | SplitRecursion | RefinedRecursion,
): (b: number, eta: number, rest: number) => number {
  if (kind === "general") {
    const { dimension, composition, degree, f } = facts as GeneralRecursion;
    requireInteger(owner, "dimension", dimension, 1);
    requireNonNegative(owner, "composition", composition);
    requirePositive(owner, "degree", degree);
    requireNonNegative(owner, "f", f);
    const factor = Math.log((1 + dimension / 2) * composition);
    return (b, eta) => logSum(b, eta + logSum(factor + degree * Math.max(0, b), Math.log(f)));
  }
  if (kind === "split") {
    const { growth, f } = facts as SplitRecursion;
    requireNonNegative(owner, "f", f);
    for (const { coefficient } of growth) requireNonNegative(owner, "growth[].coefficient", coefficient);
    const terms = growth.filter(({ coefficient }) => coefficient > 0);
    return (b, eta, rest) => {
      const grown = terms.map(({ coefficient, power }) => Math.log(coefficient) + power * b);
      return logSum(rest + b, eta + logSum(...grown, Math.log(f)));
    };
  }
  const { beta, initialWiener = 0, wienerF, barronF } = facts as RefinedRecursion;
  requireNonNegative(owner, "beta", beta);
  requireNonNegative(owner, "initialWiener", initialWiener);
  requireNonNegative(owner, "wienerF", wienerF);
  requireNonNegative(owner, "barronF", barronF);
  let s = Math.log(initialWiener);
  return (b, eta, rest) => {
    const cubed = Math.log(beta) + 3 * s;
    const bound = logSum(rest + b, eta + logSum(Math.log(smoothing) + cubed, Math.log(barronF)));
    s = logSum(rest + s, eta + logSum(cubed, Math.log(wienerF)));
    return bound;
  };
}

/** `log(sum exp)`; -Infinity is 0. */
function logSum(...logs: number[]): number {
  const largest = Math.max(...logs);
  if (largest === Number.NEGATIVE_INFINITY || largest === Number.POSITIVE_INFINITY) return largest;
  return largest + Math.log(logs.reduce((sum, each) => sum + Math.exp(each - largest), 0));
}

/**
 * The general recursion in closed form, as a decimal logarithm: with p = 1
 * `(1 + eta (1 + d / 2) B_L)^T (max(1, b_0) + T eta |f|)`, else `C^((p^T - 1) / (p - 1))` with
 * `C = 1 + eta ((1 + d / 2) B_L + |f|)`, for b_0 at most 1.
 */
export function barronClosedForm(facts: GeneralRecursion & { readonly stepSize: number }, iterations: number): number {
  const owner = "barronClosedForm";
  checkOptions(owner, facts, known.general);
  requireInteger(owner, "iterations", iterations, 0);
  const { stepSize, dimension, composition, degree, f, initial = 0 } = facts;
  requirePositive(owner, "stepSize", stepSize);
  const factor = (1 + dimension / 2) * composition;
  if (degree === 1) {
    const start = Math.max(1, initial) + iterations * stepSize * f;
    return iterations * Math.log10(1 + stepSize * factor) + Math.log10(start);
  }
  if (initial > 1) throw new ValueError(`${owner}: initial is ${initial}; the closed form needs at most 1`);
  return ((degree ** iterations - 1) / (degree - 1)) * Math.log10(1 + stepSize * (factor + f));
}

/**
 * Iterations that bring an error from `initialError` to `tolerance` with the automatic step.
 *
 * @param curvature lambda and Lambda
 */
export function iterationsFor(
  initialError: number,
  tolerance: number,
  curvature: { readonly convexity: number; readonly smoothness: number },
): number {
  const owner = "iterationsFor";
  requireNonNegative(owner, "initialError", initialError);
  requirePositive(owner, "tolerance", tolerance);
  requirePositive(owner, "convexity", curvature.convexity);
  const { convexity, smoothness } = curvature;
  if (!(smoothness >= convexity)) {
    throw new ValueError(`${owner}: smoothness is ${smoothness}; it must be at least convexity, ${convexity}`);
  }
  if (initialError <= tolerance) return 0;
  if (smoothness === convexity) return 1;
  return Math.ceil(Math.log(initialError / tolerance) / Math.log((smoothness + convexity) / (smoothness - convexity)));
}

/** Neurons that bring the root of a mean squared error `constant / n` to `tolerance`. */
export function widthFor(tolerance: number, constant: number): number {
  requirePositive("widthFor", "tolerance", tolerance);
  requireNonNegative("widthFor", "constant", constant);
  return Math.max(1, Math.ceil(constant / tolerance ** 2));
}
