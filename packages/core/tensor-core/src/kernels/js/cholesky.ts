/**
 * Lower Cholesky factor in place of the row-major A[n, n], of which the lower triangle is read; the upper one is
 * cleared. Returns -1, or the index of the first pivot that is not positive.
 */
export function jsCholesky(a: Float64Array, n: number): number {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let value = a[i * n + j]!;
      for (let k = 0; k < j; k++) value -= a[i * n + k]! * a[j * n + k]!;
      if (i !== j) a[i * n + j] = value / a[j * n + j]!;
      else if (!(value > 0) || value === Number.POSITIVE_INFINITY) return i;
      else a[i * n + i] = Math.sqrt(value);
    }
    a.fill(0, i * n + i + 1, (i + 1) * n);
  }
  return -1;
}
