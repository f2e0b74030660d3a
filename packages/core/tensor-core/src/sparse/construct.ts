import { IndexError, ShapeError } from "../errors.js";
import { compressTriplets } from "./compressed.js";
import { CooMatrix } from "./coo-matrix.js";
import { type CsrMatrix, csrFrom } from "./csr-matrix.js";
import { checkSize, type MatrixLike, readMatrix, readVector, type VectorLike } from "./dense-operand.js";
import { requireList, requireSparse } from "./operands.js";
import { type SparseMatrix, toCsr } from "./sparse-matrix.js";

/**
 * A CSR matrix from coordinates: `values[k]` is added at (`rowIndices[k]`, `columnIndices[k]`), so that duplicates sum.
 * Linear time.
 *
 * @throws ShapeError for arrays of different length; IndexError for an index outside the matrix or not an integer.
 */
export function fromTriplets(
  rows: number,
  columns: number,
  rowIndices: ArrayLike<number>,
  columnIndices: ArrayLike<number>,
  values: ArrayLike<number>,
): CsrMatrix {
  requireList("fromTriplets", rowIndices, "row indices");
  requireList("fromTriplets", columnIndices, "column indices");
  requireList("fromTriplets", values, "numbers");
  return toCsr(
    new CooMatrix(
      rows,
      columns,
      integers(rowIndices, "rowIndices"),
      integers(columnIndices, "columnIndices"),
      values instanceof Float64Array ? values : Float64Array.from(values),
    ),
  );
}

function integers(x: ArrayLike<number>, name: string): Int32Array {
  if (x instanceof Int32Array) return x;
  for (let k = 0; k < x.length; k++) {
    if ((x[k] | 0) !== x[k]) throw new IndexError(`fromTriplets: ${name}[${k}] must be an integer, got ${x[k]}`);
  }
  return Int32Array.from(x);
}

/** The nonzero entries of a dense matrix as CSR. */
export function fromDense(x: MatrixLike): CsrMatrix {
  const { shape, values } = readMatrix(x, "fromDense: x");
  const [rows, columns] = shape;
  let count = 0;
  for (let k = 0; k < values.length; k++) if (values[k] !== 0) count++;
  const indptr = new Int32Array(rows + 1);
  const indices = new Int32Array(count);
  const stored = new Float64Array(count);
  let used = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const value = values[i * columns + j];
      if (value === 0) continue;
      indices[used] = j;
      stored[used++] = value;
    }
    indptr[i + 1] = used;
  }
  return csrFrom({ major: rows, minor: columns, indptr, indices, values: stored });
}

/** The `n` x `n` identity. */
export function identity(n: number): CsrMatrix {
  checkSize(n, "identity: n");
  return diagonal(new Float64Array(n).fill(1));
}

/** A square matrix with `values` on the diagonal `offset` places to the right of the main one (default 0). */
export function diagonal(values: VectorLike, offset = 0): CsrMatrix {
  if (typeof values !== "object" || values === null) requireList("diagonal", values, "numbers");
  const length = "data" in values ? values.size : values.length;
  const entries = readVector(values, length, "diagonal: values");
  const n = length + Math.abs(offset);
  const rowIndices = new Int32Array(length);
  const columnIndices = new Int32Array(length);
  for (let k = 0; k < length; k++) {
    rowIndices[k] = k + Math.max(0, -offset);
    columnIndices[k] = k + Math.max(0, offset);
  }
  return csrFrom(compressTriplets(n, n, rowIndices, columnIndices, entries));
}

/** The main diagonal, `[min(rows, columns)]`; absent entries are 0. */
export function diagonalOf(a: SparseMatrix): Float64Array {
  requireSparse("diagonalOf", a);
  const { indptr, indices, values, rows, columns } = toCsr(a);
  const result = new Float64Array(Math.min(rows, columns));
  for (let i = 0; i < result.length; i++) {
    for (let p = indptr[i]; p < indptr[i + 1] && indices[p] <= i; p++) if (indices[p] === i) result[i] = values[p];
  }
  return result;
}

/** The entry at (`row`, `column`), 0 if it is not stored. @throws IndexError outside the matrix. */
export function entryAt(a: SparseMatrix, row: number, column: number): number {
  requireSparse("entryAt", a);
  if (!(row >= 0 && row < a.rows && column >= 0 && column < a.columns)) {
    throw new IndexError(`entryAt: (${row}, ${column}) is outside a ${a.rows} x ${a.columns} matrix`);
  }
  if (a.format === "coo") {
    let sum = 0;
    for (let k = 0; k < a.entries; k++) {
      if (a.rowIndices[k] === row && a.columnIndices[k] === column) sum += a.values[k];
    }
    return sum;
  }
  const [list, target] = a.format === "csr" ? [row, column] : [column, row];
  let low = a.indptr[list];
  let high = a.indptr[list + 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (a.indices[middle] < target) low = middle + 1;
    else high = middle;
  }
  return low < a.indptr[list + 1] && a.indices[low] === target ? a.values[low] : 0;
}

/** @internal @throws ShapeError unless both have the shape of a sum. */
export function checkSameShape(a: SparseMatrix, b: SparseMatrix, operation: string): void {
  if (a.rows !== b.rows || a.columns !== b.columns) {
    throw new ShapeError(`${operation}: shapes [${a.shape}] and [${b.shape}] must be equal`);
  }
}
