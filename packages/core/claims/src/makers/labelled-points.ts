import { type Tensor, ValueError } from "@offprint/tensor-core";

/** Points and their classes; a `Dataset` for whoever takes one. */
export interface LabelledPoints {
  /** `[count, dimension]`, float64. */
  readonly inputs: Tensor;
  /** `[count]` classes from 0, int32. */
  readonly targets: Tensor;
}

/** Checks how many points are wanted. */
export function checkCount(owner: string, count: number, least = 1): void {
  if (!Number.isInteger(count) || count < least) {
    throw new ValueError(`${owner}: count is ${count}; it must be an integer >= ${least}.`);
  }
}

/** Checks a deviation. */
export function checkDeviation(owner: string, name: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) {
    throw new ValueError(`${owner}: ${name} is ${value}; it must be a number >= 0.`);
  }
}
