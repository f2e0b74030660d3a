import { gemm } from "./gemm";
import { solveTriangle } from "./triangular";
import { at, axpy, swap } from "./vector";

const BLOCK: i32 = 32;

/**
 * P A = L U with partial pivoting in place of the row-major A[rows, columns]. `order` receives, as i32, the row of A
 * that ends up in each row. Returns the number of row exchanges.
 */
export function lu(rows: i32, columns: i32, a: usize, order: usize): i32 {
  for (let i = 0; i < rows; i++) store<i32>(order + ((<usize>i) << 2), i);
  const rank = min(rows, columns);
  let exchanges = 0;
  for (let first = 0; first < rank; first += BLOCK) {
    const end = min(first + BLOCK, rank);
    for (let k = first; k < end; k++) {
      let pivot = k;
      let largest = abs(load<f64>(at(a, columns, k, k)));
      for (let i = k + 1; i < rows; i++) {
        const size = abs(load<f64>(at(a, columns, i, k)));
        if (size > largest) {
          largest = size;
          pivot = i;
        }
      }
      if (pivot != k) {
        swap(columns, at(a, columns, k, 0), at(a, columns, pivot, 0));
        const here = order + ((<usize>k) << 2),
          there = order + ((<usize>pivot) << 2);
        const row = load<i32>(here);
        store<i32>(here, load<i32>(there));
        store<i32>(there, row);
        exchanges++;
      }
      const diagonal = load<f64>(at(a, columns, k, k));
      if (diagonal == 0) continue;
      for (let i = k + 1; i < rows; i++) {
        const factor = load<f64>(at(a, columns, i, k)) / diagonal;
        store<f64>(at(a, columns, i, k), factor);
        if (factor != 0) axpy(end - k - 1, -factor, at(a, columns, k, k + 1), at(a, columns, i, k + 1));
      }
    }
    if (end < columns) {
      const count = end - first;
      const right = at(a, columns, first, end);
      solveTriangle(count, columns - end, at(a, columns, first, first), columns, 1, right, columns, true, true);
      if (end < rows) {
        const below = at(a, columns, end, first);
        const rest = at(a, columns, end, end);
        gemm<f64>(rows - end, columns - end, count, below, columns, 1, right, columns, 1, rest, columns, -1, columns);
      }
    }
  }
  return exchanges;
}
