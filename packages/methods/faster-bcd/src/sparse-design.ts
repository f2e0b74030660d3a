import type { sparse } from "@offprint/tensor-core";
import type { ColumnProduct, DesignMatrix } from "./design-matrix.js";

/** A sparse matrix, by rows and by columns. */
export class SparseDesign implements DesignMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Counts products, so that a row's stamp tells whether the present one touched it. */
  #stamp = 0;
  readonly #stamps: Float64Array;
  /** Zero outside a call. */
  readonly #work: Float64Array;

  constructor(
    private readonly byRows: sparse.CsrMatrix,
    private readonly byColumns: sparse.CscMatrix,
  ) {
    this.rows = byRows.rows;
    this.columns = byRows.columns;
    this.#stamps = new Float64Array(this.rows);
    this.#work = new Float64Array(this.rows);
  }

  emptyProduct(): ColumnProduct {
    return { values: new Float64Array(this.rows), rows: new Int32Array(this.rows), count: 0 };
  }

  product(block: Int32Array, d: Float64Array, into: ColumnProduct): void {
    const { values: w, rows } = into;
    for (let k = 0; k < into.count; k++) w[rows[k]] = 0;
    const stamps = this.#stamps;
    const stamp = ++this.#stamp;
    let count = 0;
    const { indptr, indices, values } = this.byColumns;
    for (let k = 0; k < block.length; k++) {
      const factor = d[k];
      if (factor === 0) continue;
      for (let p = indptr[block[k]], end = indptr[block[k] + 1]; p < end; p++) {
        const i = indices[p];
        if (stamps[i] !== stamp) {
          stamps[i] = stamp;
          rows[count++] = i;
        }
        w[i] += factor * values[p];
      }
    }
    into.count = count;
  }

  transposed(s: Float64Array, out: Float64Array): void {
    const { indptr, indices, values } = this.byColumns;
    for (let j = 0; j < this.columns; j++) {
      let total = 0;
      for (let p = indptr[j]; p < indptr[j + 1]; p++) total += values[p] * s[indices[p]];
      out[j] = total;
    }
  }

  transposedBlock(s: Float64Array, block: Int32Array, out: Float64Array): void {
    const { indptr, indices, values } = this.byColumns;
    for (let k = 0; k < block.length; k++) {
      let total = 0;
      for (let p = indptr[block[k]]; p < indptr[block[k] + 1]; p++) total += values[p] * s[indices[p]];
      out[k] = total;
    }
  }

  addTransposed(s: Float64Array, touched: ColumnProduct, out: Float64Array): void {
    this.#addRows(s, touched, 1, out);
  }

  addGramProduct(
    _block: Int32Array,
    _d: Float64Array,
    product: ColumnProduct,
    factor: number,
    out: Float64Array,
  ): void {
    this.#addRows(product.values, product, factor, out);
  }

  /** out += factor A^T s over the touched rows. */
  #addRows(s: Float64Array, { rows, count }: ColumnProduct, factor: number, out: Float64Array): void {
    const { indptr, indices, values } = this.byRows;
    for (let k = 0; k < count; k++) {
      const i = rows[k];
      const scale = factor * s[i];
      if (scale === 0) continue;
      for (let p = indptr[i], end = indptr[i + 1]; p < end; p++) out[indices[p]] += scale * values[p];
    }
  }

  gram(block: Int32Array, weights?: Float64Array): Float64Array {
    const t = block.length;
    const out = new Float64Array(t * t);
    const work = this.#work;
    const { indptr, indices, values } = this.byColumns;
    for (let a = 0; a < t; a++) {
      const [from, to] = [indptr[block[a]], indptr[block[a] + 1]];
      for (let p = from; p < to; p++) work[indices[p]] = weights ? weights[indices[p]] * values[p] : values[p];
      for (let c = 0; c <= a; c++) {
        let entry = 0;
        for (let p = indptr[block[c]]; p < indptr[block[c] + 1]; p++) entry += values[p] * work[indices[p]];
        out[a * t + c] = entry;
        out[c * t + a] = entry;
      }
      for (let p = from; p < to; p++) work[indices[p]] = 0;
    }
    return out;
  }

  submatrix(block: Int32Array): Float64Array {
    const t = block.length;
    const out = new Float64Array(t * t);
    const work = this.#work;
    const { indptr, indices, values } = this.byColumns;
    for (let c = 0; c < t; c++) {
      const [from, to] = [indptr[block[c]], indptr[block[c] + 1]];
      for (let p = from; p < to; p++) work[indices[p]] = values[p];
      for (let a = 0; a < t; a++) out[a * t + c] = work[block[a]];
      for (let p = from; p < to; p++) work[indices[p]] = 0;
    }
    return out;
  }

  squaredNorms(): Float64Array {
    const { indptr, values } = this.byColumns;
    const norms = new Float64Array(this.columns);
    for (let j = 0; j < this.columns; j++) for (let p = indptr[j]; p < indptr[j + 1]; p++) norms[j] += values[p] ** 2;
    return norms;
  }

  gramRowSums(): Float64Array {
    const sums = new Float64Array(this.columns);
    const work = new Float64Array(this.columns);
    const seen = new Int32Array(this.columns).fill(-1);
    const list = new Int32Array(this.columns);
    for (let j = 0; j < this.columns; j++) {
      let count = 0;
      for (let p = this.byColumns.indptr[j]; p < this.byColumns.indptr[j + 1]; p++) {
        const row = this.byColumns.indices[p];
        for (let q = this.byRows.indptr[row]; q < this.byRows.indptr[row + 1]; q++) {
          const i = this.byRows.indices[q];
          if (seen[i] !== j) {
            seen[i] = j;
            work[i] = 0;
            list[count++] = i;
          }
          work[i] += this.byColumns.values[p] * this.byRows.values[q];
        }
      }
      for (let k = 0; k < count; k++) sums[j] += Math.abs(work[list[k]]);
    }
    return sums;
  }

  csr(): sparse.CsrMatrix {
    return this.byRows;
  }
}
