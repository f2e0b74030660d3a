import type { Box } from "./messages.js";

/** From the unit box, in which the method works, to the client's coordinates. Without bounds they are the same. */
export function fromUnit(bounds: Box | null, x: Float64Array): Float64Array {
  if (bounds === null) return x.slice();
  const { lower, upper } = bounds;
  return x.map((v, k) => lower[k] + v * (upper[k] - lower[k]));
}

/** The other way. */
export function toUnit(bounds: Box | null, x: Float64Array): Float64Array {
  if (bounds === null) return x.slice();
  const { lower, upper } = bounds;
  return x.map((v, k) => (v - lower[k]) / (upper[k] - lower[k]));
}

/** The nearest place within the box. */
export function clipped(bounds: Box | null, x: Float64Array): Float64Array {
  return bounds === null ? x : x.map((v) => Math.min(1, Math.max(0, v)));
}
