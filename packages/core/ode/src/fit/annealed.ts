import { requireInteger, requireNonNegative, requireObject, ValueError } from "@offprint/tensor-core";

/** The weight of a regulariser: constant, or from one value down to another. */
export type Lambda = number | readonly [from: number, to: number];

/**
 * The weight in an epoch, `l0 exp(-e log(l0 / l1) / epochs)`: from `l0` towards `l1`, exponentially.
 * @throws ValueError for negative weights, or ones that grow.
 */
export function annealed(lambda: Lambda, epoch: number, epochs: number): number {
  if (typeof lambda !== "number") requireObject("annealed", "lambda", lambda, "a number, or two");
  if (typeof lambda !== "number" && lambda.length !== 2) {
    throw new ValueError(`annealed: lambda holds ${lambda.length} numbers; give a number, or [from, to]`);
  }
  const [from, to] = typeof lambda === "number" ? [lambda, lambda] : lambda;
  requireNonNegative("annealed", "lambda", from);
  requireNonNegative("annealed", "lambda", to);
  requireInteger("annealed", "epochs", epochs, 1);
  if (to > from || (to === 0 && from > 0)) {
    throw new ValueError(`annealed: lambda runs from ${from} to ${to}; it must fall, to a positive value`);
  }
  return from === to ? from : from * Math.exp((-epoch * Math.log(from / to)) / epochs);
}
