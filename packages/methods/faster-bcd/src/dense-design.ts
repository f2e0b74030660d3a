import { hostTensor, sparse, type Tensor, tensor } from "@offprint/tensor-core";
import { BlockGram } from "./block-gram.js";
import { placesFrom0 } from "./blocks/order.js";
import { columnDots, compilesDots } from "./column-dots.js";
import type { ColumnProduct, DesignMatrix } from "./design-matrix.js";
import { GramCache } from "./gram-cache.js";

/** From so many multiplications on the matrix product of tensors is faster than dot products. */
const MATMUL_FROM = 2e5;

/** A dense matrix, stored by columns. */
export class DenseDesign implements DesignMatrix {
  readonly #grams: BlockGram;
  #squaredNorms: Float64Array | undefined;
  /** `[columns, rows]`, where products with it are compiled. */
  readonly #compiled: Tensor | undefined;

  constructor(
    readonly rows: number,
    readonly columns: number,
    /** `[columns * rows]`: entry (i, j) at j * rows + i. */
    private readonly values: Float64Array,
  ) {
    this.#grams = new BlockGram(rows, values);
    if (compilesDots(rows, columns)) this.#compiled = hostTensor(values, [columns, rows], "float64");
  }

  emptyProduct(): ColumnProduct {
    const { rows } = this;
    return { values: new Float64Array(rows), rows: placesFrom0(rows), count: rows };
  }

