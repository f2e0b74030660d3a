import { ValueError } from "@offprint/tensor-core";

/** @throws ValueError with the message unless the condition holds. */
export function requireThat(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ValueError(message);
}

/** @throws ValueError unless the value is an integer and large enough. */
export function integerAtLeast(caller: string, name: string, value: number, least: number): void {
  requireThat(
    Number.isSafeInteger(value) && value >= least,
    `${caller}: ${name} is ${value}; it must be an integer >= ${least}`,
  );
}
