import { ConvergenceError, ValueError } from "../errors.js";
import { type FloatArray, hasNonFinite, roundLike, rowMajor, transposed } from "./arrays.js";
import { choosesBySize, wasmRuntime } from "./engine.js";
import { jsJacobiRows } from "./js/svd.js";
import { matmul } from "./matmul.js";
import { qr64 } from "./qr.js";
import { fromUnit, unitScale } from "./scaling.js";
import { wasmJacobiRows } from "./wasm/decompositions.js";

const WASM_FROM = 6;

/** A = U diag(s) V^T with k = min(rows, columns). */
export interface SvdResult<A extends FloatArray> {
  /** [rows, k], orthonormal columns. */
  readonly u: A;
  /** [k], descending and not negative. */
  readonly s: A;
  /** [k, columns], orthonormal rows. */
  readonly vt: A;
}

/**
 * Reduced singular value decomposition of the row-major A[rows, columns], computed in float64 by a QR decomposition of
 * the columns in descending order and one-sided Jacobi rotations of R, which keep small singular values accurate where
 * the columns of A are merely badly scaled (Z. Drmac and K. Veselic, SIAM J. Matrix Anal. Appl. 29, 2008).
 *
 * @throws ValueError where A holds NaN or infinity, ConvergenceError where the iteration fails.
 */
export function svd<A extends FloatArray>(a: A, rows: number, columns: number): SvdResult<A> {
  if (hasNonFinite(a)) throw new ValueError("svd: the matrix holds NaN or infinity; replace those entries first");
  const wide = rows < columns;
  const work = wide ? transpose(a, rows, columns) : new Float64Array(a);
  const tall = tallSvd(work, Math.max(rows, columns), Math.min(rows, columns));
  const u = wide ? transpose(tall.vt, rows, rows) : tall.u;
  const vt = wide ? transpose(tall.u, columns, rows) : tall.vt;
  return { u: roundLike(a, u), s: roundLike(a, tall.s), vt: roundLike(a, vt) };
}

function tallSvd(a: Float64Array, m: number, n: number): SvdResult<Float64Array> {
  const scale = unitScale(a);
  const order = descending(columnNorms(a, m, n));
  const sorted = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) sorted[i * n + j] = a[i * n + order[j]!]!;
  const { q, r } = qr64(sorted, m, n);
  const rotations = new Float64Array(n * n);
  for (let i = 0; i < n; i++) rotations[i * n + i] = 1;
  const runtime = wasmRuntime();
  const wasm = runtime && (n >= WASM_FROM || !choosesBySize());
  const converged = wasm ? wasmJacobiRows(runtime, n, n, r, rotations) : jsJacobiRows(n, n, r, rotations);
  if (!converged) throw new ConvergenceError("svd: the Jacobi sweeps did not converge; check how A is scaled");

  const norms = columnNorms(transpose(r, n, n), n, n);
  const rank = descending(norms);
  const s = new Float64Array(n);
  const vt = new Float64Array(n * n);
  const chosen = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = rank[i]!;
    s[i] = norms[row]!;
    chosen.set(rotations.subarray(row * n, (row + 1) * n), i * n);
    if (s[i]! > 0) for (let j = 0; j < n; j++) vt[i * n + order[j]!] = r[row * n + j]! / s[i]!;
    else completeRow(vt, n, i);
  }
  const u = new Float64Array(m * n);
  matmul(m, n, n, rowMajor(q, n), transposed(rowMajor(chosen, n)), rowMajor(u, n));
  fromUnit(s, scale);
  return { u, s, vt };
}

function columnNorms(a: Float64Array, rows: number, columns: number): Float64Array {
  const squares = new Float64Array(columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) squares[j]! += a[i * columns + j]! ** 2;
  return squares.map(Math.sqrt);
}

function descending(values: Float64Array): number[] {
  return Array.from(values.keys()).sort((i, j) => values[j]! - values[i]!);
}

/** Row i of V^T, whose singular value is zero: any unit vector orthogonal to the rows above. */
function completeRow(vt: Float64Array, n: number, i: number): void {
  // Some axis keeps at least 1 / n of its squared length outside the span of i < n rows.
  for (let axis = 0; axis < n; axis++) {
    const row = vt.subarray(i * n, (i + 1) * n).fill(0);
    row[axis] = 1;
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < i; k++) {
        let product = 0;
        for (let j = 0; j < n; j++) product += vt[k * n + j]! * row[j]!;
        for (let j = 0; j < n; j++) row[j]! -= product * vt[k * n + j]!;
      }
      const norm = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
      if (norm * norm * n < 0.5) break;
      for (let j = 0; j < n; j++) row[j]! /= norm;
      if (pass === 1) return;
    }
  }
}

function transpose(a: FloatArray, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j]!;
  return out;
}
