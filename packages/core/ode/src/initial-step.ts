import {
  abs,
  add,
  cast,
  div,
  equal,
  isFinite,
  less,
  lessEqual,
  logicalOr,
  max,
  maximum,
  minimum,
  mul,
  pow,
  stopGradient,
  sub,
  type Tensor,
  where,
} from "@offprint/tensor-core";
import type { System } from "./system.js";

/** Tolerances as tensors that fit beside the state. */
export interface Tolerances {
  readonly relative: Tensor;
  readonly absolute: Tensor;
}

/** @internal The size of a first step, positive, from the rates at its beginning and after an Euler step. */
export function firstStep(
  system: System,
  t: Tensor,
  y: Tensor,
  first: Tensor,
  direction: Tensor,
  span: Tensor,
  tolerances: Tolerances,
  order: number,
): Tensor {
  const scale = add(tolerances.absolute, mul(tolerances.relative, abs(y)));
  const size = (x: Tensor) => {
    const relative = div(x, scale);
    const plain = system.norm(relative);
    // Squares of what is very large are infinite, and the step must not be 0.
    const largest = stopGradient(max(abs(relative)));
    const unit = where(isFinite(plain), 1, where(isFinite(largest), largest, 1));
    return where(isFinite(plain), plain, mul(system.norm(div(relative, unit)), unit));
  };
  const [d0, d1] = [size(y), size(first)];
  const flat = logicalOr(less(d0, 1e-5), less(d1, 1e-5));
  const guess = minimum(where(flat, 1e-6, div(mul(d0, 0.01), where(flat, 1, d1))), system.scalar(span));
  const probe = add(y, mul(mul(first, system.scalar(direction)), guess));
  const after = system.rate(add(t, mul(direction, cast(guess, "float64"))), probe);
  const d2 = div(size(sub(after, first)), where(equal(guess, 0), 1, guess));
  return chosen(guess, maximum(d1, d2), span, 1 / order);
}

/** @internal The last part of the choice: `(0.01 / steepness)^exponent`, not far above the guess. */
export function chosen(guess: Tensor, steepness: Tensor, span: Tensor, exponent: number): Tensor {
  const level = lessEqual(steepness, 1e-15);
  // Squares of what is very steep are infinite; the step must not be 0.
  const finite = minimum(steepness, steepness.dtype === "float32" ? 1e38 : 1e300);
  const other = where(level, maximum(mul(guess, 1e-3), 1e-6), pow(div(0.01, where(level, 1, finite)), exponent));
  return minimum(cast(minimum(mul(guess, 100), other), "float64"), span);
}
