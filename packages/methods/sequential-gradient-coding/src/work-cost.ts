import { requireNonNegative, requireObject, ShapeError, ValueError } from "@offprint/tensor-core";
import type { Delays } from "./delays.js";

/** Times that were recorded while every worker did the same work. */
export interface LoadProfile {
  /** The work of a worker in a round, in full gradients. */
  readonly load: number;
  /** `delays[worker][round]` */
  readonly delays: Delays;
}

/** What work costs. */
export interface WorkCost {
  /** alpha: time of a full gradient on one worker; 0 where times do not grow with the load. */
  readonly alpha: number;
  /** Mean time of a round without work. */
  readonly base: number;
}

/**
 * What work costs, from times at two loads or more: the least-squares line of mean time over load.
 *
 * @throws ValueError where there are not two different loads, ShapeError for a profile without times
 * @example
 * const { alpha } = workCost([{ load: 1 / 16, delays: uncoded }, { load: 1 / 4, delays: coded }]);
 * const { best } = await selectParameters(uncoded, { alpha, profileLoad: 1 / 16 });
 */
export function workCost(profiles: readonly LoadProfile[]): WorkCost {
  requireObject("workCost", "profiles", profiles, "an array");
  const owner = "workCost";
  const points = profiles.map(({ load, delays }) => {
    requireNonNegative(owner, "load", load);
    const times = delays.flatMap((row) => Array.from(row));
    if (times.length === 0) throw new ShapeError(`${owner}: the profile of load ${load} has no times; give some`);
    for (const time of times) requireNonNegative(owner, "delays", time);
    return { load, time: times.reduce((sum, time) => sum + time, 0) / times.length };
  });
  const mean = (of: (point: { load: number; time: number }) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [load, time] = [mean((point) => point.load), mean((point) => point.time)];
  const spread = mean((point) => (point.load - load) ** 2);
  if (!(spread > 0))
    throw new ValueError(`${owner}: profiles have ${points.length === 0 ? "no load" : "one load"}; give two`);
  const alpha = Math.max(0, mean((point) => (point.load - load) * (point.time - time)) / spread);
  return { alpha, base: time - alpha * load };
}
