import { tensor } from "@offprint/tensor-core";
import { blocksAtOnce, dotAll, dotColumns, type Factor, timesAll, timesColumns } from "./column-products.js";
import type { Design } from "./design.js";
import type { Patterns } from "./patterns.js";

/**
 * @internal The matrices of the convex programme, never formed. F = [D_1 X ... D_P X, -D_1 X ... -D_P X] maps blocks
 * `[2P, d]` (first all v_i, then all w_i) to predictions `[n]`; it only sees the differences v_i - w_i `[P, d]`.
 */
export class PatternOperator {
  /** Number of patterns. */
  readonly P: number;
  /** Number of samples. */
  readonly n: number;
  /** Columns of X. */
  readonly d: number;
  /** X by columns, `[d, n]`. */
  readonly xt: Float64Array;
  /** Diagonals of D_i, `[P, n]`, 0 or 1. */
  readonly mask: Uint8Array;
  /** Diagonals of 2 D_i - I, `[P, n]`, -1 or 1. */
  readonly sign: Int8Array;
  /** Blocks that are multiplied at once. */
  readonly chunk: number;
  private readonly row: Float64Array;
  private readonly rows: Float64Array;

  constructor(
    readonly design: Design,
    readonly patterns: Patterns,
  ) {
    this.P = patterns.D.length;
    this.n = design.n;
    this.d = design.d;
    this.xt = design.columns;
    this.mask = new Uint8Array(this.P * this.n);
    for (let i = 0; i < this.P; i++) this.mask.set(patterns.D[i], i * this.n);
    this.sign = Int8Array.from(this.mask, (value) => 2 * value - 1);
    this.row = new Float64Array(this.n);
    this.chunk = blocksAtOnce(this.n, this.d);
    this.rows = new Float64Array(this.chunk * this.n);
  }

  /** `out[n] = sum_i D_i M b_i` for differences b `[P, d]` and M = X or another factor. */
  predict(b: Float64Array, out: Float64Array, factor: Factor = this.design): void {
    const { P, n, d, mask, rows, chunk } = this;
    out.fill(0);
    for (let i = 0; i < P; i += chunk) {
      const count = Math.min(chunk, P - i);
      timesAll(factor, b.subarray(i * d, (i + count) * d), count, rows);
      for (let o = 0, p = i * n; o < count * n; ) for (let k = 0; k < n; k++, o++, p++) out[k] += mask[p] * rows[o];
    }
  }

  /** `out[P, d]`: X^T D_i e for every pattern. */
  transposed(e: Float64Array, out: Float64Array): void {
    const { P, n, d, mask, rows, chunk } = this;
    for (let i = 0; i < P; i += chunk) {
      const count = Math.min(chunk, P - i);
      for (let o = 0, p = i * n; o < count * n; ) for (let k = 0; k < n; k++, o++, p++) rows[o] = mask[p] * e[k];
      dotAll(this.design, rows.subarray(0, count * n), count, out.subarray(i * d, (i + count) * d));
    }
  }

  /** `out[at..at+d] = X^T D_i e`. */
  transposedBlock(i: number, e: Float64Array, out: Float64Array, at: number): void {
    const { n, d, mask, row } = this;
    for (let k = 0, p = i * n; k < n; k++, p++) row[k] = mask[p] * e[k];
    dotColumns(this.xt, n, d, row, out, at);
  }

  /** Largest amount by which blocks `[2P, d]` violate (2 D_i - I) X v >= 0. */
  violation(blocks: Float64Array): number {
    const { P, n, d, sign, row } = this;
    let worst = 0;
    for (let j = 0; j < 2 * P; j++) {
      if (isZero(blocks, j * d, d)) continue;
      timesColumns(this.xt, n, d, blocks, j * d, row);
      for (let k = 0, p = (j % P) * n; k < n; k++, p++) worst = Math.max(worst, -sign[p] * row[k]);
    }
    return worst;
  }

  /** v_i - w_i `[P, d]` of blocks `[2P, d]`. */
  differences(blocks: Float64Array, out: Float64Array): void {
    for (let p = 0, half = this.P * this.d; p < half; p++) out[p] = blocks[p] - blocks[half + p];
  }

  /** How many patterns have both samples active, `[n, n]`. */
  overlaps(): Float64Array {
    const { P, n, patterns } = this;
    const out = new Float64Array(n * n);
    const active = new Int32Array(n);
    for (let i = 0; i < P; i++) {
      const pattern = patterns.D[i];
      let count = 0;
      for (let k = 0; k < n; k++) if (pattern[k]) active[count++] = k;
      for (let a = 0; a < count; a++) {
        const row = active[a] * n;
        for (let b = 0; b <= a; b++) out[row + active[b]]++;
      }
    }
    for (let k = 0; k < n; k++) for (let l = k + 1; l < n; l++) out[k * n + l] = out[l * n + k];
    return out;
  }
}

/** @internal */
function isZero(values: Float64Array, at: number, length: number): boolean {
  for (let p = at; p < at + length; p++) if (values[p] !== 0) return false;
  return true;
}

/** @internal X^T X `[d, d]`. */
export function gramMatrix({ n, d, columns }: Design): Float64Array {
  const out = new Float64Array(d * d);
  for (let a = 0; a < d; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += columns[a * n + k] * columns[b * n + k];
      out[a * d + b] = sum;
      out[b * d + a] = sum;
    }
  }
  return out;
}

/** @internal H^T H `[P d, P d]`, H = [D_1 X ... D_P X], for X or other rows `[n, width]`. */
export function differenceGram(
  { n, P, d, design, mask }: PatternOperator,
  rows: Float64Array = design.rows,
  width: number = d,
): Float64Array {
  const H = new Float64Array(n * P * width);
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < P; i++) {
      if (mask[i * n + k] === 0) continue;
      for (let c = 0; c < width; c++) H[(k * P + i) * width + c] = rows[k * width + c];
    }
  }
  const h = tensor(H, { shape: [n, P * width] });
  return h.transpose().matmul(h).data() as Float64Array;
}
