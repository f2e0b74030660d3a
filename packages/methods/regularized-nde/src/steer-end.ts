import { type Rng, requireNonNegative, requireObject, ValueError } from "@offprint/tensor-core";

/** The random end of STEER: uniform within `width` of `t1`. @see Ghosh et al. 2020. */
export function steerEnd(rng: Rng, t1: number, width: number): number {
  requireNonNegative("steerEnd", "width", width);
  return t1 + width * signed(rng);
}

const signed = (rng: Rng) => 2 * rng.uniform([], { dtype: "float64" }).item() - 1;

/**
 * STEER where states are saved on the way: every time is the end of an interval, and uniform within `width` of its own, but no more than
 * half the way to its neighbours, so that times keep their order. What is at `t0` stays there.
 * @param times - in the order in which they are met
 * @see Ghosh et al. 2020; for latent ODEs as in Pal et al. 2021.
 */
export function steerTimes(rng: Rng, t0: number, times: readonly number[], width: number): number[] {
  requireNonNegative("steerTimes", "width", width);
  requireObject("steerTimes", "times", times, "a list of times");
  if (!times.every(Number.isFinite)) throw new ValueError(`steerTimes: times are ${times}; give finite ones`);
  return times.map((t, k) => {
    const before = Math.abs(t - (k === 0 ? t0 : times[k - 1]));
    const after = k + 1 < times.length ? Math.abs(times[k + 1] - t) : Infinity;
    return t + Math.min(width, before / 2, after / 2) * signed(rng);
  });
}
