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

/** A^-1 in place of its lower Cholesky factor L[n, n], of which the lower triangle is read: L^-1, then its Gram matrix. */
export function jsCholeskyInverse(l: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) {
    const first = 1 / l[j * n + j]!;
    // Column j of L^-1 lies above the diagonal, in row j, so that L is still there for the next.
    for (let i = j + 1; i < n; i++) {
      let sum = l[i * n + j]! * first;
      for (let k = j + 1; k < i; k++) sum += l[i * n + k]! * l[j * n + k]!;
      l[j * n + i] = -sum / l[i * n + i]!;
    }
  }
  for (let i = 0; i < n; i++) l[i * n + i] = 1 / l[i * n + i]!;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = i; k < n; k++) sum += l[i * n + k]! * l[j * n + k]!;
      l[i * n + j] = sum;
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) l[j * n + i] = l[i * n + j]!;
}
