import { gemm } from "./gemm";
import { at, axpy } from "./vector";

/** Rows that are solved one by one; everything between such blocks is a matrix product. */
const BLOCK: i32 = 32;

/**
 * Solves A X = B in place of B[n, columns] (row-major, rows `bStride` apart) for triangular A[n, n] of any strides.
 * `lower` says which triangle is read; with `unit` its diagonal is taken as 1 and not read.
 */
export function solveTriangle(
  n: i32,
  columns: i32,
  a: usize,
  aRow: i32,
  aColumn: i32,
  b: usize,
  bStride: i32,
  lower: bool,
  unit: bool,
): void {
  for (let done = 0; done < n; done += BLOCK) {
    const count = min(BLOCK, n - done);
    const first = lower ? done : n - done - count;
    const block = at(b, bStride, first, 0);
    if (done > 0) {
      // Subtract what the rows already solved contribute.
      const solved = lower ? 0 : first + count;
      const factor = a + ((<usize>first * aRow + <usize>solved * aColumn) << 3);
      gemm<f64>(count, columns, done, factor, aRow, aColumn, at(b, bStride, solved, 0), bStride, 1, block, bStride, -1);
    }
    for (let step = 0; step < count; step++) {
      const i = lower ? first + step : first + count - 1 - step;
      const row = at(b, bStride, i, 0);
      const start = lower ? first : i + 1;
      const end = lower ? i : first + count;
      for (let j = start; j < end; j++) {
        const factor = load<f64>(a + ((<usize>i * aRow + <usize>j * aColumn) << 3));
        axpy(columns, -factor, at(b, bStride, j, 0), row);
      }
      if (!unit) {
        const pivot = load<f64>(a + ((<usize>i * (aRow + aColumn)) << 3));
        for (let j = 0; j < columns; j++) {
          const x = row + ((<usize>j) << 3);
          store<f64>(x, load<f64>(x) / pivot);
        }
      }
    }
  }
}

export function triangularSolve(
  n: i32,
  columns: i32,
  a: usize,
  aRow: i32,
  aColumn: i32,
  b: usize,
  lower: i32,
  unit: i32,
): void {
  solveTriangle(n, columns, a, aRow, aColumn, b, columns, lower != 0, unit != 0);
}
