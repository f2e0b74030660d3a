import { requireInteger, ShapeError, ValueError } from "@offprint/tensor-core";

/** The largest entry of a frequency: they are kept as 32-bit integers. */
export const MOST_FREQUENCY = 2 ** 31 - 1;

/** d: what was given, or the length of the first frequency; `name` is that of the list, for the error. */
export function dimensionOf(
  owner: string,
  name: string,
  list: readonly { readonly k: readonly number[] }[],
  given: number | undefined,
): number {
  const d = given ?? list[0]?.k?.length;
  if (d === undefined) {
    const what =
      list.length === 0 ? `${name} is empty; give one, or dimension` : `${name}[0].k is missing; give integers`;
    throw new ValueError(`${owner}: ${what}`);
  }
  requireInteger(owner, "dimension", d, 1);
  return d;
}

/** A frequency as integers; `name` is for the error. */
export function frequencyOf(owner: string, name: string, k: readonly number[], dimension: number): Int32Array {
  if (k?.length !== dimension || !Array.from(k).every(Number.isSafeInteger)) {
    throw new ShapeError(`${owner}: ${name} is [${k}]; a frequency is ${dimension} integers`);
  }
  if (k.some((entry) => Math.abs(entry) > MOST_FREQUENCY)) {
    throw new ShapeError(`${owner}: ${name} is [${k}]; entries are ${MOST_FREQUENCY} at most`);
  }
  return Int32Array.from(k);
}
