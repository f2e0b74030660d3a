import { ShapeError } from "@offprint/tensor-core";

/** A frequency as integers; `name` is for the error. */
export function frequencyOf(owner: string, name: string, k: readonly number[], dimension: number): Int32Array {
  if (k?.length !== dimension || !Array.from(k).every(Number.isSafeInteger)) {
    throw new ShapeError(`${owner}: ${name} is [${k}]; a frequency is ${dimension} integers`);
  }
  return Int32Array.from(k);
}
