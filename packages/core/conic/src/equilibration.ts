import type { sparse } from "@offprint/tensor-core";
import type { ConeBlock } from "./cones.js";
import { DenseProduct } from "./dense-product.js";
import type { CheckedProblem } from "./problem.js";
import { maxNorm } from "./vector-arithmetic.js";

const PASSES = 10;
/** Norms between this and its inverse are even enough. */
const EVEN = 0.95;
const LEAST = 1e-4;
const MOST = 1e4;

/** @internal The problem in scaled variables: A~ = D A E, P~ = E P E, b~ = sigma D b, c~ = sigma E c. */
export interface ScaledProblem extends CheckedProblem {
  /** Row scales `[m]`, constant in every second-order and semidefinite cone. */
  readonly D: Float64Array;
  /** Column scales `[n]`. */
  readonly E: Float64Array;
  readonly sigma: number;
}

/** @internal Ruiz equilibration in the infinity norm; an operator's rows and columns keep scale 1. */
export function equilibrate(problem: CheckedProblem, normalize: boolean): ScaledProblem {
  const { n, m, A, P, operator, blocks } = problem;
  const D = new Float64Array(m).fill(1);
  const E = new Float64Array(n).fill(1);
  const scaledA = A?.withValues(A.values.slice());
  const scaledP = P?.withValues(P.values.slice());
  if (normalize && scaledA !== undefined) {
    for (let pass = 0; pass < PASSES; pass++) if (ruizPass(scaledA, scaledP, blocks, D, E)) break;
    // The clamped scales, applied to the data once.
    clamp(D);
    clamp(E);
    rescale(A as sparse.CscMatrix, scaledA.values, D, E);
    if (P !== undefined && scaledP !== undefined) rescale(P, scaledP.values, E, E);
  }
  const b = problem.b.map((value, i) => value * D[i]);
  const c = problem.c.map((value, j) => value * E[j]);
  const dense = scaledA === undefined ? undefined : DenseProduct.of(scaledA);
  const denseP = scaledP === undefined ? undefined : DenseProduct.of(scaledP);
  const sigma = normalize ? 1 / atLeast(Math.max(maxNorm(b), maxNorm(c))) : 1;
  for (let i = 0; i < m; i++) b[i] *= sigma;
  for (let j = 0; j < n; j++) c[j] *= sigma;
  return { n, m, A: scaledA, P: scaledP, operator, dense, denseP, b, c, blocks, D, E, sigma };
}

/** One pass on the current D A E and E P E, in place; true where their norms were even already. */
function ruizPass(
  A: sparse.CscMatrix,
  P: sparse.CscMatrix | undefined,
  blocks: readonly ConeBlock[],
  D: Float64Array,
  E: Float64Array,
): boolean {
  const rows = new Float64Array(D.length);
  const columns = new Float64Array(E.length);
  growNorms(A, rows, columns);
  if (P !== undefined) growNorms(P, undefined, columns);
  // All rows of a second-order or semidefinite cone share one scale, or the cone would not be preserved.
  for (const { kind, start, length } of blocks) {
    if (kind !== "secondOrder" && kind !== "semidefinite") continue;
    rows.fill(maxNorm(rows.subarray(start, start + length)), start, start + length);
  }
  if (even(rows) && even(columns)) return true;
  for (let i = 0; i < rows.length; i++) D[i] *= rows[i] = 1 / Math.sqrt(atLeast(rows[i]));
  for (let j = 0; j < columns.length; j++) E[j] *= columns[j] = 1 / Math.sqrt(atLeast(columns[j]));
  rescale(A, A.values, rows, columns);
  if (P !== undefined) rescale(P, P.values, columns, columns);
  return false;
}

function even(norms: Float64Array): boolean {
  return norms.every((norm) => norm < LEAST || (norm > EVEN && norm < 1 / EVEN));
}

function growNorms(a: sparse.CscMatrix, rows: Float64Array | undefined, columns: Float64Array): void {
  const { indptr, indices, values } = a;
  for (let j = 0; j < columns.length; j++) {
    for (let p = indptr[j]; p < indptr[j + 1]; p++) {
      const size = Math.abs(values[p]);
      if (size > columns[j]) columns[j] = size;
      if (rows !== undefined && size > rows[indices[p]]) rows[indices[p]] = size;
    }
  }
}

/** `out = diag(rows) a diag(columns)`. */
function rescale(a: sparse.CscMatrix, out: Float64Array, rows: Float64Array, columns: Float64Array): void {
  const { indptr, indices, values } = a;
  for (let j = 0; j < columns.length; j++) {
    for (let p = indptr[j]; p < indptr[j + 1]; p++) out[p] = values[p] * rows[indices[p]] * columns[j];
  }
}

function clamp(scales: Float64Array): void {
  for (let i = 0; i < scales.length; i++) scales[i] = Math.min(MOST, Math.max(LEAST, scales[i]));
}

function atLeast(norm: number): number {
  return norm < LEAST ? 1 : norm;
}
