import { linalg, tensor } from "@offprint/tensor-core";
import { cholesky as kernel } from "@offprint/tensor-core/internal";
import { Scratch } from "./scratch.js";

/* Small symmetric matrices [t, t], row-major: a solver meets thousands of them, so no tensor is made of each. */

/** Up to this size rotations beat the call of a decomposition. */
const JACOBI_LIMIT = 24;
/** From this size on the host kernel beats the loop. */
const KERNEL_FROM = 24;
/** Relative size of what is added to the diagonal of a singular matrix. */
const JITTER = 1e-10;

/** H = L L^T for a positive semidefinite H, to be solved with. */
export class Factor {
  constructor(
    private readonly lower: Float64Array,
    readonly size: number,
  ) {}

  /** H^-1 b. */
  solve(b: Float64Array): Float64Array {
    const { lower: L, size: t } = this;
    const x = b.slice();
    for (let i = 0; i < t; i++) x[i] = (x[i] - rowTimes(L, i * t, x, i)) / L[i * t + i];
    for (let i = t - 1; i >= 0; i--) {
      x[i] /= L[i * t + i];
      addScaled(L, i * t, -x[i], x, i);
    }
    return x;
  }
}

/** Factors H; where it is singular up to rounding, 1e-10 of its largest diagonal entry is added to the diagonal. */
export function factor(H: Float64Array, t: number): Factor {
  let most = 0;
  for (let i = 0; i < t; i++) most = Math.max(most, H[i * t + i]);
  // A pivot that cancellation left is noise: as good as zero.
  const exact = cholesky(H, t, 0, 1e-13);
  if (exact) return new Factor(exact, t);
  for (let jitter = JITTER; ; jitter *= 100) {
    const shifted = cholesky(H, t, jitter * (most || 1), 0);
    if (shifted) return new Factor(shifted, t);
  }
}

function cholesky(H: Float64Array, t: number, shift: number, floor: number): Float64Array | undefined {
  if (t >= KERNEL_FROM) return largeCholesky(H, t, shift, floor);
  const L = new Float64Array(t * t);
  for (let i = 0; i < t; i++) {
    for (let j = 0; j <= i; j++) {
      let v = H[i * t + j];
      for (let k = 0; k < j; k++) v -= L[i * t + k] * L[j * t + k];
      if (i !== j) L[i * t + j] = v / L[j * t + j];
      else {
        v += shift;
        if (!(v > floor * H[i * t + i]) || !(v > 0)) return undefined;
        L[i * t + i] = Math.sqrt(v);
      }
    }
  }
  return L;
}

function largeCholesky(H: Float64Array, t: number, shift: number, floor: number): Float64Array | undefined {
  const shifted = shift === 0 ? H : H.slice();
  if (shift !== 0) for (let i = 0; i < t; i++) shifted[i * (t + 1)] += shift;
  const { factor: L, failedPivot } = kernel(shifted, t);
  if (failedPivot >= 0) return undefined;
  for (let p = 0; p < t * t; p += t + 1) if (!(L[p] * L[p] > floor * H[p])) return undefined;
  return L;
}

/** The largest eigenvalue of a positive semidefinite H. */
export function largestEigenvalue(H: Float64Array, t: number): number {
  if (t === 1) return H[0];
  if (t > JACOBI_LIMIT) return linalg.eigvalsh(tensor(H, { shape: [t, t] })).data()[t - 1];
  const a = H.slice();
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    let on = 0;
    for (let i = 0; i < t; i++)
      for (let j = 0; j <= i; j++) i === j ? (on += a[i * t + i] ** 2) : (off += a[i * t + j] ** 2);
    if (off <= 1e-28 * on) break;
    for (let p = 0; p < t - 1; p++) for (let q = p + 1; q < t; q++) rotate(a, t, p, q);
  }
  let most = 0;
  for (let i = 0; i < t; i++) most = Math.max(most, a[i * t + i]);
  return most;
}

/** One rotation of Jacobi's method: makes the entry (p, q) zero. */
function rotate(a: Float64Array, t: number, p: number, q: number): void {
  const apq = a[p * t + q];
  if (apq === 0) return;
  const theta = (a[q * t + q] - a[p * t + p]) / (2 * apq);
  const tangent = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cosine = 1 / Math.hypot(tangent, 1);
  const sine = tangent * cosine;
  for (let k = 0; k < t; k++) {
    const [x, y] = [a[k * t + p], a[k * t + q]];
    a[k * t + p] = cosine * x - sine * y;
    a[k * t + q] = sine * x + cosine * y;
  }
  for (let k = 0; k < t; k++) {
    const [x, y] = [a[p * t + k], a[q * t + k]];
    a[p * t + k] = cosine * x - sine * y;
    a[q * t + k] = sine * x + cosine * y;
  }
}

const submatrices = new Scratch();

/** The lower triangle of H in rows and columns of `places`, which is what `factor` reads; until the next call. */
export function submatrix(H: Float64Array, t: number, places: ArrayLike<number>): Float64Array {
  const s = places.length;
  const out = submatrices.take(s * s);
  for (let a = 0; a < s; a++) {
    const from = places[a] * t;
    for (let b = 0, p = a * s; b <= a; b++, p++) out[p] = H[from + places[b]];
  }
  return out;
}

/** sum a_k b_k. */
export function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let k = 0; k < a.length; k++) total += a[k] * b[k];
  return total;
}

/** out += factor times row k of H [t, t]. */
export function addRow(H: Float64Array, t: number, k: number, factor: number, out: Float64Array): void {
  addScaled(H, k * t, factor, out, t);
}

/** out_j += factor * values_(start + j) for j < count; unrolled, which takes two thirds of the time of the plain loop. */
function addScaled(values: Float64Array, start: number, factor: number, out: Float64Array, count: number): void {
  const whole = count - (count % 4);
  for (let j = 0, p = start; j < whole; j += 4, p += 4) {
    out[j] += factor * values[p];
    out[j + 1] += factor * values[p + 1];
    out[j + 2] += factor * values[p + 2];
    out[j + 3] += factor * values[p + 3];
  }
  for (let j = whole; j < count; j++) out[j] += factor * values[start + j];
}

/** sum of values_(start + j) x_j for j < count, in four sums: one alone would wait for itself. */
function rowTimes(values: Float64Array, start: number, x: Float64Array, count: number): number {
  const whole = count - (count % 4);
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let j = 0, p = start; j < whole; j += 4, p += 4) {
    s0 += values[p] * x[j];
    s1 += values[p + 1] * x[j + 1];
    s2 += values[p + 2] * x[j + 2];
    s3 += values[p + 3] * x[j + 3];
  }
  for (let j = whole; j < count; j++) s0 += values[start + j] * x[j];
  return s0 + s1 + (s2 + s3);
}
