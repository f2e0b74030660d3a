import {
  abs,
  add,
  div,
  equal,
  less,
  logicalAnd,
  logicalOr,
  mul,
  neg,
  sqrt,
  sub,
  type Tensor,
  where,
} from "@offprint/tensor-core";
import { chebyshevSeries, evaluateSeries } from "./chebyshev.js";

/** Tangent of pi / 8 and its reciprocal, between which the angle is taken from pi / 4. */
const INNER = Math.SQRT2 - 1;
const OUTER = Math.SQRT2 + 1;

const ratio = (s: number) => (s === 0 ? 1 : Math.atan(Math.sqrt(s)) / Math.sqrt(s));
/** `atan(sqrt s) / sqrt s` up to the inner bound. */
const atanSeries = {
  float32: chebyshevSeries(ratio, 0, INNER * INNER, 6),
  float64: chebyshevSeries(ratio, 0, INNER * INNER, 14),
};

/** The inverse tangent of `x >= 0`. */
function atanOfSize(x: Tensor): Tensor {
  const far = less(OUTER, x);
  const middle = less(INNER, x);
  // Operands that are not taken must not make the series overflow.
  const reduced = where(far, div(-1, x), where(middle, div(sub(x, 1), add(x, 1)), x));
  const base = where(far, Math.PI / 2, where(middle, Math.PI / 4, mul(x, 0)));
  const series = atanSeries[x.dtype as "float32"];
  const angle = add(base, mul(reduced, evaluateSeries(series, mul(reduced, reduced))));
  return where(equal(x, Number.POSITIVE_INFINITY), Math.PI / 2, angle);
}

/** The inverse tangent, where the device has none or an inexact one. */
export function atan(x: Tensor): Tensor {
  const angle = atanOfSize(abs(x));
  return where(less(x, 0), neg(angle), angle);
}

export function asin(x: Tensor): Tensor {
  return mul(atan(div(x, add(sqrt(mul(sub(1, x), add(x, 1))), 1))), 2);
}

export function acos(x: Tensor): Tensor {
  return mul(atanOfSize(sqrt(div(sub(1, x), add(x, 1)))), 2);
}

/** Whether the sign is minus; that of a zero shows in its reciprocal. */
function isNegative(x: Tensor): Tensor {
  return logicalOr(less(x, 0), logicalAnd(equal(x, 0), less(div(1, x), 0)));
}

/** The angle of the point (x, y). */
export function atan2(y: Tensor, x: Tensor): Tensor {
  const [height, width] = [abs(y), abs(x)];
  // Quotients of two zeros or two infinities have no value; the corners of the plane do.
  const slope = where(equal(height, width), where(equal(height, 0), 0, 1), div(height, width));
  const steep = atanOfSize(slope);
  const angle = where(isNegative(x), sub(Math.PI, steep), steep);
  return where(isNegative(y), neg(angle), angle);
}
