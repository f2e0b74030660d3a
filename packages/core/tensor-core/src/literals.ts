import { isTensor, scalarTensor, Tensor } from "./tensor.js";

/** What may be weakly typed. */
export type Weak = number | Tensor;

/**
 * A plain number, and what is computed from plain numbers alone, is weakly typed: it takes the dtype of what it meets.
 * As a tensor it is float32, and keeps the same value in float64 at hand.
 */
export function isWeak(x: Tensor): boolean;
export function isWeak(x: unknown): x is Weak;
export function isWeak(x: unknown): boolean {
  return typeof x === "number" || (isTensor(x) && Boolean(x.wide));
}

/** A plain number as a tensor. */
export function literal(value: number): Tensor {
  return new Tensor([], "float32", scalarTensor(value, "float32").storage, null, 0, () =>
    scalarTensor(value, "float64"),
  );
}

/** The float64 value of what is weakly typed. */
export function widened(x: number | Tensor): Tensor {
  return typeof x === "number" ? scalarTensor(x, "float64") : (x.wide?.() ?? x);
}

/** What is weakly typed as a plain number; undefined where that is not known or not one number. */
export function literalValue(x: number | Tensor): number | undefined {
  if (typeof x === "number") return x;
  return x.storage.kind === "host" && x.record === null && x.size === 1 ? widened(x).item() : undefined;
}

/** `x` with `wide` as its value in float64. */
export function withWide(x: Tensor, wide: () => Tensor): Tensor {
  return new Tensor(x.shape, x.dtype, x.storage, x.record, x.outputIndex, wide);
}

/** `x` without its value in float64: no longer weakly typed. */
export function strong(x: Tensor): Tensor {
  return x.wide ? new Tensor(x.shape, x.dtype, x.storage, x.record, x.outputIndex) : x;
}

/**
 * `result` as weakly typed: it was computed from `operands`, which all are; `compute` gives it in float64 from theirs.
 * A result of another type than float32 stays what it is.
 */
export function weakResult(
  result: Tensor,
  operands: readonly (number | Tensor)[],
  compute: (wide: Tensor[]) => Tensor,
): Tensor {
  if (result.dtype !== "float32") return result;
  let value: Tensor | undefined;
  const wide = () => {
    value ??= compute(operands.map(widened));
    return value;
  };
  // What a gradient records must be recorded now; without a record it does not matter when, or whether at all.
  if (operands.some((x) => typeof x !== "number" && x.record !== null)) wide();
  return withWide(result, wide);
}
