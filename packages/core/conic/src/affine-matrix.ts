import { ShapeError } from "@offprint/tensor-core";

/** Rows of numbers of equal length. */
export type NumberRows = readonly (readonly number[])[];

/**
 * A matrix whose entries are affine functions of the variables of a `ConicModel`: a constant, and for every variable
 * the sparse matrix that it multiplies. Immutable.
 */
export class AffineMatrix {
  /** @internal */
  constructor(
    /** Number of rows. */
    readonly rows: number,
    /** Number of columns. */
    readonly columns: number,
    /** @internal `[rows, columns]` row-major. */
    readonly constant: Float64Array,
    /** @internal By variable: entries by their row-major place. */
    readonly terms: ReadonlyMap<number, ReadonlyMap<number, number>>,
  ) {}

  /** A matrix without variables. */
  static constant(matrix: NumberRows): AffineMatrix {
    const columns = matrix[0]?.length ?? 0;
    if (matrix.some((row) => row.length !== columns)) throw new ShapeError("constant: rows of unequal length");
    return new AffineMatrix(matrix.length, columns, Float64Array.from(matrix.flat()), new Map());
  }

  /** `scale` times the identity of order n. */
  static identity(n: number, scale = 1): AffineMatrix {
    const constant = new Float64Array(n * n);
    for (let i = 0; i < n; i++) constant[i * n + i] = scale;
    return new AffineMatrix(n, n, constant, new Map());
  }

  /** Zeros. */
  static zeros(rows: number, columns: number): AffineMatrix {
    return new AffineMatrix(rows, columns, new Float64Array(rows * columns), new Map());
  }

  /** A matrix of blocks, whose rows and columns must line up. */
  static block(blocks: readonly (readonly AffineMatrix[])[]): AffineMatrix {
    const rows = blocks.reduce((total, row) => total + row[0].rows, 0);
    const columns = blocks[0].reduce((total, block) => total + block.columns, 0);
    let result = AffineMatrix.zeros(rows, columns);
    let top = 0;
    for (const row of blocks) {
      let left = 0;
      for (const block of row) {
        if (block.rows !== row[0].rows || left + block.columns > columns) {
          throw new ShapeError(`block: a [${block.rows}, ${block.columns}] block does not line up with the others`);
        }
        result = result.plus(block.placed(rows, columns, top, left));
        left += block.columns;
      }
      top += row[0].rows;
    }
    return result;
  }

  /** Matrices of one width, one below the other. */
  static stack(parts: readonly AffineMatrix[]): AffineMatrix {
    const columns = parts[0]?.columns ?? 0;
    if (parts.some((part) => part.columns !== columns)) throw new ShapeError("stack: matrices of unequal width");
    const rows = parts.reduce((total, part) => total + part.rows, 0);
    const constant = new Float64Array(rows * columns);
    const terms = new Map<number, Map<number, number>>();
    let offset = 0;
    for (const part of parts) {
      constant.set(part.constant, offset);
      for (const [k, entries] of part.terms) {
        const own = terms.get(k) ?? new Map<number, number>();
        for (const [place, value] of entries) own.set(offset + place, value);
        terms.set(k, own);
      }
      offset += part.rows * columns;
    }
    return new AffineMatrix(rows, columns, constant, terms);
  }

  /** This as a block of zeros. */
  private placed(rows: number, columns: number, top: number, left: number): AffineMatrix {
    return this.mapEntries(rows, columns, (i, j, value, add) => add(top + i, left + j, value));
  }

  /** Sum of two matrices of one shape. */
  plus(other: AffineMatrix): AffineMatrix {
    this.checkShape(other, "plus");
    const terms = new Map(this.terms);
    for (const [k, entries] of other.terms) {
      const own = new Map(terms.get(k) ?? []);
      for (const [place, value] of entries) own.set(place, (own.get(place) ?? 0) + value);
      terms.set(k, own);
    }
    const constant = this.constant.map((value, p) => value + other.constant[p]);
    return new AffineMatrix(this.rows, this.columns, constant, terms);
  }

  /** Difference of two matrices of one shape. */
  minus(other: AffineMatrix): AffineMatrix {
    return this.plus(other.times(-1));
  }

  /** Product with a number. */
  times(factor: number): AffineMatrix {
    return this.mapEntries(this.rows, this.columns, (i, j, value, add) => add(i, j, factor * value));
  }

  /** The transpose. */
  transposed(): AffineMatrix {
    return this.mapEntries(this.columns, this.rows, (i, j, value, add) => add(j, i, value));
  }

