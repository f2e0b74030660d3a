import { sparse, ValueError } from "@offprint/tensor-core";
import { type CgState, type RelaxationMatrix, sparseCg } from "@offprint/tensor-core/internal";
import type { LinearSolverResult } from "./linear-solver.js";
import { type RelaxationOptions, RelaxationSystem } from "./relaxation-system.js";
import { norm } from "./vector-arithmetic.js";

/** Options of {@link ssorConjugateGradients}. */
export interface SsorConjugateGradientsOptions extends RelaxationOptions {
  /**
   * Which triangular factor of the preconditioner comes first, that is, stands on the left:
   * `(D + omega L) D^-1 (D + omega L)^T` (`"lower-first"`, the default) or its reverse.
   */
  readonly order?: "lower-first" | "upper-first";
}

/**
 * Solves `A x = b` for symmetric positive definite `A = D + L + transpose(L)` by conjugate gradients with the
 * preconditioner of symmetric SOR, `(D + omega L) D^-1 transpose(D + omega L) / (omega (2 - omega))`.
 *
 * Converged when the residual norm is at most `relativeTolerance` times the norm of `b`, or `absoluteTolerance`.
 * `maxIterations` is `10 n` unless given. Progress is told in batches.
 *
 * @param a - `[n, n]` sparse symmetric positive definite matrix; `n >= 1`.
 * @param b - Right-hand side, `[n]`.
 * @returns `status` is `"breakdown"` where a direction of negative or no curvature shows that `A` is not definite.
 * @throws ShapeError; ValueError for omega outside (0, 2), a matrix that is not symmetric, a diagonal that is not positive
 * and values that are not finite; AbortedError.
 */
export function ssorConjugateGradients(
  a: sparse.SparseMatrix,
  b: sparse.VectorLike,
  options: SsorConjugateGradientsOptions,
): LinearSolverResult {
  const solver = "ssorConjugateGradients";
  const { omega, order = "lower-first" } = options;
  if (order !== "lower-first" && order !== "upper-first") {
    throw new ValueError(`${solver}: order must be "lower-first" or "upper-first", got "${order}"`);
  }
  const system = new RelaxationSystem(a, b, options, 10 * a.rows, solver);
  checkSymmetric(a, system.matrix, solver);
  return iterateSparseCg(system, omega, order === "upper-first");
}

/** @internal Conjugate gradients on the system; `omega` 0 is without a preconditioner. */
export function iterateSparseCg(system: RelaxationSystem, omega: number, upperFirst: boolean): LinearSolverResult {
  const { n, matrix, b, x, history } = system;
  const threshold = Math.max(system.relativeTolerance * norm(b), system.absoluteTolerance);
  const state: CgState = { x, r: new Float64Array(n), p: new Float64Array(n), rho: 0 };
  const run = (limit: number) => sparseCg(matrix, b, state, omega, upperFirst, threshold, limit);
  system.iterate(run, (norm) => norm <= threshold);
  const last = history[history.length - 1];
  if (last <= threshold) return system.result("converged");
  return system.result(state.rho === -1 || !Number.isFinite(last) ? "breakdown" : "maxIterations");
}

/** @throws ValueError unless the matrix is symmetric up to rounding, with a positive diagonal. */
function checkSymmetric(a: sparse.SparseMatrix, { at, diagonal, ...lists }: RelaxationMatrix, solver: string): void {
  const wrong = diagonal.findIndex((d) => !(d > 0));
  if (wrong >= 0) {
    throw new ValueError(
      `${solver}: the diagonal entry of row ${wrong} is ${diagonal[wrong]}: A is not positive definite`,
    );
  }
  // Zeros may be stored on one side only.
  if (unmatched(lists, at) === undefined) return;
  const difference = sparse.prune(
    sparse.add(a, sparse.transpose(a), 1, -1),
    1e-10 * a.values.reduce((m, v) => Math.max(m, Math.abs(v)), 0),
  );
  if (difference.entries === 0) return;
  const { rowIndices, columnIndices } = sparse.toCoo(difference);
  const [i, j] = [rowIndices[0], columnIndices[0]];
  throw new ValueError(
    `${solver}: A is not symmetric: its entries (${i}, ${j}) and (${j}, ${i}) differ; use gmres, or sor where it converges`,
  );
}

/** The position of an entry whose mirror image is missing or another number, or undefined. */
function unmatched(
  { indptr, indices, values }: Omit<RelaxationMatrix, "at" | "diagonal">,
  at: Int32Array,
): number | undefined {
  // Rows ascend, so the mirror images in row j of the entries above the diagonal are met in the order of row j.
  const next = indptr.slice(0, at.length);
  for (let i = 0; i < at.length; i++) {
    if (next[i] !== at[i]) return next[i];
    for (let p = at[i] + 1; p < indptr[i + 1]; p++) {
      const q = next[indices[p]]++;
      const distance = Math.abs(values[p] - values[q]);
      if (indices[q] !== i || distance > 1e-10 * (Math.abs(values[p]) + Math.abs(values[q]))) return p;
    }
  }
  return undefined;
}
