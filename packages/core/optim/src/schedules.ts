import {
  add,
  asTensor,
  checkOptions,
  clip,
  cos,
  div,
  exp,
  floor,
  greater,
  minimum,
  mul,
  pow,
  requireInteger,
  requireNonNegative,
  requirePositive,
  sqrt,
  sub,
  type Tensor,
  type TensorLike,
  ValueError,
  where,
} from "@offprint/tensor-core";

/**
 * A value that depends on the number of the update. `step` is a float scalar, 1 for the first update. Written in
 * tensor operations, a schedule compiles into the training step.
 * @example const rate: Schedule = (step) => div(0.1, sqrt(step));
 */
export type Schedule = (step: Tensor) => TensorLike;

/** The same value at every step. */
export function constantSchedule(value: number): Schedule {
  requireNonNegative("constantSchedule", "value", value);
  return () => value;
}

/** Options of `exponentialSchedule`. */
export interface ExponentialOptions {
  /** Value at the first step, >= 0. */
  initial: number;
  /** Factor per `every` steps, > 0. */
  decayRate: number;
  /** Steps over which the value falls by `decayRate`. Default 1. */
  every?: number;
  /** Fall at once every `every` steps instead of gradually. Default false. */
  staircase?: boolean;
}

/** `initial * decayRate^((step - 1) / every)`. */
export function exponentialSchedule(options: ExponentialOptions): Schedule {
  checkOptions(
    "exponentialSchedule",
    options,
    ["initial", "decayRate", "every", "staircase"],
    ["initial", "decayRate"],
  );
  const { initial, decayRate, every = 1, staircase = false } = options;
  requireNonNegative("exponentialSchedule", "initial", initial);
  requirePositive("exponentialSchedule", "decayRate", decayRate);
  requirePositive("exponentialSchedule", "every", every);
  const logarithm = Math.log(decayRate);
  return (step) => {
    const periods = div(sub(step, 1), every);
    return mul(exp(mul(staircase ? floor(periods) : periods, logarithm)), initial);
  };
}

/** Options of `cosineSchedule`. */
export interface CosineOptions {
  /** Value at the first step, >= 0. */
  initial: number;
  /** Steps until `final` is reached; it is kept from then on. */
  steps: number;
  /** Default 0. */
  final?: number;
  /** Whether it begins again at `initial` after every `steps` (SGDR, arXiv 1608.03983). Default false. */
  restarts?: boolean;
}

/** Half a cosine wave from `initial` down to `final`, once or again and again. */
export function cosineSchedule(options: CosineOptions): Schedule {
  checkOptions("cosineSchedule", options, ["initial", "steps", "final", "restarts"], ["initial", "steps"]);
  const { initial, steps, final = 0, restarts = false } = options;
  requireNonNegative("cosineSchedule", "initial", initial);
  requireNonNegative("cosineSchedule", "final", final);
  requireInteger("cosineSchedule", "steps", steps, 1);
  return (step) => {
    const periods = div(sub(step, 1), steps);
    const progress = restarts ? sub(periods, floor(periods)) : minimum(periods, 1);
    return add(mul(add(cos(mul(progress, Math.PI)), 1), (initial - final) / 2), final);
  };
}

/** Options of `polynomialSchedule`. */
export interface PolynomialOptions {
  /** Value at the first step, >= 0. */
  initial: number;
  /** Value after `steps` steps, kept from then on. Default 0. */
  final?: number;
  /** Exponent of the remaining fraction, > 0. Default 1, a straight line. */
  power?: number;
  /** Steps until `final` is reached. */
  steps: number;
}

/** `final + (initial - final) * (1 - (step - 1) / steps)^power`. */
export function polynomialSchedule(options: PolynomialOptions): Schedule {
  checkOptions("polynomialSchedule", options, ["initial", "final", "power", "steps"], ["initial", "steps"]);
  const { initial, final = 0, power = 1, steps } = options;
  requireNonNegative("polynomialSchedule", "initial", initial);
  requireNonNegative("polynomialSchedule", "final", final);
  requirePositive("polynomialSchedule", "power", power);
  requireInteger("polynomialSchedule", "steps", steps, 1);
  return (step) => {
    const remaining = clip(sub(1, div(sub(step, 1), steps)), 0, 1);
    return add(mul(power === 1 ? remaining : pow(remaining, power), initial - final), final);
  };
}

