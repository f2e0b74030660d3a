import { ConvergenceError, requireObject, ShapeError } from "@offprint/tensor-core";
import { checkFinite } from "../linear/linear-operator.js";

/** Eigenvalues (ascending) and components of eigenvectors of a symmetric tridiagonal matrix. */
export interface TridiagonalEigen {
  /** `[n]`, ascending. */
  readonly values: Float64Array;
  /**
   * Row-major `[rows, n]`: column `k` belongs to `values[k]`. `rows` is `n` (whole eigenvectors), 1 (their first
   * components only) or 0.
   */
  readonly vectors: Float64Array;
}

/**
 * Eigen-decomposition of the symmetric tridiagonal matrix with the given `diagonal` `[n]` and `offDiagonal` `[n - 1]` by
 * implicit QL steps with Wilkinson's shift. First components alone (what quadrature needs) cost O(n^2).
 *
 * @param vectors - `"all"`, `"first"` or `"none"` (default).
 * @throws ShapeError; ValueError for values that are not finite; ConvergenceError after 60 steps for one eigenvalue.
 */
export function tridiagonalEigen(
  diagonal: ArrayLike<number>,
  offDiagonal: ArrayLike<number>,
  vectors: "all" | "first" | "none" = "none",
): TridiagonalEigen {
  requireObject("tridiagonalEigen", "diagonal", diagonal, "an array of numbers");
  requireObject("tridiagonalEigen", "offDiagonal", offDiagonal, "an array of numbers");
  const n = diagonal.length;
  if (offDiagonal.length !== Math.max(0, n - 1)) {
    throw new ShapeError(
      `tridiagonalEigen: offDiagonal must have length ${Math.max(0, n - 1)}, got ${offDiagonal.length}`,
    );
  }
  checkFinite(diagonal, "tridiagonalEigen: diagonal");
  checkFinite(offDiagonal, "tridiagonalEigen: offDiagonal");
  const d = Float64Array.from(diagonal);
  const e = new Float64Array(n);
  e.set(Float64Array.from(offDiagonal));
  const rows = vectors === "all" ? n : vectors === "first" ? 1 : 0;
  // Stored by columns of the result, so that a rotation of two columns runs along memory.
  const z = new Float64Array(rows * n);
  for (let i = 0; i < rows; i++) z[i * rows + i] = 1;
  for (let l = 0; l < n; l++) isolate(d, e, z, rows, l);
  return sorted(d, z, rows);
}

/** QL steps until the off-diagonal entry at `l` is negligible. */
function isolate(d: Float64Array, e: Float64Array, z: Float64Array, rows: number, l: number): void {
  const n = d.length;
  for (let step = 0; ; step++) {
    let m = l;
    for (; m < n - 1; m++) if (Math.abs(e[m]) <= 1.1e-16 * (Math.abs(d[m]) + Math.abs(d[m + 1]))) break;
    if (m === l) return;
    if (step === 60) throw new ConvergenceError("tridiagonalEigen: 60 QL steps did not isolate an eigenvalue");
    qlStep(d, e, z, rows, l, m);
  }
}

/** One implicit QL step on the unreduced block from `l` to `m`. */
function qlStep(d: Float64Array, e: Float64Array, z: Float64Array, rows: number, l: number, m: number): void {
  const half = (d[l + 1] - d[l]) / (2 * e[l]);
  const root = Math.hypot(half, 1);
  let g = d[m] - d[l] + e[l] / (half + (half >= 0 ? root : -root));
  let sine = 1;
  let cosine = 1;
  let shifted = 0;
  for (let i = m - 1; i >= l; i--) {
    const f = sine * e[i];
    const b = cosine * e[i];
    const radius = Math.hypot(f, g);
    e[i + 1] = radius;
    if (radius === 0) {
      // The bulge vanished early: the block splits here.
      d[i + 1] -= shifted;
      e[m] = 0;
      return;
    }
    sine = f / radius;
    cosine = g / radius;
    g = d[i + 1] - shifted;
    const t = (d[i] - g) * sine + 2 * cosine * b;
    shifted = sine * t;
    d[i + 1] = g + shifted;
    g = cosine * t - b;
    for (let p = i * rows, q = p + rows; p < (i + 1) * rows; p++, q++) {
      const upper = z[q];
      z[q] = sine * z[p] + cosine * upper;
      z[p] = cosine * z[p] - sine * upper;
    }
  }
  d[l] -= shifted;
  e[l] = g;
  e[m] = 0;
}

function sorted(d: Float64Array, z: Float64Array, rows: number): TridiagonalEigen {
  const n = d.length;
  const order = Array.from(d.keys()).sort((i, j) => d[i] - d[j]);
  const vectors = new Float64Array(rows * n);
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < rows; i++) vectors[i * n + k] = z[order[k] * rows + i];
  }
  return { values: Float64Array.from(order, (i) => d[i]), vectors };
}
