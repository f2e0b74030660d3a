import type { Tensor } from "@offprint/tensor-core";

/** The power of two nearest to the root mean square of a field, by which division is exact; 0 for zeros. */
export function sizeOf(field: Tensor): number {
  const largest = field.abs().max().item();
  if (!(largest > 0)) return 0;
  return nearestPower(largest * Math.sqrt(field.div(largest).square().mean().item()));
}

/** The power of two nearest to a number above 0. */
export const nearestPower = (x: number): number => 2 ** Math.round(Math.log2(x));
