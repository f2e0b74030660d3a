import { matmul, tensor } from "@offprint/tensor-core";

/** From so many columns on the vector instructions of `matmul` outweigh copying to and from it. */
const MATMUL_FROM = 8;

/**
 * @internal How many blocks to multiply at once: so many that their products stay in the first cache, or, where `matmul`
 * does the work, enough for it.
 */
export function blocksAtOnce(n: number, d: number): number {
  return Math.max(1, Math.floor((d >= MATMUL_FROM ? 32_768 : 2048) / n));
}

/** @internal X `[n, d]` both ways, as the products of many blocks at once need it. */
export interface Factor {
  readonly n: number;
  readonly d: number;
  /** `[n, d]`, row-major. */
  readonly rows: Float64Array;
  /** `[d, n]`, row-major. */
  readonly columns: Float64Array;
}

/** @internal `out[count, n]`: X c_j for every block of `blocks` `[count, d]`. */
export function timesAll({ n, d, columns }: Factor, blocks: Float64Array, count: number, out: Float64Array): void {
  if (d >= MATMUL_FROM) {
    const product = matmul(tensor(blocks, { shape: [count, d] }), tensor(columns, { shape: [d, n] }));
    out.set(product.data() as Float64Array);
    return;
  }
  for (let j = 0; j < count; j++) timesColumns(columns, n, d, blocks, j * d, out, j * n);
}

/** @internal `out[count, d]`: X^T r_j for every row of `r` `[count, n]`. */
export function dotAll({ n, d, rows, columns }: Factor, r: Float64Array, count: number, out: Float64Array): void {
  if (d >= MATMUL_FROM) {
    const product = matmul(tensor(r, { shape: [count, n] }), tensor(rows, { shape: [n, d] }));
    out.set(product.data() as Float64Array);
    return;
  }
  for (let j = 0; j < count; j++) dotColumns(columns, n, d, r, out, j * d, j * n);
}

/**
 * @internal `out[o..o+n] = X c`, for X `[n, d]` given by its columns `xt` `[d, n]` and coefficients `c[at..at+d]`.
 * Four or two columns at a time, so that the output is read and written once for as many multiplications.
 */
export function timesColumns(
  xt: Float64Array,
  n: number,
  d: number,
  c: Float64Array,
  at: number,
  out: Float64Array,
  o = 0,
): void {
  let j = 0;
  // Five columns, four features and that of ones, are common: a pass for the fifth would cost as much as one for four.
  if (d === 5) {
    const [c0, c1, c2, c3, c4] = [c[at], c[at + 1], c[at + 2], c[at + 3], c[at + 4]];
    for (let k = 0; k < n; k++) {
      out[o + k] = c0 * xt[k] + c1 * xt[n + k] + c2 * xt[2 * n + k] + c3 * xt[3 * n + k] + c4 * xt[4 * n + k];
    }
    return;
  }
  for (; j + 4 <= d; j += 4) {
    const [c0, c1, c2, c3] = [c[at + j], c[at + j + 1], c[at + j + 2], c[at + j + 3]];
    const p0 = j * n;
    const p1 = p0 + n;
    const p2 = p1 + n;
    const p3 = p2 + n;
    if (j === 0) {
      for (let k = 0; k < n; k++) out[o + k] = c0 * xt[p0 + k] + c1 * xt[p1 + k] + c2 * xt[p2 + k] + c3 * xt[p3 + k];
    } else {
      for (let k = 0; k < n; k++) out[o + k] += c0 * xt[p0 + k] + c1 * xt[p1 + k] + c2 * xt[p2 + k] + c3 * xt[p3 + k];
    }
  }
  for (; j + 2 <= d; j += 2) {
    const [c0, c1] = [c[at + j], c[at + j + 1]];
    const p0 = j * n;
    const p1 = p0 + n;
    if (j === 0) for (let k = 0; k < n; k++) out[o + k] = c0 * xt[p0 + k] + c1 * xt[p1 + k];
    else for (let k = 0; k < n; k++) out[o + k] += c0 * xt[p0 + k] + c1 * xt[p1 + k];
  }
  for (; j < d; j++) {
    const c0 = c[at + j];
    const p0 = j * n;
    if (j === 0) for (let k = 0; k < n; k++) out[o + k] = c0 * xt[p0 + k];
    else for (let k = 0; k < n; k++) out[o + k] += c0 * xt[p0 + k];
  }
}

