import { blockNorm } from "./column-products.js";
import type { Design } from "./design.js";

/**
 * @internal An upper bound of `max { g^T u : ||u|| <= 1, s_k x_k^T u >= 0 for all k }`, s_k = 1 where the pattern is
 * active and -1 elsewhere. Exact in two dimensions, where the cone is an arc; otherwise ||g + sum_k mu_k s_k x_k|| for
 * some mu >= 0, which is a bound whatever mu is, and the norm of the projection of g on the cone for the best one.
 */
export function coneMaximum(design: Design, pattern: Uint8Array, g: Float64Array): number {
  const { n, d, rows } = design;
  if (d === 2) return arcMaximum(rows, n, pattern, g);
  const generators = new Float64Array(n * d);
  for (let k = 0, p = 0; k < n; k++) for (let c = 0; c < d; c++, p++) generators[p] = pattern[k] ? rows[p] : -rows[p];
  return projectedNorm(generators, n, d, g);
}

/** The arc between the largest and the smallest angle that the half planes leave. */
function arcMaximum(rows: Float64Array, n: number, pattern: Uint8Array, g: Float64Array): number {
  const norm = Math.hypot(g[0], g[1]);
  let reference = Number.NaN;
  let [low, high] = [Infinity, -Infinity];
  for (let k = 0; k < n; k++) {
    const sign = pattern[k] ? 1 : -1;
    const [x, y] = [sign * rows[2 * k], sign * rows[2 * k + 1]];
    if (x === 0 && y === 0) continue;
    const angle = Math.atan2(y, x);
    if (Number.isNaN(reference)) reference = angle;
    const offset = wrapped(angle - reference);
    low = Math.min(low, offset);
    high = Math.max(high, offset);
  }
  if (Number.isNaN(reference)) return norm;
  if (high - low > Math.PI + 1e-9) return 0;
  const [from, to] = [high - Math.PI / 2, low + Math.PI / 2];
  const at = wrapped(Math.atan2(g[1], g[0]) - reference - (from + to) / 2);
  const beyond = Math.abs(at) - Math.max(to - from, 0) / 2;
  return beyond <= 0 ? norm : Math.max(0, norm * Math.cos(beyond));
}

function wrapped(angle: number): number {
  return angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
}

/**
 * @internal min over mu >= 0 of ||g + A^T mu|| for generators A `[count, d]`, by the active-set method of Lawson and
 * Hanson. Where rounding stops it early, the value is still that of some mu >= 0.
 */
export function projectedNorm(generators: Float64Array, count: number, d: number, g: Float64Array): number {
  const A = normalisedRows(generators, count, d);
  const scale = blockNorm(g, 0, d);
  const mu = new Float64Array(count);
  const active: number[] = [];
  const residual = g.slice();
  let best = scale;
  for (let step = 0; step < 3 * count + 10; step++) {
    let entering = -1;
    let lowest = -1e-12 * scale;
    for (let k = 0; k < count; k++) {
      let value = 0;
      for (let c = 0; c < d; c++) value += A[k * d + c] * residual[c];
      if (value < lowest && !active.includes(k)) {
        lowest = value;
        entering = k;
      }
    }
    if (entering < 0) break;
    active.push(entering);
    reduceActive(A, d, g, mu, active);
    residual.set(g);
    for (const k of active) for (let c = 0; c < d; c++) residual[c] += mu[k] * A[k * d + c];
    const norm = blockNorm(residual, 0, d);
    if (!(norm < best * (1 - 1e-14))) break;
    best = norm;
  }
  return best;
}

/** Moves mu towards the least squares solution on the active rows, and drops rows whose weight would turn negative. */
function reduceActive(A: Float64Array, d: number, g: Float64Array, mu: Float64Array, active: number[]): void {
  while (active.length > 0) {
    const solution = leastSquares(A, d, g, active);
    let step = 1;
    for (const [i, k] of active.entries()) {
      if (solution[i] <= 0) step = Math.min(step, mu[k] / (mu[k] - solution[i]));
    }
    if (!(step >= 0)) step = 0;
    for (const [i, k] of active.entries()) mu[k] = Math.max(0, mu[k] + step * (solution[i] - mu[k]));
    if (step === 1 && solution.every((value) => value > 0)) return;
    const kept = active.filter((k, i) => mu[k] > 0 && !(solution[i] <= 0 && mu[k] <= 1e-15));
    if (kept.length === active.length) return;
    for (const k of active) if (!kept.includes(k)) mu[k] = 0;
    active.splice(0, active.length, ...kept);
  }
}

/** The minimiser of ||g + sum_i x_i a_i|| over the given rows of A, by Gram and Schmidt, twice each. */
function leastSquares(A: Float64Array, d: number, g: Float64Array, rows: readonly number[]): Float64Array {
  const size = rows.length;
  const Q = new Float64Array(size * d);
  const R = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const at = i * d;
    for (let c = 0; c < d; c++) Q[at + c] = A[rows[i] * d + c];
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        let value = 0;
        for (let c = 0; c < d; c++) value += Q[j * d + c] * Q[at + c];
        R[j * size + i] += value;
        for (let c = 0; c < d; c++) Q[at + c] -= value * Q[j * d + c];
      }
    }
    const norm = blockNorm(Q, at, d);
    // A row that depends on the others gets the weight 0.
    R[i * size + i] = norm > 1e-14 ? norm : Infinity;
    for (let c = 0; c < d; c++) Q[at + c] = norm > 1e-14 ? Q[at + c] / norm : 0;
  }
  const x = new Float64Array(size);
  for (let i = size - 1; i >= 0; i--) {
    let value = 0;
    for (let c = 0; c < d; c++) value -= Q[i * d + c] * g[c];
    for (let j = i + 1; j < size; j++) value -= R[i * size + j] * x[j];
    x[i] = value / R[i * size + i];
  }
  return x;
}

function normalisedRows(rows: Float64Array, count: number, d: number): Float64Array {
  const out = new Float64Array(count * d);
  for (let k = 0; k < count; k++) {
    const norm = blockNorm(rows, k * d, d);
    if (norm > 0) for (let c = 0; c < d; c++) out[k * d + c] = rows[k * d + c] / norm;
  }
  return out;
}
