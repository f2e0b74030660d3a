import { gemm, packRows } from "./gemm";
import { panelA } from "./memory";
import { BLOCK, factorBlock, GIVEN, solveBlock, unpackRows } from "./triangular";
import { at } from "./vector";

/** Rows of X^T X at a time: of these, what lies above the diagonal is computed in vain. */
const STRIP: i32 = 64;

/**
 * Lower Cholesky factor in place of the row-major A[n, n], of which the lower triangle is read; the upper one is
 * cleared. Returns -1, or the index of the first pivot that is not positive.
 */
export function cholesky(n: i32, a: usize): i32 {
  for (let first = 0; first < n; first += BLOCK) {
    const count = min(BLOCK, n - first);
    const end = first + count;
    const left = at(a, n, first, 0);
    const block = at(a, n, first, first);
    if (first > 0) gemm<f64>(n - first, count, first, left, n, 1, left, 1, n, block, n, -1, 0);
    packRows<f64>(panelA(), block, n, 1, count, count, -1);
    const failed = factorBlock(count);
    if (failed >= 0) return first + failed;
    unpackRows(panelA(), block, n, 1, count, count);
    solveBlock(count, n - end, at(a, n, end, first), 1, n, n, GIVEN);
  }
  for (let i = 0; i < n - 1; i++) memory.fill(at(a, n, i, i + 1), 0, (<usize>(n - 1 - i)) << 3);
  return -1;
}

/**
 * A^-1 in place of the lower Cholesky factor L of A, row-major [n, n], of which the lower triangle is read: X = L^-1 is
 * made in x[n, n], then X^T X.
 */
export function choleskyInverse(n: i32, l: usize, x: usize): void {
  const bytes = (<usize>n * <usize>n) << 3;
  memory.fill(x, 0, bytes);
  for (let first = 0; first < n; first += BLOCK) {
    const count = min(BLOCK, n - first);
    const row = at(x, n, first, 0);
    for (let j = 0; j < first; j += BLOCK) {
      gemm<f64>(count, BLOCK, first - j, at(l, n, first, j), n, 1, at(x, n, j, j), n, 1, at(row, n, 0, j), n, -1, BLOCK);
    }
    for (let i = first; i < first + count; i++) store<f64>(at(x, n, i, i), 1);
    packRows<f64>(panelA(), at(l, n, first, first), n, 1, count, count, 1);
    solveBlock(count, first + count, row, n, 1, first, GIVEN);
  }
  memory.fill(l, 0, bytes);
  for (let first = 0; first < n; first += STRIP) {
    const count = min(STRIP, n - first);
    const below = at(x, n, first, 0);
    const columns = first + count;
    gemm<f64>(count, columns, n - first, at(below, n, 0, first), 1, n, below, n, 1, at(l, n, first, 0), n, 1, first);
    for (let i = first; i < columns; i++) {
      for (let j = 0; j < i; j++) store<f64>(at(l, n, j, i), load<f64>(at(l, n, i, j)));
    }
  }
}
