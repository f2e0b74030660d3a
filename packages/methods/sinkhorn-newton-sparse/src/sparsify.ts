import { sparse, type TensorLike, ValueError } from "@offprint/tensor-core";
import { readArray } from "./transport-problem.js";

/** Bins by the sign, the exponent and the first four bits of the mantissa. */
const BINS = 65536;
/** Which half of a float64 holds these bits. */
const HIGH = new Uint32Array(new Float64Array([1]).buffer)[1] !== 0 ? 1 : 0;

/** A matrix of non-negative values in rows of `stride`, of which the first `m` count; the others are 0. */
export interface PaddedMatrix {
  readonly n: number;
  readonly m: number;
  readonly stride: number;
  readonly data: Float64Array;
}

/** The kept entries of a plan, and the mass that each row and column loses with the others. */
export interface SparsePlan {
  readonly kept: sparse.CsrMatrix;
  /** `[n]` */
  readonly rowLoss: Float64Array;
  /** `[m]` */
  readonly columnLoss: Float64Array;
}

/**
 * The `k` largest entries of a plan, the others zero; ties with the k-th largest are all kept, zeros never.
 *
 * @param plan `[n, m]`, non-negative
 * @param k how many entries, an integer >= 0
 * @throws ValueError for a negative entry or a `k` that is no count
 */
export function sparsify(plan: TensorLike, k: number): sparse.CsrMatrix {
  const matrix = readPlan("sparsify", plan);
  if (!Number.isSafeInteger(k) || k < 0) throw new ValueError(`sparsify: k is ${k}; it must be an integer >= 0`);
  return keepLargest(matrix, k).kept;
}

/** `plan` as a matrix of float64 values >= 0. */
export function readPlan(owner: string, plan: TensorLike): PaddedMatrix {
  const { data, shape } = readArray(owner, "plan", plan, 2);
  const negative = data.findIndex((value) => value < 0);
  if (negative >= 0) {
    throw new ValueError(`${owner}: plan holds ${data[negative]} at position ${negative}; masses are >= 0`);
  }
  return { n: shape[0], m: shape[1], stride: shape[1], data };
}

/** `sparsify` of a checked matrix. */
export function keepLargest(matrix: PaddedMatrix, k: number): SparsePlan {
  const { n, m, stride, data } = matrix;
  const threshold = kthLargest(data.subarray(0, n * stride), k);
  let count = 0;
  for (let at = 0; at < n * stride; at++) if (data[at] >= threshold) count++;
  const indptr = new Int32Array(n + 1);
  const indices = new Int32Array(count);
  const values = new Float64Array(count);
  const rowLoss = new Float64Array(n);
  const columnLoss = new Float64Array(m);
  let used = 0;
  for (let i = 0; i < n; i++) {
    const from = i * stride;
    let loss = 0;
    for (let j = 0; j < m; j++) {
      const value = data[from + j];
      if (value >= threshold) {
        indices[used] = j;
        values[used++] = value;
      } else if (value > 0) {
        loss += value;
        columnLoss[j] += value;
      }
    }
    rowLoss[i] = loss;
    indptr[i + 1] = used;
  }
  return { kept: new sparse.CsrMatrix(n, m, indptr, indices, values, false), rowLoss, columnLoss };
}

/** Every positive entry of a checked matrix. */
export function keepAll(matrix: PaddedMatrix): SparsePlan {
  return keepLargest(matrix, matrix.n * matrix.m);
}

/** The k-th largest value, or the least positive number when fewer are positive; infinite for k = 0. */
function kthLargest(data: Float64Array, k: number): number {
  if (k === 0) return Infinity;
  if (k >= data.length) return Number.MIN_VALUE;
  const words = new Uint32Array(data.buffer, data.byteOffset, 2 * data.length);
  const histogram = new Uint32Array(BINS);
  for (let at = HIGH; at < words.length; at += 2) histogram[words[at] >>> 16]++;
  let above = 0;
  let bin = 0x7ff0;
  while (bin > 0 && above + histogram[bin] < k) above += histogram[bin--];
  const inside = new Float64Array(histogram[bin]);
  let used = 0;
  for (let at = 0; at < data.length; at++) if (words[2 * at + HIGH] >>> 16 === bin) inside[used++] = data[at];
  const place = inside.length - (k - above);
  if (place < 0) return Number.MIN_VALUE;
  select(inside, place);
  return inside[place] > 0 ? inside[place] : Number.MIN_VALUE;
}

/** Puts the value that sorting would put at `place` there (Hoare, "Algorithm 65: find", 1961). */
function select(x: Float64Array, place: number): void {
  let low = 0;
  let high = x.length - 1;
  while (low < high) {
    const pivot = x[(low + high) >>> 1];
    let [i, j] = [low, high];
    while (i <= j) {
      while (x[i] < pivot) i++;
      while (x[j] > pivot) j--;
      if (i <= j) {
        const value = x[i];
        x[i++] = x[j];
        x[j--] = value;
      }
    }
    if (place <= j) high = j;
    else if (place >= i) low = i;
    else return;
  }
}
