import {
  checkOptions,
  requireInteger,
  requireNonNegative,
  requireObject,
  ShapeError,
  sparse,
  ValueError,
} from "@offprint/tensor-core";
import type { LinearOperator } from "./linear-operator.js";
import { checkFinite } from "./linear-operator.js";

/** Options of {@link incompleteCholesky}. */
export interface IncompleteCholeskyOptions {
  /** Part of the diagonal that is added before the factorisation, >= 0 (default 0). Raised by itself where a pivot is not positive. */
  readonly shift?: number;
  /** Attempts with a larger shift, 1e-3 and then twice the last (default 20). */
  readonly attempts?: number;
}

/** What {@link incompleteCholesky} gives. */
export interface IncompleteCholesky {
  /** `z = (L L^T)^-1 r`: a preconditioner. */
  readonly apply: LinearOperator;
  /** L, lower triangular, with the pattern of the lower triangle of A. */
  readonly factor: sparse.CsrMatrix;
  /** Part of the diagonal that was added. */
  readonly shift: number;
}

/** The first shift where none was given. */
const FIRST_SHIFT = 1e-3;

/**
 * The incomplete Cholesky factorisation without fill, IC(0): `L L^T` agrees with A where A has entries (Meijerink and van der
 * Vorst 1977). Exact for tridiagonal matrices. Where a pivot is not positive, part of the diagonal is added and it begins
 * anew (Manteuffel 1980), as may happen where A is no M-matrix. Rows that are zero are left as they are.
 * @param a - `[n, n]` symmetric positive definite; its upper triangle is not read.
 * @throws ShapeError; ValueError where values are not finite, a diagonal entry is negative or missing, or no shift helps.
 * @example conjugateGradients(a, b, { preconditioner: incompleteCholesky(a).apply });
 */
export function incompleteCholesky(
  a: sparse.SparseMatrix,
  options: IncompleteCholeskyOptions = {},
): IncompleteCholesky {
  requireObject("incompleteCholesky", "a", a, "a sparse matrix");
  const owner = "incompleteCholesky";
  checkOptions(owner, options, ["shift", "attempts"]);
  const { shift: given = 0, attempts = 20 } = options;
  requireNonNegative(owner, "shift", given);
  requireInteger(owner, "attempts", attempts, 0);
  if (a.rows !== a.columns) throw new ShapeError(`${owner}: the matrix has shape [${a.shape}]; it must be square`);
  checkFinite(a.values, `${owner}: the matrix`);
  const lower = lowerTriangle(owner, sparse.toCsr(a));
  let shift = given;
  for (let attempt = 0; attempt <= attempts; attempt++) {
    const values = factored(lower, shift);
    if (values !== undefined) {
      const factor = new sparse.CsrMatrix(a.rows, a.rows, lower.indptr, lower.indices, values, false);
      return { apply: inverseOf(factor), factor, shift };
    }
    shift = shift === 0 ? FIRST_SHIFT : 2 * shift;
  }
  throw new ValueError(
    `${owner}: a pivot is not positive even with ${shift / 2} of the diagonal added; give a positive definite matrix`,
  );
}

/** Rows of the lower triangle with their diagonal entry last; that of a row of zeros is 1. */
function lowerTriangle(owner: string, a: sparse.CsrMatrix): sparse.CsrMatrix {
  const n = a.rows;
  const indptr = new Int32Array(n + 1);
  const indices: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < n; i++) {
    let diagonal = 0;
    let empty = true;
    for (let p = a.indptr[i]; p < a.indptr[i + 1]; p++) {
      if (a.values[p] !== 0) empty = false;
      if (a.indices[p] === i) diagonal += a.values[p];
      else if (a.indices[p] < i) {
        indices.push(a.indices[p]);
        values.push(a.values[p]);
      }
    }
    if (!(diagonal > 0 || empty)) {
      throw new ValueError(`${owner}: diagonal entry ${i} is ${diagonal}; that of a positive definite matrix is > 0`);
    }
    indices.push(i);
    values.push(empty ? 1 : diagonal);
    indptr[i + 1] = indices.length;
  }
  return new sparse.CsrMatrix(n, n, indptr, Int32Array.from(indices), Float64Array.from(values), false);
}

/** The values of L, or undefined where a pivot is not positive. */
function factored({ rows, indptr, indices, values }: sparse.CsrMatrix, shift: number): Float64Array | undefined {
  const l = values.slice();
  const place = new Int32Array(rows).fill(-1);
  for (let i = 0; i < rows; i++) {
    const last = indptr[i + 1] - 1;
    for (let p = indptr[i]; p < last; p++) place[indices[p]] = p;
    let pivot = values[last] * (1 + shift);
    for (let p = indptr[i]; p < last; p++) {
      const k = indices[p];
      const end = indptr[k + 1] - 1;
      let sum = l[p];
      for (let q = indptr[k]; q < end; q++) if (place[indices[q]] >= 0) sum -= l[place[indices[q]]] * l[q];
      l[p] = sum / l[end];
      pivot -= l[p] * l[p];
    }
    for (let p = indptr[i]; p < last; p++) place[indices[p]] = -1;
    if (!(pivot > 0)) return undefined;
    l[last] = Math.sqrt(pivot);
  }
  return l;
}

/** Forward substitution with L, backward with its transpose. */
function inverseOf({ rows, indptr, indices, values }: sparse.CsrMatrix): LinearOperator {
  return (r, z) => {
    for (let i = 0; i < rows; i++) {
      const last = indptr[i + 1] - 1;
      let sum = r[i];
      for (let p = indptr[i]; p < last; p++) sum -= values[p] * z[indices[p]];
      z[i] = sum / values[last];
    }
    for (let i = rows - 1; i >= 0; i--) {
      const last = indptr[i + 1] - 1;
      z[i] /= values[last];
      for (let p = indptr[i]; p < last; p++) z[indices[p]] -= values[p] * z[i];
    }
  };
}
