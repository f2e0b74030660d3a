import { ValueError } from "@offprint/tensor-core";
import { SparseFourier } from "./sparse-fourier.js";

/** @throws ValueError where `value` is no function of this package */
export function requireFunction(owner: string, name: string, value: unknown): void {
  if (!(value instanceof SparseFourier)) {
    throw new ValueError(
      `${owner}: ${name} is no SparseFourier; make one with SparseFourier.cosines, sines or fromSamples`,
    );
  }
}
