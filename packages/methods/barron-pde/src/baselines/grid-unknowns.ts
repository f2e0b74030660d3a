import { requireInteger } from "@offprint/tensor-core";

/**
 * Unknowns of a spectral solver on a grid, as a decimal logarithm: the curse of dimension. A function whose frequencies
 * have entries up to `highest` needs `2 highest + 1` points per axis.
 */
export function gridUnknownsLog10(dimension: number, highest: number): number {
  requireInteger("gridUnknownsLog10", "dimension", dimension, 1);
  requireInteger("gridUnknownsLog10", "highest", highest, 0);
  return dimension * Math.log10(2 * highest + 1);
}
