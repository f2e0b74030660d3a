import { checkOptions, requireNonNegative, requirePositive, ValueError } from "@offprint/tensor-core";
import { readNorms, requirePositiveNorms } from "./argument-checks.js";
import { cleanNorms, type NormCleaning } from "./gradient-norms.js";
import { medianFilter } from "./median-filter.js";
import { median } from "./suffix-sums.js";
import { weightedStepSizes } from "./weighted-sgd.js";

/** Options of `refineSchedule`. */
export interface RefineOptions extends NormCleaning {
  /**
   * Which norm was recorded: Euclidean for SGD, the sum of absolute values for coordinate-wise optimizers such as Adam.
   * Default `"l2"`.
   */
  norm?: "l1" | "l2";
  /** Exponent > 0: weights are `G^-power`. Default 2 for `"l2"`, 1 for `"l1"`. */
  power?: number;
  /** `tau` in [0, 1]: width of the running median as a part of the run. Default 0.1. */
  tau?: number;
  /** Smoothed norms are at least this part of their median, >= 0. Default 0, for which a zero norm is an error. */
  floor?: number;
}

/** A schedule computed from the gradient norms of an earlier run. */
export interface RefinedSchedule {
  /** Factors of the peak learning rate, `[T]`, in [0, 1]; the largest is 1 and the last 0. */
  readonly multipliers: Float64Array;
  /** Norms after the running median, `[T]`. */
  readonly smoothed: Float64Array;
  /** `w_t = smoothed_t^-power`, `[T]`. */
  readonly weights: Float64Array;
  /** Step of the peak, from 0. */
  readonly peakIndex: number;
  /** Guarantee of weighted SGD with these weights at their best scale, for `D = 1`. */
  readonly bound: number;
  /** The same for linear decay, whose weights are equal. */
  readonly linearBound: number;
  /**
   * Where to begin tuning the peak learning rate, as a factor on the peak of the linear-decay run: the ratio of the two
   * theoretical peaks for `"l2"` (part H), 1 for `"l1"`.
   */
  readonly learningRateRatio: number;
  /** What a user should know before relying on the schedule, a sentence each. */
  readonly warnings: readonly string[];
}

const names = ["norm", "power", "tau", "floor", "length", "dropNonFinite", "dropEdge"];

/** From here on the weights put nearly the whole budget on a few steps. */
const EXTREME = 1e4;
/** Beside the weight that this part of the steps stay below: where norms collapse early, the median has collapsed too. */
const ORDINARY = 0.1;

/** `2 floor(floor(tau T) / 2) + 1`, which is odd. */
export function filterWidth(tau: number, steps: number): number {
  return 2 * Math.floor(Math.floor(tau * steps) / 2) + 1;
}

/** Least guarantee over all scales `c w` of some weights, for `D = 1`: `sqrt(sum w^2 G^2) / sum w`. */
function scaledBound(weights: Float64Array, norms: Float64Array): { bound: number; scale: number } {
  let [squares, sum] = [0, 0];
  for (let t = 0; t < weights.length; t++) {
    squares += (weights[t] * norms[t]) ** 2;
    sum += weights[t];
  }
  return { bound: Math.sqrt(squares) / sum, scale: 1 / Math.sqrt(squares) };
}

function warningsOf(weights: Float64Array): string[] {
  if (weights.length === 1) return ["a run of one step has no schedule; its only multiplier is 1"];
  const ascending = weights.slice().sort();
  const spread = ascending[ascending.length - 1] / ascending[Math.floor(ORDINARY * (ascending.length - 1))];
  if (spread <= EXTREME) return [];
  return [
    `the largest weight is ${spread.toExponential(1)} times that of a tenth of the steps, so that a few get nearly the whole budget: ` +
      "the gradients vanish, as where a model interpolates its data, and refinement is of no use there",
  ];
}

/**
 * The refined schedule (parts D and E): a running median over the norms of an earlier run, weights `w_t = G_t^-power`, and
 * multipliers `w_t (w_{t+1} + ... + w_T)` over their largest. Warm-up and fast annealing appear where the norms call for
 * them. The peak learning rate has to be tuned for it anew.
 *
 * @param gradientNorms - Norms of the raw mini-batch gradients of a whole run, in order, `[S]`; before momentum, clipping
 * and weight decay.
 * @throws ValueError for no norms, norms that are negative, not finite, or 0 without a floor, and options out of range.
 * @see https://arxiv.org/abs/2310.07831
 */
export function refineSchedule(gradientNorms: ArrayLike<number>, options: RefineOptions = {}): RefinedSchedule {
  checkOptions("refineSchedule", options, names);
  const { norm = "l2", power = norm === "l1" ? 1 : 2, tau = 0.1, floor = 0 } = options;
  if (!(tau >= 0 && tau <= 1)) throw new ValueError(`refineSchedule: tau is ${tau}; it must be in [0, 1]`);
  if (norm !== "l1" && norm !== "l2") throw new ValueError(`refineSchedule: norm is "${norm}"; it must be l1 or l2`);
  requirePositive("refineSchedule", "power", power);
  requireNonNegative("refineSchedule", "floor", floor);
  const norms = readNorms("refineSchedule", cleanNorms(gradientNorms, options));
  const smoothed = medianFilter(norms, filterWidth(tau, norms.length));
  if (floor > 0) {
    const least = floor * median(smoothed);
    for (let t = 0; t < smoothed.length; t++) smoothed[t] = Math.max(smoothed[t], least);
  }
  requirePositiveNorms("refineSchedule", smoothed);
  const typical = median(smoothed);
  // Only ratios matter; taken to the median, no power of a norm overflows.
  const ratios = smoothed.map((g) => g / typical);
  const relative = ratios.map((ratio) => ratio ** -power);
  const steps = weightedStepSizes(relative);
  const peak = steps.reduce((a, b) => Math.max(a, b));
  const own = scaledBound(relative, ratios);
  const linear = scaledBound(new Float64Array(smoothed.length).fill(1), ratios);
  return {
    multipliers: steps.length === 1 ? Float64Array.of(1) : steps.map((step) => step / peak),
    smoothed,
    weights: smoothed.map((g) => g ** -power),
    peakIndex: Math.max(0, steps.indexOf(peak)),
    bound: own.bound * typical,
    linearBound: linear.bound * typical,
    learningRateRatio: norm === "l1" || steps.length === 1 ? 1 : (peak * own.scale) / linear.scale,
    warnings: warningsOf(relative),
  };
}
