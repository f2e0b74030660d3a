import { type Rng, requireNonNegative, requireObject, ValueError } from "@offprint/tensor-core";

function requireTime(owner: string, name: string, time: number): void {
  if (!Number.isFinite(time)) {
    throw new ValueError(
      `${owner}: ${name} is ${typeof time === "string" ? JSON.stringify(time) : String(time)}; give a finite number`,
    );
  }
}

/** The random end of STEER: uniform within `width` of `t1`. @see Ghosh et al. 2020. */
export function steerEnd(rng: Rng, t1: number, width: number): number {
  requireObject("steerEnd", "rng", rng, "a generator of random.rng(seed)");
  requireTime("steerEnd", "t1", t1);
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
  const owner = "steerTimes";
  requireObject(owner, "rng", rng, "a generator of random.rng(seed)");
  requireTime(owner, "t0", t0);
  requireNonNegative(owner, "width", width);
  if (!Array.isArray(times)) throw new ValueError(`${owner}: times is ${String(times)}; give a list of times`);
  if (!times.every(Number.isFinite)) throw new ValueError(`${owner}: times are ${times}; give finite ones`);
  const steps = times.map((t, k) => t - (k === 0 ? t0 : times[k - 1]));
  if (steps.some((step) => step < 0) && steps.some((step) => step > 0)) {
    throw new ValueError(`${owner}: times go from ${t0} to ${times}, there and back; sort them in one direction`);
  }
  return times.map((t, k) => {
    const before = Math.abs(t - (k === 0 ? t0 : times[k - 1]));
    const after = k + 1 < times.length ? Math.abs(times[k + 1] - t) : Infinity;
    return t + Math.min(width, before / 2, after / 2) * signed(rng);
  });
}
