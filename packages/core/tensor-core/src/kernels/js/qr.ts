import { VANISHING } from "../scaling.js";

/**
 * Householder QR of the row-major A[rows, columns], k = min(rows, columns): A is overwritten by R on and above the
 * diagonal and the reflectors below; `q`[rows, k], zero at the start, receives the orthonormal columns.
 */
export function jsQr(a: Float64Array, rows: number, columns: number, q: Float64Array): void {
  const k = Math.min(rows, columns);
  const taus = new Float64Array(k);
  for (let j = 0; j < k; j++) {
    let rest = 0;
    for (let i = j + 1; i < rows; i++) rest += a[i * columns + j]! ** 2;
    if (rest < VANISHING) continue;
    const head = a[j * columns + j]!;
    const norm = Math.sqrt(head * head + rest);
    const beta = head > 0 ? -norm : norm;
    for (let i = j + 1; i < rows; i++) a[i * columns + j]! /= head - beta;
    a[j * columns + j] = beta;
    taus[j] = (beta - head) / beta;
    reflect(a, rows, columns, j, taus[j]!, a, columns, j + 1);
  }
  for (let j = k - 1; j >= 0; j--) {
    q[j * k + j] = 1;
    reflect(a, rows, columns, j, taus[j]!, q, k, j);
  }
}

/** Rows j and below of B[rows, columns], from column `first` on, times I - tau v v^T; v is column j of A below its 1. */
function reflect(
  a: Float64Array,
  rows: number,
  aColumns: number,
  j: number,
  tau: number,
  b: Float64Array,
  columns: number,
  first: number,
): void {
  if (tau === 0) return;
  const w = b.slice(j * columns, (j + 1) * columns);
  for (let i = j + 1; i < rows; i++) {
    const v = a[i * aColumns + j]!;
    for (let c = first; c < columns; c++) w[c]! += v * b[i * columns + c]!;
  }
  for (let i = j; i < rows; i++) {
    const v = tau * (i === j ? 1 : a[i * aColumns + j]!);
    for (let c = first; c < columns; c++) b[i * columns + c]! -= v * w[c]!;
  }
}
