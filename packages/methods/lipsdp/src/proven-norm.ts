import {
  absolute,
  gramOf,
  largestOfGram,
  type Matrix,
  multiplyTransposedVector,
  multiplyVector,
  transposed,
} from "./matrix.js";
import { provePositive, ROUNDOFF } from "./positive-proof.js";

/**
 * @internal A number that is certainly not below ||W||_2, and hardly above it: sigma^2 I - W W^T is proved positive
 * semidefinite (or W^T W, whichever is smaller). Where no proof succeeds, the Frobenius norm.
 */
export function provenNorm(W: Matrix): number {
  const wide = W.rows < W.columns;
  const own = wide ? W : transposed(W);
  const gram = gramOf(own);
  const top = largestOfGram(gram);
  if (!(top > 0)) return frobeniusBound(W);
  const magnitudes = absolute(own);
  const rounding = 2 * (own.columns + 8) * ROUNDOFF;
  for (let slack = 1e-12; slack < 1e-3; slack *= 10) {
    const square = top * (1 + slack);
    const errorTimes = (s: Float64Array): Float64Array => {
      const product = multiplyVector(magnitudes, multiplyTransposedVector(magnitudes, s));
      return product.map((value, i) => rounding * (value + square * s[i]));
    };
    if (provePositive(below(square, gram), errorTimes)) return roundedUp(Math.sqrt(square), 4);
  }
  return frobeniusBound(W);
}

/** `square` I - gram */
function below(square: number, gram: Matrix): Matrix {
  const values = gram.values.map((value) => -value);
  for (let p = 0; p < values.length; p += gram.rows + 1) values[p] += square;
  return { ...gram, values };
}

/** @internal `value` increased by more than `operations` rounding errors can have taken from it. */
export function roundedUp(value: number, operations: number): number {
  return value * (1 + 2 * (operations + 2) * ROUNDOFF);
}

function frobeniusBound(W: Matrix): number {
  let sum = 0;
  for (const value of W.values) sum += value * value;
  return roundedUp(Math.sqrt(sum), W.values.length + 2);
}
