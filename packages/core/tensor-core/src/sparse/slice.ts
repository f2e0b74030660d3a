import { IndexError, ValueError } from "../errors.js";
import { type Compressed, exchangeMajor, selectMajor } from "./compressed.js";
import type { CscMatrix } from "./csc-matrix.js";
import type { CsrMatrix } from "./csr-matrix.js";
import { requireList, requireSparse } from "./operands.js";
import { compressedForm, fromLists, majorLists, type SparseMatrix } from "./sparse-matrix.js";

/**
 * Rows `start` (default 0) to `end` (excluded, default all). Negative values count from the end, as in `Array.slice`;
 * values outside the matrix are an IndexError, not clamped.
 */
export function sliceRows(a: SparseMatrix, start = 0, end?: number): CsrMatrix | CscMatrix {
  requireSparse("sliceRows", a);
  return select(a, range(a.rows, start, end ?? a.rows, "sliceRows"), "rows");
}

/** Columns `start` to `end` (excluded); see {@link sliceRows}. */
export function sliceColumns(a: SparseMatrix, start = 0, end?: number): CsrMatrix | CscMatrix {
  requireSparse("sliceColumns", a);
  return select(a, range(a.columns, start, end ?? a.columns, "sliceColumns"), "columns");
}

/** The rows with the given indices, in that order; repeats are allowed. @throws IndexError outside the matrix. */
export function selectRows(a: SparseMatrix, rows: ArrayLike<number>): CsrMatrix | CscMatrix {
  requireSparse("selectRows", a);
  return select(a, checkedIndices(rows, a.rows, "selectRows"), "rows");
}

/** The columns with the given indices, in that order; repeats are allowed. @throws IndexError outside the matrix. */
export function selectColumns(a: SparseMatrix, columns: ArrayLike<number>): CsrMatrix | CscMatrix {
  requireSparse("selectColumns", a);
  return select(a, checkedIndices(columns, a.columns, "selectColumns"), "columns");
}

/** The matrix with entry (i, j) equal to `a` at (`rows[i]`, `columns[j]`). */
export function submatrix(a: SparseMatrix, rows: ArrayLike<number>, columns: ArrayLike<number>): CsrMatrix | CscMatrix {
  requireSparse("submatrix", a);
  return selectColumns(selectRows(a, rows), columns);
}

/**
 * Rows and columns in another order: entry (i, j) of the result is `a` at (`rows[i]`, `columns[j]`).
 * @throws ValueError if an argument is not a permutation.
 */
export function permute(a: SparseMatrix, rows: ArrayLike<number>, columns: ArrayLike<number>): CsrMatrix | CscMatrix {
  requireSparse("permute", a);
  checkPermutation(rows, a.rows, "permute: rows");
  checkPermutation(columns, a.columns, "permute: columns");
  return submatrix(a, rows, columns);
}

/** @internal @throws ValueError unless `order` holds each of 0 to n - 1 once. */
export function checkPermutation(order: ArrayLike<number>, n: number, name: string): void {
  requireList(name.replace(/:.*/, ""), order, "indices");
  const seen = new Uint8Array(n);
  let valid = order.length === n;
  for (let k = 0; valid && k < n; k++) {
    valid = seen[order[k]] === 0;
    seen[order[k]] = 1;
  }
  if (!valid) throw new ValueError(`${name} must be a permutation of 0 to ${n - 1}`);
}

function select(a: SparseMatrix, order: Int32Array, axis: "rows" | "columns"): CsrMatrix | CscMatrix {
  const compressed = compressedForm(a);
  const lists = majorLists(compressed);
  const alongMajor = (compressed.format === "csr") === (axis === "rows");
  const chosen: Compressed = alongMajor
    ? selectMajor(lists, order)
    : exchangeMajor(selectMajor(exchangeMajor(lists), order));
  return fromLists(chosen, compressed.format);
}

function range(extent: number, start: number, end: number, operation: string): Int32Array {
  const first = start < 0 ? start + extent : start;
  const last = end < 0 ? end + extent : end;
  if (!(Number.isInteger(first) && Number.isInteger(last) && first >= 0 && last <= extent)) {
    throw new IndexError(`${operation}: ${start} to ${end} is outside an extent of ${extent}`);
  }
  return Int32Array.from({ length: Math.max(0, last - first) }, (_, k) => first + k);
}

function checkedIndices(indices: ArrayLike<number>, extent: number, operation: string): Int32Array {
  requireList(operation, indices, "indices");
  for (let k = 0; k < indices.length; k++) {
    const i = indices[k];
    if (!(Number.isInteger(i) && i >= 0 && i < extent)) {
      throw new IndexError(`${operation}: index ${i} at position ${k} is outside [0, ${extent})`);
    }
  }
  return Int32Array.from(indices);
}