  /** `left this right` with constant matrices. */
  between(left: NumberRows, right: NumberRows): AffineMatrix {
    return this.leftTimes(left).rightTimes(right);
  }

  /** `left this` with a constant matrix. */
  leftTimes(left: NumberRows): AffineMatrix {
    if (left.some((row) => row.length !== this.rows)) {
      throw new ShapeError(`leftTimes: the factor must have ${this.rows} columns`);
    }
    return this.mapEntries(left.length, this.columns, (i, j, value, add) => {
      for (let r = 0; r < left.length; r++) if (left[r][i] !== 0) add(r, j, left[r][i] * value);
    });
  }

  /** `this right` with a constant matrix. */
  rightTimes(right: NumberRows): AffineMatrix {
    const columns = right[0]?.length ?? 0;
    if (right.length !== this.columns || right.some((row) => row.length !== columns)) {
      throw new ShapeError(`rightTimes: the factor must have ${this.columns} rows of one length`);
    }
    return this.mapEntries(this.rows, columns, (i, j, value, add) => {
      for (let c = 0; c < columns; c++) if (right[j][c] !== 0) add(i, c, value * right[j][c]);
    });
  }

  /** Entry by entry times a constant matrix of the same shape. */
  entrywise(factors: NumberRows): AffineMatrix {
    if (factors.length !== this.rows || factors.some((row) => row.length !== this.columns)) {
      throw new ShapeError(`entrywise: the factors must be [${this.rows}, ${this.columns}]`);
    }
    return this.mapEntries(this.rows, this.columns, (i, j, value, add) => {
      if (factors[i][j] !== 0) add(i, j, factors[i][j] * value);
    });
  }

  /** One row, `[1, columns]`. */
  row(index: number): AffineMatrix {
    return this.mapEntries(1, this.columns, (i, j, value, add) => {
      if (i === index) add(0, j, value);
    });
  }

  /** Kronecker product with the identity: every entry becomes that multiple of I_n (on both sides of a diagonal). */
  kroneckerIdentity(n: number): AffineMatrix {
    return this.mapEntries(this.rows * n, this.columns * n, (i, j, value, add) => {
      for (let k = 0; k < n; k++) add(i * n + k, j * n + k, value);
    });
  }

  /** Sum of the diagonal, `[1, 1]`. */
  trace(): AffineMatrix {
    return this.mapEntries(1, 1, (i, j, value, add) => {
      if (i === j) add(0, 0, value);
    });
  }

  /** Sum of all entries, `[1, 1]`. */
  sum(): AffineMatrix {
    return this.mapEntries(1, 1, (_i, _j, value, add) => add(0, 0, value));
  }

  /** One entry, `[1, 1]`. */
  entry(row: number, column: number): AffineMatrix {
    return this.mapEntries(1, 1, (i, j, value, add) => {
      if (i === row && j === column) add(0, 0, value);
    });
  }

  /** The value at `x`, `[rows, columns]` row-major. */
  at(x: ArrayLike<number>): Float64Array {
    const out = this.constant.slice();
    for (const [k, entries] of this.terms) for (const [place, value] of entries) out[place] += value * x[k];
    return out;
  }

  private mapEntries(
    rows: number,
    columns: number,
    visit: (i: number, j: number, value: number, add: (i: number, j: number, value: number) => void) => void,
  ): AffineMatrix {
    const constant = new Float64Array(rows * columns);
    for (let p = 0; p < this.constant.length; p++) {
      if (this.constant[p] === 0) continue;
      visit(Math.floor(p / this.columns), p % this.columns, this.constant[p], (i, j, value) => {
        constant[i * columns + j] += value;
      });
    }
    const terms = new Map<number, Map<number, number>>();
    for (const [k, entries] of this.terms) {
      const mapped = new Map<number, number>();
      for (const [p, value] of entries) {
        visit(Math.floor(p / this.columns), p % this.columns, value, (i, j, part) => {
          mapped.set(i * columns + j, (mapped.get(i * columns + j) ?? 0) + part);
        });
      }
      terms.set(k, mapped);
    }
    return new AffineMatrix(rows, columns, constant, terms);
  }

  private checkShape(other: AffineMatrix, operation: string): void {
    if (other.rows === this.rows && other.columns === this.columns) return;
    throw new ShapeError(
      `${operation}: shapes [${this.rows}, ${this.columns}] and [${other.rows}, ${other.columns}] must be equal`,
    );
  }
}
