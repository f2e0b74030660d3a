import {
  cast,
  isTensor,
  requireFinite,
  ShapeError,
  stopGradient,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

const constant = (x: TensorLike) => stopGradient(isTensor(x) ? cast(x, "float64") : tensor(x, { dtype: "float64" }));

/**
 * @internal The numbers that times are drawn by, float64, a scalar or `[k]`.
 * @throws ValueError where one is known not to lie in `[0, 1)`: its time would lie outside the span.
 */
export function readNumbers(owner: string, uniform: TensorLike): Tensor {
  const numbers = constant(uniform);
  if (numbers.rank > 1 || numbers.size === 0) {
    throw new ShapeError(`${owner}: uniform has shape [${numbers.shape}]; give a number, or [k] of them`);
  }
  if (numbers.storage.kind !== "host") return numbers;
  const outside = numbers.data().find((u) => !(u >= 0 && u < 1));
  if (outside === undefined) return numbers;
  throw new ValueError(`${owner}: uniform holds ${outside}, outside [0, 1); draw it with rng.uniform`);
}

/** @internal The ends of a span. @throws ValueError where they are known not to be finite */
export function readSpan(owner: string, span: readonly [TensorLike, TensorLike]): readonly [Tensor, Tensor] {
  if (!Array.isArray(span) || span.length !== 2) {
    throw new ValueError(`${owner}: the span is ${String(span)}; give [t0, t1]`);
  }
  const ends = [constant(span[0]), constant(span[1])] as const;
  for (const end of ends) {
    requireFinite(owner, "the span", end);
    if (end.rank !== 0) throw new ShapeError(`${owner}: an end of the span has shape [${end.shape}]; give scalars`);
  }
  return ends;
}
