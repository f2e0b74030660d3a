import { IndexError, ShapeError } from "../errors.js";
import { checkSize } from "./dense-operand.js";

/**
 * A float64 matrix as coordinates: entry `k` adds `values[k]` at (`rowIndices[k]`, `columnIndices[k]`). Any order;
 * duplicates stand for their sum. Immutable: the arrays are shared, never write to them.
 */
export class CooMatrix {
  /** Tells the storage formats apart. */
  readonly format = "coo";
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** `[entries]` row indices. */
  readonly rowIndices: Int32Array;
  /** `[entries]` column indices. */
  readonly columnIndices: Int32Array;
  /** `[entries]` values. */
  readonly values: Float64Array;

  /**
   * Wraps arrays without copying them.
   * @throws ShapeError for arrays of different length; IndexError for an index outside the matrix.
   */
  constructor(rows: number, columns: number, rowIndices: Int32Array, columnIndices: Int32Array, values: Float64Array) {
    checkSize(rows, "coo matrix: rows");
    checkSize(columns, "coo matrix: columns");
    if (rowIndices.length !== values.length || columnIndices.length !== values.length) {
      throw new ShapeError(
        `coo matrix: row indices, column indices and values must have equal length, got ` +
          `${rowIndices.length}, ${columnIndices.length} and ${values.length}`,
      );
    }
    for (let k = 0; k < values.length; k++) {
      const [i, j] = [rowIndices[k], columnIndices[k]];
      if (i < 0 || i >= rows || j < 0 || j >= columns) {
        throw new IndexError(`coo matrix: entry ${k} at (${i}, ${j}) is outside a ${rows} x ${columns} matrix`);
      }
    }
    this.rows = rows;
    this.columns = columns;
    this.rowIndices = rowIndices;
    this.columnIndices = columnIndices;
    this.values = values;
  }

  /** `[rows, columns]`. */
  get shape(): readonly [number, number] {
    return [this.rows, this.columns];
  }

  /** Number of stored entries, duplicates counted. */
  get entries(): number {
    return this.values.length;
  }
}
