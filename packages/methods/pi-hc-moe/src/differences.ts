import { add, concatenate, mul, requireObject, roll, ShapeError, slice, sub, type Tensor } from "@offprint/tensor-core";

const along = (x: Tensor, axis: number, start: number, stop: number): Tensor =>
  slice(x, [...new Array<null>(axis).fill(null), { start, stop }]);

/** First derivative by central differences, one-sided of first order at the ends. */
export function firstDifference(x: Tensor, axis: number, spacing: number): Tensor {
  requireObject("firstDifference", "x", x, "a tensor");
  const n = lengthOf(x, axis, 2);
  const inside = n > 2 ? [mul(0.5 / spacing, sub(along(x, axis, 2, n), along(x, axis, 0, n - 2)))] : [];
  const left = mul(1 / spacing, sub(along(x, axis, 1, 2), along(x, axis, 0, 1)));
  const right = mul(1 / spacing, sub(along(x, axis, n - 1, n), along(x, axis, n - 2, n - 1)));
  return concatenate([left, ...inside, right], axis);
}

/** First derivative by central differences, one-sided of second order at the ends. */
export function firstDifferenceToTheEnds(x: Tensor, axis: number, spacing: number): Tensor {
  requireObject("firstDifferenceToTheEnds", "x", x, "a tensor");
  const n = lengthOf(x, axis, 3);
  const at = (i: number) => along(x, axis, i, i + 1);
  const end = (a: Tensor, b: Tensor, c: Tensor) => sub(mul(2, b), add(mul(1.5, a), mul(0.5, c)));
  const left = mul(1 / spacing, end(at(0), at(1), at(2)));
  const right = mul(-1 / spacing, end(at(n - 1), at(n - 2), at(n - 3)));
  const inside = mul(0.5 / spacing, sub(along(x, axis, 2, n), along(x, axis, 0, n - 2)));
  return concatenate([left, inside, right], axis);
}

/** The first difference taken twice. */
export function secondDifference(x: Tensor, axis: number, spacing: number): Tensor {
  requireObject("secondDifference", "x", x, "a tensor");
  return firstDifference(firstDifference(x, axis, spacing), axis, spacing);
}

/** First derivative on a circle, by central differences. */
export function periodicDifference(x: Tensor, axis: number, spacing: number): Tensor {
  return mul(0.5 / spacing, sub(roll(x, -1, axis), roll(x, 1, axis)));
}

/** Second derivative on a circle, of three points. */
export function periodicSecondDifference(x: Tensor, axis: number, spacing: number): Tensor {
  return mul(1 / spacing ** 2, sub(add(roll(x, -1, axis), roll(x, 1, axis)), mul(2, x)));
}

function lengthOf(x: Tensor, axis: number, least: number): number {
  const n = x.shape[axis];
  if (n >= least) return n;
  throw new ShapeError(`differences: axis ${axis} has ${n} points; there must be ${least} at least`);
}
