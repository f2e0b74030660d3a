import { checkOptions, requireNonNegative, requirePositive, ValueError } from "@offprint/tensor-core";

/** A learning rate as a function of the samples processed so far and of the step's number, from 0. */
export type SampleSchedule = (samples: number, step: number) => number;

/** Options of `cosineBySamples` and `linearBySamples`. */
export interface DecayBySamples {
  /** alpha: the largest rate, > 0. */
  readonly peak: number;
  /** alpha_min: the rate from `end` on, >= 0. Default 0. */
  readonly floor?: number;
  /** w: samples of the linear warm-up. Default 0. */
  readonly warmUp?: number;
  /** D: samples after which the rate is the floor. */
  readonly end: number;
}

function checked(owner: string, options: DecayBySamples): Required<DecayBySamples> {
  checkOptions(owner, options, ["peak", "floor", "warmUp", "end"], ["peak", "end"]);
  const { peak, floor = 0, warmUp = 0, end } = options;
  requirePositive(owner, "peak", peak);
  requireNonNegative(owner, "floor", floor);
  requireNonNegative(owner, "warmUp", warmUp);
  if (!(end > warmUp && Number.isFinite(end))) {
    throw new ValueError(`${owner}: end is ${end} and warmUp ${warmUp}; the end must come after the warm-up`);
  }
  return { peak, floor, warmUp, end };
}

function decay(owner: string, options: DecayBySamples, shape: (part: number) => number): SampleSchedule {
  const { peak, floor, warmUp, end } = checked(owner, options);
  return (samples) => {
    if (samples < warmUp) return (peak * samples) / warmUp;
    if (samples > end) return floor;
    return floor + shape((samples - warmUp) / (end - warmUp)) * (peak - floor);
  };
}

/** Linear warm-up, then half a cosine down to the floor. @throws ValueError for an option out of range. */
export function cosineBySamples(options: DecayBySamples): SampleSchedule {
  return decay("cosineBySamples", options, (part) => 0.5 * (1 + Math.cos(Math.PI * part)));
}

/** Linear warm-up, then a straight line down to the floor. @throws ValueError for an option out of range. */
export function linearBySamples(options: DecayBySamples): SampleSchedule {
  return decay("linearBySamples", options, (part) => 1 - part);
}

/** `peak * gamma^(milestones passed)`, a milestone being a number of samples. @throws ValueError for an option out of range. */
export function stepsBySamples(options: {
  /** Rate before the first milestone, > 0. */
  readonly peak: number;
  /** Factor at each milestone, > 0. Default 0.1. */
  readonly gamma?: number;
  /** Numbers of samples, rising. */
  readonly milestones: readonly number[];
}): SampleSchedule {
  checkOptions("stepsBySamples", options, ["peak", "gamma", "milestones"], ["peak", "milestones"]);
  const { peak, gamma = 0.1, milestones } = options;
  requirePositive("stepsBySamples", "peak", peak);
  requirePositive("stepsBySamples", "gamma", gamma);
  milestones.forEach((milestone, i) => {
    if (!(milestone > (milestones[i - 1] ?? 0))) {
      throw new ValueError(`stepsBySamples: milestone ${i} is ${milestone}; they must be positive and rising`);
    }
  });
  return (samples) => peak * gamma ** milestones.filter((milestone) => milestone <= samples).length;
}
