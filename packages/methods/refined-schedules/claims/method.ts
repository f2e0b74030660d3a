import {
  lastIterate,
  lastIterateBound,
  optimalWeights,
  optimizeSchedule,
  refineSchedule,
  weightedBound,
} from "../src/index.js";

/** What the claims are about; tests put a baseline or a broken variant in the place of a part. */
export interface Method {
  /** Parts D and E. */
  readonly refineSchedule: typeof refineSchedule;
  /** Part C. */
  readonly optimalWeights: typeof optimalWeights;
  /** Part A. */
  readonly lastIterate: typeof lastIterate;
  /** The guarantee of part C. */
  readonly weightedBound: typeof weightedBound;
  /** The guarantee of part F. */
  readonly lastIterateBound: typeof lastIterateBound;
  /** Part F. */
  readonly optimizeSchedule: typeof optimizeSchedule;
}

/** The package's own. */
export const published: Method = {
  refineSchedule,
  optimalWeights,
  lastIterate,
  weightedBound,
  lastIterateBound,
  optimizeSchedule,
};

/** The value at so many percent of a run. */
export function atPercent(values: ArrayLike<number>, percent: number): number {
  return values[Math.min(values.length - 1, Math.floor((percent / 100) * values.length))];
}
