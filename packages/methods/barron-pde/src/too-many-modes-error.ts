import { ValueError } from "@offprint/tensor-core";

/** A product would have more frequencies than are handled. */
export class TooManyModesError extends ValueError {
  /** Modes that a function may have. */
  readonly limit: number;

  /** @param limit modes that a function may have */
  constructor(limit: number) {
    super(`SparseFourier.multiply: the product has more than ${limit} modes; prune the factors, or give a tolerance`);
    this.limit = limit;
  }
}
