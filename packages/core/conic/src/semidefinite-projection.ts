import { linalg, matmul, tensor } from "@offprint/tensor-core";
import { type ConeBlock, svecLength } from "./cones.js";
import { readSmat } from "./svec.js";

/** From this order on V diag V^T is a matrix product of the host kernels rather than a loop. */
const PRODUCT_FROM = 40;

/** Projects semidefinite blocks: equal orders share one batched eigen-decomposition. */
export class SemidefiniteProjection {
  private readonly groups: { readonly order: number; readonly starts: readonly number[] }[];

  constructor(blocks: readonly ConeBlock[]) {
    const byOrder = new Map<number, number[]>();
    for (const { kind, order, start } of blocks) {
      if (kind !== "semidefinite") continue;
      const starts = byOrder.get(order);
      if (starts === undefined) byOrder.set(order, [start]);
      else starts.push(start);
    }
    this.groups = [...byOrder].map(([order, starts]) => ({ order, starts }));
  }

  /** Replaces every block of `v` by its projection. */
  project(v: Float64Array): void {
    for (const { order, starts } of this.groups) {
      if (order === 1) for (const start of starts) v[start] = Math.max(v[start], 0);
      else if (order === 2) for (const start of starts) projectOrderTwo(v, start);
      else projectBatch(v, starts, order);
    }
  }
}

/** [[a, b], [b, c]] with the two eigenvalues in closed form; `v` holds a, sqrt 2 b, c. */
function projectOrderTwo(v: Float64Array, start: number): void {
  const a = v[start];
  const b = v[start + 1] * Math.SQRT1_2;
  const c = v[start + 2];
  const mean = (a + c) / 2;
  const radius = Math.hypot((a - c) / 2, b);
  if (mean >= radius) return;
  if (mean <= -radius) {
    v.fill(0, start, start + 3);
    return;
  }
  // The larger eigenvalue times its projector, (A - (mean - radius) I) / (2 radius).
  const factor = (mean + radius) / (2 * radius);
  const smaller = mean - radius;
  v[start] = factor * (a - smaller);
  v[start + 1] *= factor;
  v[start + 2] = factor * (c - smaller);
}

function projectBatch(v: Float64Array, starts: readonly number[], n: number): void {
  const matrices = new Float64Array(starts.length * n * n);
  for (const [k, start] of starts.entries()) readSmat(v, start, n, matrices, k * n * n);
  const { values, vectors } = linalg.eigh(tensor(matrices, { shape: [starts.length, n, n] }));
  const eigenvalues = values.data() as Float64Array;
  const columns = vectors.data() as Float64Array;
  for (const [k, start] of starts.entries()) {
    const own = eigenvalues.subarray(k * n, (k + 1) * n);
    const basis = columns.subarray(k * n * n, (k + 1) * n * n);
    rebuild(v, start, n, own, basis);
  }
}

/** Sums the positive part, or subtracts the negative part where that has fewer eigenvectors. */
function rebuild(v: Float64Array, start: number, n: number, values: Float64Array, vectors: Float64Array): void {
  let negative = 0;
  while (negative < n && values[negative] < 0) negative++;
  const positive = n - negative;
  if (negative === 0) return;
  if (positive === 0) {
    v.fill(0, start, start + svecLength(n));
    return;
  }
  const keep = positive <= negative;
  const [first, count] = keep ? [negative, positive] : [0, negative];
  // Y = V sqrt|lambda| for the chosen eigenvectors; the part is Y Y^T.
  const y = new Float64Array(n * count);
  for (let c = 0; c < count; c++) {
    const root = Math.sqrt(Math.abs(values[first + c]));
    for (let i = 0; i < n; i++) y[i * count + c] = root * vectors[i * n + first + c];
  }
  if (keep) v.fill(0, start, start + svecLength(n));
  addGram(v, start, n, y, count);
}

function addGram(v: Float64Array, start: number, n: number, y: Float64Array, count: number): void {
  if (n >= PRODUCT_FROM) {
    const rows = tensor(y, { shape: [n, count] });
    const product = matmul(rows, rows.transpose()).data() as Float64Array;
    for (let j = 0, k = start; j < n; j++) {
      v[k++] += product[j * n + j];
      for (let i = j + 1; i < n; i++) v[k++] += Math.SQRT2 * product[j * n + i];
    }
    return;
  }
  for (let j = 0, k = start; j < n; j++) {
    for (let i = j; i < n; i++, k++) {
      let sum = 0;
      for (let c = 0; c < count; c++) sum += y[i * count + c] * y[j * count + c];
      v[k] += i === j ? sum : Math.SQRT2 * sum;
    }
  }
}
