import { OffprintError } from "@offprint/tensor-core";

/** A conic problem that is not one: dimensions that do not fit, values that are not finite, a P that is not convex. */
export class ConicInputError extends OffprintError {
  override readonly name = "ConicInputError";
}
