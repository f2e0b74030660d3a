import { type Compressed, checkCompressed } from "./compressed.js";

/**
 * A float64 matrix in compressed sparse rows. Entries of row `i` stand at positions `indptr[i]` to `indptr[i + 1]` of
 * `indices` (columns, strictly increasing) and `values`. Immutable: the arrays are shared, never write to them.
 */
export class CsrMatrix {
  /** Tells the storage formats apart. */
  readonly format = "csr";
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** `[rows + 1]` positions at which rows begin. */
  readonly indptr: Int32Array;
  /** `[entries]` column indices. */
  readonly indices: Int32Array;
  /** `[entries]` values; stored zeros are kept. */
  readonly values: Float64Array;

  /**
   * Wraps arrays without copying them. `check` (default true) validates them in linear time.
   * @throws ShapeError, ValueError or IndexError if the arrays are not a valid matrix.
   */
  constructor(
    rows: number,
    columns: number,
    indptr: Int32Array,
    indices: Int32Array,
    values: Float64Array,
    check = true,
  ) {
    this.rows = rows;
    this.columns = columns;
    this.indptr = indptr;
    this.indices = indices;
    this.values = values;
    if (check) checkCompressed({ major: rows, minor: columns, indptr, indices, values }, "csr");
  }

  /** `[rows, columns]`. */
  get shape(): readonly [number, number] {
    return [this.rows, this.columns];
  }

  /** Number of stored entries. */
  get entries(): number {
    return this.values.length;
  }

  /** The same pattern with other values (shared, not copied), in the order of `values`. */
  withValues(values: Float64Array): CsrMatrix {
    return new CsrMatrix(this.rows, this.columns, this.indptr, this.indices, values, values.length !== this.entries);
  }
}

/** @internal */
export function csrFrom(c: Compressed): CsrMatrix {
  return new CsrMatrix(c.major, c.minor, c.indptr, c.indices, c.values, false);
}
