/*
 * Vectors of two float64 or four float32 lanes. Constants are read from memory: one load with broadcast costs less
 * than building a 64-bit immediate in a vector register, and there are too few registers to keep them.
 *
 * `T` is f64 or f32 and `I` the integer of the same width throughout.
 */

/** Element `index` of a table, in every lane. */
// @ts-ignore: decorator
@inline
export function entry<T>(table: usize, index: i32): v128 {
  return v128.load_splat<T>(table + <usize>index * sizeof<T>());
}

/** The table for the element type at hand. */
// @ts-ignore: decorator
@inline
export function pick<T>(wide: usize, narrow: usize): usize {
  return sizeof<T>() == 8 ? wide : narrow;
}

/** c[i] + c[i+1] x + c[i+2] x^2 + c[i+3] x^3, of which the first `terms`. */
// @ts-ignore: decorator
@inline
function block<T>(table: usize, index: i32, terms: i32, x: v128, x2: v128): v128 {
  let sum = entry<T>(table, index);
  if (terms > 1) sum = v128.add<T>(sum, v128.mul<T>(entry<T>(table, index + 1), x));
  if (terms == 3) sum = v128.add<T>(sum, v128.mul<T>(entry<T>(table, index + 2), x2));
  if (terms == 4) {
    const upper = v128.add<T>(entry<T>(table, index + 2), v128.mul<T>(entry<T>(table, index + 3), x));
    sum = v128.add<T>(sum, v128.mul<T>(upper, x2));
  }
  return sum;
}

/** A polynomial of degree below 20 with ascending coefficients, in blocks of four terms: half as long a chain as Horner's. */
// @ts-ignore: decorator
@inline
export function polynomial<T>(table: usize, degree: i32, x: v128): v128 {
  const x2 = v128.mul<T>(x, x);
  const x4 = v128.mul<T>(x2, x2);
  const top = degree & ~3;
  let sum = block<T>(table, top, degree - top + 1, x, x2);
  if (top > 12) sum = v128.add<T>(block<T>(table, 12, 4, x, x2), v128.mul<T>(x4, sum));
  if (top > 8) sum = v128.add<T>(block<T>(table, 8, 4, x, x2), v128.mul<T>(x4, sum));
  if (top > 4) sum = v128.add<T>(block<T>(table, 4, 4, x, x2), v128.mul<T>(x4, sum));
  if (top > 0) sum = v128.add<T>(block<T>(table, 0, 4, x, x2), v128.mul<T>(x4, sum));
  return sum;
}

/** Where `mask` is set the lane of `a`, else that of `b`. */
// @ts-ignore: decorator
@inline
export function choose(mask: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, mask);
}