/** @internal `out[at..at+d] = X^T r`, for X `[n, d]` given by its columns `xt` `[d, n]` and r = `r[from..from+n]`. */
export function dotColumns(
  xt: Float64Array,
  n: number,
  d: number,
  r: Float64Array,
  out: Float64Array,
  at: number,
  from = 0,
): void {
  let j = 0;
  if (d === 5) {
    let [s0, s1, s2, s3, s4] = [0, 0, 0, 0, 0];
    for (let k = 0; k < n; k++) {
      const value = r[from + k];
      s0 += value * xt[k];
      s1 += value * xt[n + k];
      s2 += value * xt[2 * n + k];
      s3 += value * xt[3 * n + k];
      s4 += value * xt[4 * n + k];
    }
    out[at] = s0;
    out[at + 1] = s1;
    out[at + 2] = s2;
    out[at + 3] = s3;
    out[at + 4] = s4;
    return;
  }
  for (; j + 4 <= d; j += 4) {
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    const p0 = j * n;
    const p1 = p0 + n;
    const p2 = p1 + n;
    const p3 = p2 + n;
    for (let k = 0; k < n; k++) {
      const value = r[from + k];
      s0 += value * xt[p0 + k];
      s1 += value * xt[p1 + k];
      s2 += value * xt[p2 + k];
      s3 += value * xt[p3 + k];
    }
    out[at + j] = s0;
    out[at + j + 1] = s1;
    out[at + j + 2] = s2;
    out[at + j + 3] = s3;
  }
  for (; j + 2 <= d; j += 2) {
    let [s0, s1] = [0, 0];
    for (let k = 0, p0 = j * n, p1 = p0 + n; k < n; k++, p0++, p1++) {
      const value = r[from + k];
      s0 += value * xt[p0];
      s1 += value * xt[p1];
    }
    out[at + j] = s0;
    out[at + j + 1] = s1;
  }
  for (; j < d; j++) {
    let s0 = 0;
    for (let k = 0, p = j * n; k < n; k++, p++) s0 += r[from + k] * xt[p];
    out[at + j] = s0;
  }
}

/** @internal `out[o..o+d] = A c[at..at+d]` for a square A `[d, d]`, row-major. */
export function squareTimes(
  a: Float64Array,
  d: number,
  c: Float64Array,
  at: number,
  out: Float64Array,
  o: number,
): void {
  for (let i = 0, p = 0; i < d; i++) {
    let sum = 0;
    for (let j = 0; j < d; j++, p++) sum += a[p] * c[at + j];
    out[o + i] = sum;
  }
}

/** @internal `out[j] = A c_j` for every block of `blocks` `[count, d]` and a symmetric A `[d, d]`. */
export function squareTimesAll(
  a: Float64Array,
  d: number,
  blocks: Float64Array,
  count: number,
  out: Float64Array,
): void {
  if (d < MATMUL_FROM) {
    for (let j = 0; j < count; j++) squareTimes(a, d, blocks, j * d, out, j * d);
    return;
  }
  const product = matmul(tensor(blocks, { shape: [count, d] }), tensor(a, { shape: [d, d] }));
  out.set(product.data() as Float64Array);
}

/** @internal Euclidean norm of `v[at..at+d]`. */
export function blockNorm(v: Float64Array, at: number, d: number): number {
  let sum = 0;
  for (let c = at; c < at + d; c++) sum += v[c] * v[c];
  return Math.sqrt(sum);
}

/** @internal Sum of the norms of the blocks of `d` entries. */
export function blockNorms(blocks: Float64Array, d: number): number {
  let sum = 0;
  for (let at = 0; at < blocks.length; at += d) sum += blockNorm(blocks, at, d);
  return sum;
}

/** @internal The columns of a row-major `[n, d]` matrix, one after another. */
export function columnsOf(rows: Float64Array, n: number, d: number): Float64Array {
  const out = new Float64Array(n * d);
  for (let k = 0; k < n; k++) for (let c = 0; c < d; c++) out[c * n + k] = rows[k * d + c];
  return out;
}
