import {
  choleskyFactor,
  largestEigenvalue,
  type Matrix,
  matrix,
  multiply,
  multiplyTransposed,
  symmetrized,
  transposed,
} from "./matrix.js";

const SWEEPS = 300;

/**
 * @internal Weights mu with diag(mu) >= V = W^T S W and (almost) the least sum, for positive semidefinite S: the dual of
 * the relaxation of maximal cut, solved in its low-rank form by coordinate ascent (the mixing method, Wang, Chang and
 * Kolter 2017). max <V, X> over X >= 0 with unit diagonal has X = R R^T with unit rows r_j, and mu_j = |(V R)_j|.
 */
export function boxWeights(W: Matrix, S: Matrix): Float64Array {
  const d = W.columns;
  const B = rootTimes(S, W);
  const rank = Math.min(d, Math.ceil(Math.sqrt(2 * d)) + 1);
  // Deterministic unit rows in general position.
  const R = new Float64Array(d * rank);
  for (let j = 0; j < d; j++) {
    let squares = 0;
    for (let k = 0; k < rank; k++) {
      const value = Math.sin(1 + 12.9898 * (j + 1) * (k + 1) + 3.7 * k);
      R[j * rank + k] = value;
      squares += value * value;
    }
    for (let k = 0; k < rank; k++) R[j * rank + k] /= Math.sqrt(squares);
  }
  const columns = transposed(B);
  const P = multiply(B, matrix(d, rank, R)).values;
  const mu = new Float64Array(d);
  const g = new Float64Array(rank);
  let before = 0;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let total = 0;
    for (let j = 0; j < d; j++) {
      mu[j] = turnRow(columns, j, P, R, g, rank);
      total += mu[j];
    }
    if (Math.abs(total - before) <= 1e-8 * total) break;
    before = total;
  }
  return feasible(B, mu);
}

/** g = b_j^T P, r_j = g / |g|, and P with the new row. Returns |g|. */
function turnRow(columns: Matrix, j: number, P: Float64Array, R: Float64Array, g: Float64Array, rank: number): number {
  const inner = columns.columns;
  const row = j * inner;
  g.fill(0);
  for (let i = 0; i < inner; i++) {
    const factor = columns.values[row + i];
    if (factor !== 0) for (let k = 0; k < rank; k++) g[k] += factor * P[i * rank + k];
  }
  let squares = 0;
  for (let k = 0; k < rank; k++) squares += g[k] * g[k];
  const norm = Math.sqrt(squares);
  if (!(norm > 0)) return 0;
  for (let k = 0; k < rank; k++) {
    const change = g[k] / norm - R[j * rank + k];
    R[j * rank + k] += change;
    g[k] = change;
  }
  for (let i = 0; i < inner; i++) {
    const factor = columns.values[row + i];
    if (factor !== 0) for (let k = 0; k < rank; k++) P[i * rank + k] += factor * g[k];
  }
  return norm;
}

/** @internal mu scaled up until diag(mu) >= B^T B, by the largest eigenvalue of B diag(mu)^-1 B^T. */
export function feasible(B: Matrix, mu: Float64Array): Float64Array {
  const floor = (1e-9 * mu.reduce((sum, value) => sum + value, 0)) / mu.length;
  const raised = mu.map((value) => Math.max(value, 0) + floor);
  const scaledB = matrix(
    B.rows,
    B.columns,
    B.values.map((value, k) => value / Math.sqrt(raised[k % B.columns])),
  );
  const factor = largestEigenvalue(symmetrized(multiply(scaledB, transposed(scaledB))));
  return raised.map((value) => value * factor);
}

/** @internal B with B^T B = W^T S W (up to a relative 1e-12 on the diagonal of S). */
export function rootTimes(S: Matrix, W: Matrix): Matrix {
  const n = S.rows;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += Math.abs(S.values[i * (n + 1)]);
  for (let shift = 1e-12; shift < 1; shift *= 100) {
    const raised = matrix(n, n, S.values.slice());
    for (let i = 0; i < n; i++) raised.values[i * (n + 1)] += (shift * trace) / n + Number.MIN_VALUE;
    const L = choleskyFactor(raised);
    if (L !== undefined) return multiplyTransposed(L, W);
  }
  return matrix(
    n,
    W.columns,
    W.values.map((value) => value * Math.sqrt(trace)),
  );
}
