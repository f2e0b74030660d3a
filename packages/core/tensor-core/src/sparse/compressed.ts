import { IndexError, ShapeError, ValueError } from "../errors.js";
import { checkSize } from "./dense-operand.js";

/**
 * What CSR and CSC have in common: `major` lists (rows of CSR, columns of CSC), list `i` at positions `indptr[i]` to
 * `indptr[i + 1]`, minor indices strictly increasing inside a list.
 */
export interface Compressed {
  readonly major: number;
  readonly minor: number;
  readonly indptr: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float64Array;
}

/** @throws ShapeError, ValueError or IndexError if the arrays are not a valid compressed matrix. */
export function checkCompressed(c: Compressed, format: string): void {
  checkSize(c.major, `${format} matrix: number of ${format === "csr" ? "rows" : "columns"}`);
  checkSize(c.minor, `${format} matrix: number of ${format === "csr" ? "columns" : "rows"}`);
  if (c.indptr.length !== c.major + 1) {
    throw new ShapeError(`${format} matrix: indptr must have ${c.major + 1} entries, got ${c.indptr.length}`);
  }
  if (c.indices.length !== c.values.length || c.indptr[0] !== 0 || c.indptr[c.major] !== c.indices.length) {
    throw new ShapeError(
      `${format} matrix: indptr must run from 0 to the common length of indices and values ` +
        `(got ${c.indptr[0]} to ${c.indptr[c.major]}, ${c.indices.length} indices, ${c.values.length} values)`,
    );
  }
  for (let i = 0; i < c.major; i++) {
    if (c.indptr[i + 1] < c.indptr[i]) throw new ValueError(`${format} matrix: indptr decreases at entry ${i + 1}`);
    let previous = -1;
    for (let p = c.indptr[i]; p < c.indptr[i + 1]; p++) {
      const j = c.indices[p];
      if (j < 0 || j >= c.minor) {
        throw new IndexError(`${format} matrix: index ${j} at position ${p} is outside [0, ${c.minor})`);
      }
      if (j <= previous) {
        throw new ValueError(
          `${format} matrix: indices of list ${i} must increase strictly (position ${p}): build it with fromTriplets`,
        );
      }
      previous = j;
    }
  }
}

/** The same matrix with the roles of major and minor exchanged, in time linear in dimensions and entries. */
export function exchangeMajor(c: Compressed): Compressed {
  const indptr = new Int32Array(c.minor + 1);
  for (let p = 0; p < c.indices.length; p++) indptr[c.indices[p] + 1]++;
  for (let j = 0; j < c.minor; j++) indptr[j + 1] += indptr[j];
  const place = indptr.slice();
  const indices = new Int32Array(c.indices.length);
  const values = new Float64Array(c.indices.length);
  for (let i = 0; i < c.major; i++) {
    for (let p = c.indptr[i]; p < c.indptr[i + 1]; p++) {
      const q = place[c.indices[p]]++;
      indices[q] = i;
      values[q] = c.values[p];
    }
  }
  return { major: c.minor, minor: c.major, indptr, indices, values };
}

/** Sorts triplets by two counting passes and sums duplicates (in their order), in linear time. */
export function compressTriplets(
  major: number,
  minor: number,
  majorIndices: Int32Array,
  minorIndices: Int32Array,
  values: Float64Array,
): Compressed {
  const count = values.length;
  const place = new Int32Array(minor + 1);
  for (let k = 0; k < count; k++) place[minorIndices[k] + 1]++;
  for (let j = 0; j < minor; j++) place[j + 1] += place[j];
  const byMinor = new Int32Array(count);
  for (let k = 0; k < count; k++) byMinor[place[minorIndices[k]]++] = k;

  const start = new Int32Array(major + 1);
  for (let k = 0; k < count; k++) start[majorIndices[k] + 1]++;
  for (let i = 0; i < major; i++) start[i + 1] += start[i];
  const next = start.slice();
  const sorted = new Int32Array(count);
  for (const k of byMinor) sorted[next[majorIndices[k]]++] = k;

  const indptr = new Int32Array(major + 1);
  const indices = new Int32Array(count);
  const sums = new Float64Array(count);
  let used = 0;
  for (let i = 0; i < major; i++) {
    const first = used;
    for (let p = start[i]; p < start[i + 1]; p++) {
      const k = sorted[p];
      if (used > first && indices[used - 1] === minorIndices[k]) {
        sums[used - 1] += values[k];
      } else {
        indices[used] = minorIndices[k];
        sums[used++] = values[k];
      }
    }
    indptr[i + 1] = used;
  }
  if (used === count) return { major, minor, indptr, indices, values: sums };
  return { major, minor, indptr, indices: indices.slice(0, used), values: sums.slice(0, used) };
}

/** Lists `order[0]`, `order[1]`, ... of `c` in that order; repeats are allowed. */
export function selectMajor(c: Compressed, order: Int32Array): Compressed {
  const indptr = new Int32Array(order.length + 1);
  for (let i = 0; i < order.length; i++) indptr[i + 1] = indptr[i] + c.indptr[order[i] + 1] - c.indptr[order[i]];
  const indices = new Int32Array(indptr[order.length]);
  const values = new Float64Array(indptr[order.length]);
  for (let i = 0; i < order.length; i++) {
    const from = c.indptr[order[i]];
    const to = c.indptr[order[i] + 1];
    indices.set(c.indices.subarray(from, to), indptr[i]);
    values.set(c.values.subarray(from, to), indptr[i]);
  }
  return { major: order.length, minor: c.minor, indptr, indices, values };
}
