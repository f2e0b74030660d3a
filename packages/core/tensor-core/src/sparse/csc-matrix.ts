import { type Compressed, checkCompressed } from "./compressed.js";

/**
 * A float64 matrix in compressed sparse columns. Entries of column `j` stand at positions `indptr[j]` to
 * `indptr[j + 1]` of `indices` (rows, strictly increasing) and `values`. Immutable: the arrays are shared, never write
 * to them.
 */
export class CscMatrix {
  /** Tells the storage formats apart. */
  readonly format = "csc";
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** `[columns + 1]` positions at which columns begin. */
  readonly indptr: Int32Array;
  /** `[entries]` row indices. */
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
    if (check) checkCompressed({ major: columns, minor: rows, indptr, indices, values }, "csc");
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
  withValues(values: Float64Array): CscMatrix {
    return new CscMatrix(this.rows, this.columns, this.indptr, this.indices, values, values.length !== this.entries);
  }
}

/** @internal */
export function cscFrom(c: Compressed): CscMatrix {
  return new CscMatrix(c.minor, c.major, c.indptr, c.indices, c.values, false);
}
