import type { Tensor } from "@offprint/tensor-core";

/** Largest absolute value. */
export function largest(x: Tensor): number {
  let found = 0;
  for (const v of x.data()) found = Math.max(found, Math.abs(v));
  return found;
}