  product(block: Int32Array, d: Float64Array, { values }: ColumnProduct): void {
    values.fill(0);
    this.#addColumns(
      placesFrom0(block.length).filter((k) => d[k] !== 0),
      block,
      d,
      values,
    );
  }

  /** w += sum of d_k A_(b_k) over places k of the block, four columns at a time: each value of w is then read and written once for four. */
  #addColumns(places: ArrayLike<number>, block: Int32Array, d: Float64Array, w: Float64Array): void {
    const { rows, values } = this;
    const whole = places.length - (places.length % 4);
    for (let q = 0; q < whole; q += 4) {
      // Not by patterns, which make arrays for every four columns.
      const k = places[q];
      const l = places[q + 1];
      const m = places[q + 2];
      const n = places[q + 3];
      const a = block[k] * rows;
      const b = block[l] * rows;
      const c = block[m] * rows;
      const e = block[n] * rows;
      const dk = d[k];
      const dl = d[l];
      const dm = d[m];
      const dn = d[n];
      for (let i = 0; i < rows; i++) {
        w[i] += dk * values[a + i] + dl * values[b + i] + (dm * values[c + i] + dn * values[e + i]);
      }
    }
    for (let q = whole; q < places.length; q++) {
      const a = block[places[q]] * rows;
      const dk = d[places[q]];
      for (let i = 0; i < rows; i++) w[i] += dk * values[a + i];
    }
  }

  transposed(s: Float64Array, out: Float64Array): void {
    out.fill(0);
    this.#addDots(s, 1, out);
  }

  /** out += factor A^T s; where that is not compiled, four columns at a time: each value of s is then read once for four products. */
  #addDots(s: Float64Array, factor: number, out: Float64Array): void {
    const { rows, columns, values } = this;
    if (this.#compiled) {
      const dots = columnDots(this.#compiled, s);
      for (let j = 0; j < columns; j++) out[j] += factor * dots[j];
      return;
    }
    const whole = columns - (columns % 4);
    for (let j = 0; j < whole; j += 4) {
      // Not by a pattern, which makes an array of the sums for every four columns.
      const a = j * rows;
      const b = a + rows;
      const c = b + rows;
      const d = c + rows;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let i = 0; i < rows; i++) {
        const v = s[i];
        s0 += values[a + i] * v;
        s1 += values[b + i] * v;
        s2 += values[c + i] * v;
        s3 += values[d + i] * v;
      }
      out[j] += factor * s0;
      out[j + 1] += factor * s1;
      out[j + 2] += factor * s2;
      out[j + 3] += factor * s3;
    }
    for (let j = whole; j < columns; j++) out[j] += factor * this.#columnDot(j, s, 0);
  }

  transposedBlock(s: Float64Array, block: Int32Array, out: Float64Array): void {
    for (let k = 0; k < block.length; k++) out[k] = this.#columnDot(block[k], s, 0);
  }

  addTransposed(s: Float64Array, _touched: ColumnProduct, out: Float64Array): void {
    this.#addDots(s, 1, out);
  }

  addGramProduct(
    block: Int32Array,
    d: Float64Array,
    product: ColumnProduct,
    factor: number,
    out: Float64Array,
    cache?: GramCache,
  ): void {
    const unknown: number[] = [];
    let known = 0;
    for (let k = 0; k < block.length; k++) {
      if (d[k] === 0) continue;
      const column = cache?.column(block[k]);
      if (column === undefined) {
        unknown.push(k);
        continue;
      }
      known++;
      const scale = factor * d[k];
      for (let i = 0; i < out.length; i++) out[i] += scale * column[i];
    }
    if (unknown.length === 0) return;
    let rest = product.values;
    if (known > 0) {
      rest = new Float64Array(this.rows);
      this.#addColumns(unknown, block, d, rest);
    }
    for (const k of unknown) cache?.charge(block[k], 1 / unknown.length);
    this.#addDots(rest, factor, out);
  }

  gramCache(spent?: Float64Array): GramCache {
    const column = (j: number): Float64Array =>
      Float64Array.from({ length: this.columns }, (_, i) => this.#columnDot(i, this.values, j * this.rows));
    return new GramCache(column, this.columns, spent);
  }

  gram(block: Int32Array, weights?: Float64Array): Float64Array {
    const t = block.length;
    if (t > 1 && t * t * this.rows >= MATMUL_FROM) {
      return weights ? this.#grams.weighted(block, weights) : this.#grams.of(block);
    }
    const out = new Float64Array(t * t);
    const weighted = weights && new Float64Array(this.rows);
    for (let a = 0; a < t; a++) {
      const start = block[a] * this.rows;
      if (weighted) for (let i = 0; i < this.rows; i++) weighted[i] = weights[i] * this.values[start + i];
      for (let c = 0; c <= a; c++) {
        const entry = weighted ? this.#columnDot(block[c], weighted, 0) : this.#columnDot(block[c], this.values, start);
        out[a * t + c] = entry;
        out[c * t + a] = entry;
      }
    }
    return out;
  }

  submatrix(block: Int32Array): Float64Array {
    const t = block.length;
    const out = new Float64Array(t * t);
    for (let c = 0; c < t; c++)
      for (let a = 0; a < t; a++) out[a * t + c] = this.values[block[c] * this.rows + block[a]];
    return out;
  }

  squaredNorms(): Float64Array {
    this.#squaredNorms ??= squaredNorms(this.rows, this.columns, this.values);
    return this.#squaredNorms.slice();
  }

  gramRowSums(): Float64Array {
    const sums = new Float64Array(this.columns);
    for (let j = 0; j < this.columns; j++) {
      sums[j] += this.#columnDot(j, this.values, j * this.rows);
      for (let i = 0; i < j; i++) {
        const entry = Math.abs(this.#columnDot(i, this.values, j * this.rows));
        sums[i] += entry;
        sums[j] += entry;
      }
    }
    return sums;
  }

  csr(): sparse.CsrMatrix {
    const { rows, columns, values } = this;
    return sparse.toCsr(sparse.transpose(sparse.fromDense(tensor(values, { shape: [columns, rows] }) as never)));
  }

  /** Column j times the values of s from `offset` on. */
  #columnDot(j: number, s: Float64Array, offset: number): number {
    const { rows, values } = this;
    let p = j * rows;
    let q = offset;
    const whole = p + rows - (rows % 4);
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (; p < whole; p += 4, q += 4) {
      s0 += values[p] * s[q];
      s1 += values[p + 1] * s[q + 1];
      s2 += values[p + 2] * s[q + 2];
      s3 += values[p + 3] * s[q + 3];
    }
    for (const end = (j + 1) * rows; p < end; p++, q++) s0 += values[p] * s[q];
    return s0 + s1 + (s2 + s3);
  }
}

/** Like `columnDot` of each column with itself, to the bit; half of the loads. */
function squaredNorms(rows: number, columns: number, values: Float64Array): Float64Array {
  const norms = new Float64Array(columns);
  const rest = rows % 4;
  for (let j = 0, p = 0; j < columns; j++) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (const whole = p + rows - rest; p < whole; p += 4) {
      const a = values[p];
      const b = values[p + 1];
      const c = values[p + 2];
      const d = values[p + 3];
      s0 += a * a;
      s1 += b * b;
      s2 += c * c;
      s3 += d * d;
    }
    for (const end = p + rest; p < end; p++) s0 += values[p] * values[p];
    norms[j] = s0 + s1 + (s2 + s3);
  }
  return norms;
}
