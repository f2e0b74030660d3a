import { requireInteger, ValueError } from "@offprint/tensor-core";
import { readNumbers, requireStepCount } from "./argument-checks.js";

/** How recorded norms become one norm for each step of the run to come. */
export interface NormCleaning {
  /** Leave out entries that are NaN or infinite. Default false: they are an error. */
  dropNonFinite?: boolean;
  /** Leave out so many at either end, for loggers whose first and last entries cover partial steps. Default 0. */
  dropEdge?: number;
  /** Number of steps of the run to come, by linear interpolation over the whole of the recorded one. Default as recorded. */
  length?: number;
}

/**
 * Linear interpolation to another length, both ends kept (part G).
 *
 * @param norms - `[S]`, at least one.
 * @returns `[length]`
 * @throws ValueError for no norms, what is not a number, or a length that is not an integer >= 1.
 */
export function resample(norms: ArrayLike<number>, length: number): Float64Array {
  requireStepCount("resample", length, "length");
  const values = readNumbers("resample", "norms", norms);
  const last = values.length - 1;
  return Float64Array.from({ length }, (_, t) => {
    const at = length === 1 ? 0 : (t * last) / (length - 1);
    const before = Math.min(Math.floor(at), last);
    const after = Math.min(before + 1, last);
    return values[before] + (at - before) * (values[after] - values[before]);
  });
}

/** Leaves out what should not count, then resamples; `readNorms` judges the result. */
export function cleanNorms(norms: ArrayLike<number>, options: NormCleaning): ArrayLike<number> {
  const { dropNonFinite = false, dropEdge = 0, length } = options;
  requireInteger("refineSchedule", "dropEdge", dropEdge, 0);
  if (length !== undefined) requireStepCount("refineSchedule", length, "length");
  let kept: ArrayLike<number> = norms;
  if (dropNonFinite) kept = Float64Array.from(kept).filter(Number.isFinite);
  if (dropEdge > 0 && kept.length > 0 && 2 * dropEdge >= kept.length) {
    throw new ValueError(
      `refineSchedule: dropEdge is ${dropEdge}, which leaves nothing of ${kept.length} norms; give less`,
    );
  }
  if (dropEdge > 0) kept = Array.prototype.slice.call(kept, dropEdge, kept.length - dropEdge);
  return length === undefined || length === kept.length || kept.length === 0 ? kept : resample(kept, length);
}
