import { cholesky } from "@offprint/tensor-core/internal";
import type { Matrix } from "./matrix.js";

/** Unit roundoff of float64. */
export const ROUNDOFF = 2 ** -53;

/**
 * @internal Proves that every symmetric matrix within an error bound of `X` is positive semidefinite, in spite of
 * rounding: after a scaling by powers of two, which is exact, a floating-point Cholesky factorisation of X minus a
 * multiple of I runs to its end only if X is positive definite, when the multiple is at least (n + 1) u tr X plus the
 * norm of the error (Rump, "Verification of positive definiteness", 2006; twice that is subtracted here). The answer
 * `false` says nothing.
 *
 * @param X `[n, n]`, symmetric; the lower triangle is read
 * @param errorTimes an upper bound of E s for positive s, where |X - exact| <= E entry by entry
 */
export function provePositive(X: Matrix, errorTimes: (s: Float64Array) => Float64Array): boolean {
  const n = X.rows;
  const s = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const diagonal = X.values[i * n + i];
    if (!(diagonal > 0) || !Number.isFinite(diagonal)) return false;
    s[i] = 2 ** -Math.round(Math.log2(diagonal) / 2);
  }
  // ||S E S||_2 <= max_i s_i (E s)_i, as S E S is symmetric and nonnegative.
  const error = errorTimes(s);
  let norm = 0;
  let trace = 0;
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    norm = Math.max(norm, s[i] * error[i]);
    for (let j = 0; j <= i; j++) a[i * n + j] = X.values[i * n + j] * s[i] * s[j];
    trace += a[i * n + i];
  }
  const shift = 2 * ((n + 4) * ROUNDOFF * trace + norm);
  if (!(shift < 1)) return false;
  for (let i = 0; i < n; i++) a[i * n + i] -= shift;
  return completes(a, n);
}

/** From this order on the host kernel is faster: it sums in another order, which the bound of the error allows. */
const KERNEL_FROM = 64;

/** Whether the factorisation of the lower triangle meets positive pivots only. */
function completes(a: Float64Array, n: number): boolean {
  if (n >= KERNEL_FROM) return cholesky(a, n).failedPivot < 0;
  for (let i = 0; i < n; i++) {
    const row = i * n;
    let pivot = a[row + i];
    for (let j = 0; j < i; j++) {
      const other = j * n;
      let sum = a[row + j];
      for (let k = 0; k < j; k++) sum -= a[row + k] * a[other + k];
      sum /= a[other + j];
      a[row + j] = sum;
      pivot -= sum * sum;
    }
    if (!(pivot > 0) || !Number.isFinite(pivot)) return false;
    a[row + i] = Math.sqrt(pivot);
  }
  return true;
}
