import { ValueError } from "@offprint/tensor-core";

/**
 * `count` equally spaced relaxation parameters from `first` to `last`; 1.00, 1.05, ..., 1.95 unless told otherwise, the
 * grid of the paper's experiments. About T^(1/3) of them suit a sequence of T systems.
 *
 * @throws ValueError unless 0 < first <= last < 2 and count is a positive integer, 1 only where first is last.
 */
export function omegaGrid(first = 1, last = 1.95, count = 20): number[] {
  if (!([first, last].every(Number.isFinite) && first > 0 && first <= last && last < 2)) {
    throw new ValueError(`omegaGrid: first is ${first} and last ${last}; they must be 0 < first <= last < 2`);
  }
  if (!Number.isSafeInteger(count) || count < 1 || count > 1e6 || (count === 1 && first !== last)) {
    throw new ValueError(`omegaGrid: count is ${count}; it must be an integer from 2 to 1e6 (1 where first is last)`);
  }
  const step = count === 1 ? 0 : (last - first) / (count - 1);
  // Twelve digits: 1.15, not 1.1500000000000001.
  return Array.from({ length: count }, (_, i) => Number((first + i * step).toPrecision(12)));
}
