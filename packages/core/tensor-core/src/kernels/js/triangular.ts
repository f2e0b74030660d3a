/**
 * Solves op(A) X = B in place of the row-major B[n, columns], for the row-major triangular A[n, n] and op the identity
 * or the transpose. With `unit` the diagonal is taken as 1 and not read.
 */
export function jsTriangularSolve(
  a: Float64Array,
  n: number,
  b: Float64Array,
  columns: number,
  lower: boolean,
  transpose: boolean,
  unit: boolean,
): void {
  const forward = lower !== transpose;
  for (let step = 0; step < n; step++) {
    const i = forward ? step : n - 1 - step;
    const row = i * columns;
    const start = forward ? 0 : i + 1;
    const end = forward ? i : n;
    if (columns === 1 && !transpose) {
      let sum = 0;
      for (let j = start; j < end; j++) sum += a[i * n + j]! * b[j]!;
      b[i]! -= sum;
    } else if (!transpose) {
      for (let j = start; j < end; j++) subtractRow(b, j * columns, row, columns, a[i * n + j]!);
    }
    if (!unit) for (let c = 0; c < columns; c++) b[row + c]! /= a[i * n + i]!;
    // The transpose is walked by columns of op(A), which are rows of A: row i is final, the rest follows from it.
    if (transpose) {
      const from = forward ? i + 1 : 0;
      const to = forward ? n : i;
      if (columns === 1) {
        const x = b[i]!;
        for (let j = from; j < to; j++) b[j]! -= a[i * n + j]! * x;
      } else for (let j = from; j < to; j++) subtractRow(b, row, j * columns, columns, a[i * n + j]!);
    }
  }
}

function subtractRow(b: Float64Array, from: number, to: number, columns: number, factor: number): void {
  for (let c = 0; c < columns; c++) b[to + c]! -= factor * b[from + c]!;
}
