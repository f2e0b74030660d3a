import { at, axpy, reflector } from "./vector";

/** B -= tau v (v^T B) for the rows of B[rows, columns]; `v` has the given stride, `work` room for one row. */
function reflect(rows: i32, columns: i32, tau: f64, v: usize, vStride: i32, b: usize, bStride: i32, work: usize): void {
  memory.fill(work, 0, (<usize>columns) << 3);
  for (let i = 0; i < rows; i++) axpy(columns, load<f64>(at(v, vStride, i, 0)), at(b, bStride, i, 0), work);
  for (let i = 0; i < rows; i++) axpy(columns, -tau * load<f64>(at(v, vStride, i, 0)), work, at(b, bStride, i, 0));
}

/**
 * Householder QR of the row-major A[rows, columns], k = min(rows, columns). A is overwritten by its reflectors and R;
 * `q`[rows, k] receives the orthonormal columns. `work` has room for rows + columns + k elements.
 */
export function qr(rows: i32, columns: i32, a: usize, q: usize, work: usize): void {
  const k = min(rows, columns);
  const column = work;
  const row = at(work, 1, rows, 0);
  const taus = at(row, 1, columns, 0);
  for (let j = 0; j < k; j++) {
    const height = rows - j;
    for (let i = 0; i < height; i++) store<f64>(at(column, 1, i, 0), load<f64>(at(a, columns, j + i, j)));
    const tau = reflector(height, column);
    store<f64>(at(taus, 1, j, 0), tau);
    for (let i = 0; i < height; i++) store<f64>(at(a, columns, j + i, j), load<f64>(at(column, 1, i, 0)));
    store<f64>(column, 1);
    if (tau != 0 && j + 1 < columns) {
      reflect(height, columns - j - 1, tau, column, 1, at(a, columns, j, j + 1), columns, row);
    }
  }
  memory.fill(q, 0, (<usize>(rows * k)) << 3);
  for (let j = k - 1; j >= 0; j--) {
    const height = rows - j;
    store<f64>(at(q, k, j, j), 1);
    for (let i = 1; i < height; i++) store<f64>(at(column, 1, i, 0), load<f64>(at(a, columns, j + i, j)));
    store<f64>(column, 1);
    const tau = load<f64>(at(taus, 1, j, 0));
    if (tau != 0) reflect(height, k - j, tau, column, 1, at(q, k, j, j), k, row);
  }
}
