import { gemm } from "./gemm";
import { at, dot } from "./vector";

const BLOCK: i32 = 32;

/**
 * Lower Cholesky factor in place of the row-major A[n, n], of which the lower triangle is read; the upper one is
 * cleared. Returns -1, or the index of the first pivot that is not positive.
 */
export function cholesky(n: i32, a: usize): i32 {
  for (let first = 0; first < n; first += BLOCK) {
    const count = min(BLOCK, n - first);
    const left = at(a, n, first, 0);
    const block = at(a, n, first, first);
    if (first > 0) gemm<f64>(n - first, count, first, left, n, 1, left, 1, n, block, n, -1);
    for (let i = first; i < n; i++) {
      const row = at(a, n, i, first);
      const last = min(i, first + count - 1);
      for (let j = first; j <= last; j++) {
        const other = at(a, n, j, first);
        const value = load<f64>(at(a, n, i, j)) - dot(j - first, row, other);
        if (i == j) {
          if (!(value > 0) || value == Infinity) return i;
          store<f64>(at(a, n, i, i), sqrt(value));
        } else store<f64>(at(a, n, i, j), value / load<f64>(at(a, n, j, j)));
      }
    }
  }
  for (let i = 0; i < n - 1; i++) memory.fill(at(a, n, i, i + 1), 0, (<usize>(n - 1 - i)) << 3);
  return -1;
}
