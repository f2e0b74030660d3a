import { linalg, tensor } from "@offprint/tensor-core";

/** Columns whose part that is new to the columns before them is smaller than this need a singular value decomposition. */
const INDEPENDENT = 1e-10;

/**
 * The x [columns] of least norm among those that make |a x - y| smallest, for a row-major `a` [rows, columns] of few
 * columns. Householder reflections where the columns are independent, singular values otherwise.
 */
export function leastSquares(a: Float64Array, rows: number, columns: number, y: Float64Array): Float64Array {
  if (columns === 0) return new Float64Array(0);
  return (
    (rows >= columns && byReflections(a.slice(), rows, columns, y.slice())) || bySingularValues(a, rows, columns, y)
  );
}

/** The unique solution, or undefined where columns are nearly dependent. Overwrites its arguments. */
function byReflections(a: Float64Array, rows: number, columns: number, y: Float64Array): Float64Array | undefined {
  let largest = 0;
  for (let j = 0; j < columns; j++) {
    let squares = 0;
    for (let i = j; i < rows; i++) squares += a[i * columns + j]! ** 2;
    const norm = Math.sqrt(squares);
    largest = Math.max(largest, norm);
    if (!(norm > INDEPENDENT * largest)) return undefined;
    const head = a[j * columns + j]!;
    const beta = head > 0 ? -norm : norm;
    const pivot = head - beta;
    a[j * columns + j] = pivot;
    const factor = -1 / (beta * pivot);
    for (let c = j + 1; c <= columns; c++) {
      let inner = 0;
      for (let i = j; i < rows; i++) inner += a[i * columns + j]! * (c < columns ? a[i * columns + c]! : y[i]!);
      inner *= factor;
      for (let i = j; i < rows; i++) {
        if (c < columns) a[i * columns + c]! -= inner * a[i * columns + j]!;
        else y[i]! -= inner * a[i * columns + j]!;
      }
    }
    a[j * columns + j] = beta;
  }
  const x = new Float64Array(columns);
  for (let j = columns - 1; j >= 0; j--) {
    let sum = y[j]!;
    for (let c = j + 1; c < columns; c++) sum -= a[j * columns + c]! * x[c]!;
    x[j] = sum / a[j * columns + j]!;
  }
  return x;
}

function bySingularValues(a: Float64Array, rows: number, columns: number, y: Float64Array): Float64Array {
  const { u, s, vt } = linalg.svd(tensor(a, { shape: [rows, columns] }));
  const [left, singular, right] = [u.data(), s.data(), vt.data()];
  const count = singular.length;
  const cutoff = Math.max(rows, columns) * Number.EPSILON * singular[0]!;
  const x = new Float64Array(columns);
  for (let k = 0; k < count && singular[k]! > cutoff; k++) {
    let inner = 0;
    for (let i = 0; i < rows; i++) inner += left[i * count + k]! * y[i]!;
    for (let j = 0; j < columns; j++) x[j]! += (inner / singular[k]!) * right[k * columns + j]!;
  }
  return x;
}
