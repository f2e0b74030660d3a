import {
  abs,
  add,
  div,
  floor,
  greater,
  less,
  lessEqual,
  logicalAnd,
  logicalXor,
  mul,
  notEqual,
  sub,
  type Tensor,
  where,
} from "@offprint/tensor-core";

/** The sign, composed of comparisons; zeros and NaN stay. */
export function sign(x: Tensor): Tensor {
  return where(less(0, x), 1, where(less(x, 0), -1, x));
}

/** The nearest integer, halves to the even one, composed of floors. */
export function round(x: Tensor): Tensor {
  const low = floor(x);
  const part = sub(x, low);
  const even = mul(floor(div(add(low, 1), 2)), 2);
  return where(less(part, 0.5), low, where(less(0.5, part), add(low, 1), even));
}

/** `a - b floor(a / b)`, then put right where the quotient was rounded across an integer. */
export function floorMod(a: Tensor, b: Tensor): Tensor {
  const rest = sub(a, mul(b, floor(div(a, b))));
  const opposite = logicalAnd(notEqual(rest, 0), logicalXor(less(rest, 0), less(b, 0)));
  const raised = where(opposite, add(rest, b), rest);
  const lowered = where(lessEqual(abs(b), abs(raised)), sub(raised, b), raised);
  // A finite number modulo an infinite one is itself, or the infinite one where the signs differ.
  const unbounded = logicalAnd(less(abs(a), Number.POSITIVE_INFINITY), greater(abs(b), 3.4e38));
  return where(unbounded, where(logicalAnd(notEqual(a, 0), logicalXor(less(a, 0), less(b, 0))), b, a), lowered);
}
