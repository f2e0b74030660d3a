import { FormatError } from "@offprint/tensor-core";

/** A matrix compressed by rows, as a file holds it. */
interface SparseRows {
  readonly shape: readonly [rows: number, columns: number];
  readonly indptr: ArrayLike<number>;
  readonly indices: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/**
 * Checks that the parts of a matrix fit each other, so that a loop over them ends where the file does.
 * @throws FormatError where they do not.
 */
export function checkSparseRows(what: string, { shape, indptr, indices, values }: SparseRows): void {
  const [rows, columns] = shape;
  const entries = indices.length;
  let fits = isCount(rows) && isCount(columns) && indptr.length === rows + 1 && entries === values.length;
  for (let i = 0, last = 0; fits && i <= rows; last = indptr[i++]) {
    fits = Number.isInteger(indptr[i]) && indptr[i] >= last && indptr[i] <= entries;
  }
  for (let p = 0; fits && p < entries; p++) {
    fits = Number.isInteger(indices[p]) && indices[p] >= 0 && indices[p] < columns;
  }
  if (!fits) throw new FormatError(`${what}: the parts of a sparse matrix of shape [${shape}] do not fit each other`);
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

const FREE_CELLS = 2 ** 22;
const CELLS_PER_ENTRY = 1024;
const MOST_CELLS = 2 ** 29;

/**
 * Features of graphs are dense tensors. A file may ask for 2^22 numbers, for 1024 times as many as it holds, and never
 * for more than 2^29.
 * @throws FormatError where it asks for more.
 */
export function checkDense(what: string, shape: readonly [number, number], entries: number): void {
  const cells = shape[0] * shape[1];
  if (cells > MOST_CELLS || cells > FREE_CELLS + CELLS_PER_ENTRY * entries) {
    throw new FormatError(
      `${what}: ${shape[0]} rows of ${shape[1]} features, of which the file holds ${entries} numbers, are more than is ` +
        "read; leave out empty columns and rows",
    );
  }
}
