import { checkOptions, ValueError } from "@offprint/tensor-core";

/** Element type of the inputs of a set. */
export interface SetOptions {
  /** Default "float32". */
  dtype?: "float32" | "float64";
}

/** @throws ValueError for another option, or another type. */
export function checkSetOptions(owner: string, options: SetOptions): void {
  checkOptions(owner, options, ["dtype"]);
  const { dtype = "float32" } = options;
  if (dtype !== "float32" && dtype !== "float64") {
    throw new ValueError(`${owner}: dtype is ${String(dtype)}; it must be "float32" or "float64"`);
  }
}