/** `initial / sqrt(step)`, the rate of most regret bounds. */
export function inverseSquareRootSchedule(initial: number): Schedule {
  requireNonNegative("inverseSquareRootSchedule", "initial", initial);
  return (step) => div(initial, sqrt(step));
}

/**
 * `initial` until the first boundary and a factor at each: after update number `boundary` the value is multiplied by
 * `factors[boundary]`.
 * @example piecewiseSchedule(0.1, { 320: 0.1 }) // 0.1 for the first 320 updates, then 0.01
 */
export function piecewiseSchedule(initial: number, factors: Readonly<Record<number, number>>): Schedule {
  requireNonNegative("piecewiseSchedule", "initial", initial);
  const boundaries = Object.keys(factors).map(Number);
  for (const boundary of boundaries) {
    requireInteger("piecewiseSchedule", "a boundary", boundary, 0);
    requireNonNegative("piecewiseSchedule", `the factor at ${boundary}`, factors[boundary]);
  }
  boundaries.sort((a, b) => a - b);
  return (step) => {
    let value: TensorLike = mul(step, 0).add(initial);
    let scaled = initial;
    for (const boundary of boundaries) {
      scaled *= factors[boundary];
      value = where(greater(step, boundary), scaled, value);
    }
    return value;
  };
}

/**
 * A straight line from `peak / steps` at the first update to `peak` at update number `steps`, then `after`, whose own
 * count begins at the update that follows. Without `after` the peak is kept.
 */
export function warmupSchedule(options: { peak: number; steps: number; after?: Schedule }): Schedule {
  checkOptions("warmupSchedule", options, ["peak", "steps", "after"], ["peak", "steps"]);
  const { peak, steps, after = () => peak } = options;
  requireNonNegative("warmupSchedule", "peak", peak);
  requireInteger("warmupSchedule", "steps", steps, 1);
  return (step) => {
    // The later schedule is evaluated during warm-up too, where only a valid step keeps it finite.
    const later = asTensor(after(where(greater(step, steps), sub(step, steps), 1)), step.dtype);
    return where(greater(step, steps), later, mul(step, peak / steps));
  };
}

/** What is wrong with a schedule of plain numbers: arithmetic of JavaScript makes NaN of a tensor. */
function notOperations(owner: string, given: unknown): ValueError {
  return new ValueError(
    `${owner}: the schedule gives ${String(given)}: its step is a tensor, so write it in operations of tensor-core: ` +
      "(step) => div(0.1, sqrt(step)) instead of 0.1 / Math.sqrt(step); or take one that is ready, such as " +
      "inverseSquareRootSchedule(0.1)",
  );
}

/**
 * What a schedule gives for a step, which may be symbolic.
 * @throws ValueError where it gives a plain number that is not finite.
 */
export function scheduled(owner: string, schedule: Schedule, step: Tensor): TensorLike {
  const value = schedule(step);
  if (typeof value === "number" ? !Number.isFinite(value) : value === undefined) throw notOperations(owner, value);
  return value;
}

/**
 * The value of a schedule at host step `step`.
 * @throws ValueError where it is negative, not finite or not a scalar.
 */
export function scheduleValue(owner: string, schedule: number | Schedule, step: Tensor): number {
  if (typeof schedule === "number") return schedule;
  const value = asTensor(scheduled(owner, schedule, step));
  const rate = value.size === 1 ? value.item() : Number.NaN;
  if (!(rate >= 0 && rate < Infinity)) {
    throw new ValueError(
      `${owner}: the schedule gives ${value.size === 1 ? rate : `shape [${value.shape}]`} at step ${step.item()}; ` +
        "it must be one finite number >= 0",
    );
  }
  return rate;
}
