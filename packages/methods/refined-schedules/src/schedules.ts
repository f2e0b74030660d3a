import { checkOptions, requireNonNegative, requirePositive, ValueError } from "@offprint/tensor-core";
import { requireStepCount } from "./argument-checks.js";

/** Multipliers of the peak learning rate for steps `t = 0 .. T-1`. */
function multipliers(name: string, T: number, value: (t: number) => number): Float64Array {
  requireStepCount(`schedules.${name}`, T);
  return Float64Array.from({ length: T }, (_, t) => value(t));
}

/** Options of `schedules.step`. */
export interface StepOptions {
  /** Where the rate falls, as parts of the run in [0, 1]. Default [0.5, 0.75]. */
  boundaries?: readonly number[];
  /** What it is multiplied by there. Default 0.1. */
  factor?: number;
}

/** Options of `schedules.warmupPolynomial`. */
export interface WarmupOptions {
  /** `phi` in [0, 1): part of the run with a rising rate. Default 0.1. */
  warmup?: number;
  /** Exponent `p > 0` of the decay after it. Default 1. */
  power?: number;
}

/** The schedules that the paper compares with: multipliers `[T]` of the peak learning rate. */
export const schedules = {
  /** 1. */
  flat: (T: number): Float64Array => multipliers("flat", T, () => 1),

  /** `1 / (1 + t)`. */
  inverse: (T: number): Float64Array => multipliers("inverse", T, (t) => 1 / (1 + t)),

  /** `1 / sqrt(1 + t)`. */
  inverseSqrt: (T: number): Float64Array => multipliers("inverseSqrt", T, (t) => 1 / Math.sqrt(1 + t)),

  /** Divided by 10 at 50 % and at 75 % of the run. */
  step(T: number, options: StepOptions = {}): Float64Array {
    checkOptions("schedules.step", options, ["boundaries", "factor"]);
    const { boundaries = [0.5, 0.75], factor = 0.1 } = options;
    const wrong = boundaries.find((boundary) => !(boundary >= 0 && boundary <= 1));
    if (wrong !== undefined) throw new ValueError(`schedules.step: a boundary is ${wrong}; it must be in [0, 1]`);
    requireNonNegative("schedules.step", "factor", factor);
    return multipliers("step", T, (t) => factor ** boundaries.filter((boundary) => t >= boundary * T).length);
  },

  /** `(1 + cos(pi t / T)) / 2`. */
  cosine: (T: number): Float64Array => multipliers("cosine", T, (t) => (1 + Math.cos((Math.PI * t) / T)) / 2),

  /** `1 - t / T` (part B): what theory says of the last iterate without knowledge of the gradients. */
  linear: (T: number): Float64Array => multipliers("linear", T, (t) => 1 - t / T),

  /** `(1 - t / T)^p`, default p = 1. */
  polynomial(T: number, options: { power?: number } = {}): Float64Array {
    checkOptions("schedules.polynomial", options, ["power"]);
    const { power = 1 } = options;
    requirePositive("schedules.polynomial", "power", power);
    return multipliers("polynomial", T, (t) => (1 - t / T) ** power);
  },

  /** `(t + 1) / (phi T)` up to step `phi T`, then a polynomial decay over the rest. */
  warmupPolynomial(T: number, options: WarmupOptions = {}): Float64Array {
    checkOptions("schedules.warmupPolynomial", options, ["warmup", "power"]);
    const { warmup = 0.1, power = 1 } = options;
    requirePositive("schedules.warmupPolynomial", "power", power);
    if (!(warmup >= 0 && warmup < 1)) {
      throw new ValueError(`schedules.warmupPolynomial: warmup is ${warmup}; it must be in [0, 1)`);
    }
    const rising = warmup * T;
    return multipliers("warmupPolynomial", T, (t) =>
      t < rising ? Math.min(1, (t + 1) / rising) : (1 - (t - rising) / (T - rising)) ** power,
    );
  },
} as const;

/** Warm-up and power that the authors laid over the refined schedules of their problems, by name. */
export const fittedWarmups = {
  imageNet: { warmup: 0.01, power: 3 },
  rcnn: { warmup: 0, power: 1.5 },
  gpt: { warmup: 0.28, power: 1 },
  dlrm: { warmup: 0.2, power: 0.9 },
  mri: { warmup: 0.4, power: 0.9 },
  roberta: { warmup: 0.45, power: 0.8 },
} as const satisfies Readonly<Record<string, Required<WarmupOptions>>>;
