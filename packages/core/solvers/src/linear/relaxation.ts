import type { sparse } from "@offprint/tensor-core";
import { relax } from "@offprint/tensor-core/internal";
import type { LinearSolverResult } from "./linear-solver.js";
import { type RelaxationOptions, RelaxationSystem } from "./relaxation-system.js";

/**
 * Solves `A x = b` by successive over-relaxation (Young 1950), which converges for every symmetric positive definite `A`:
 * row by row, `x_i` becomes `(1 - omega) x_i + omega (b_i - sum of a_ij x_j, j != i) / a_ii` with the newest values.
 *
 * Converged when the residual norm is *below* `relativeTolerance` times that of the first iterate, or below
 * `absoluteTolerance`; the norm is exact at the end and comes from a recurrence that is as good before, so that a sweep
 * costs one pass over `A`. `maxIterations` is 10 000 unless given. Progress is told in batches.
 *
 * @param a - `[n, n]` sparse matrix without zeros on the diagonal; `n >= 1`.
 * @param b - Right-hand side, `[n]`.
 * @returns `status` is `"breakdown"` where the sweeps diverged until numbers overflowed.
 * @throws ShapeError; ValueError for omega outside (0, 2), a zero on the diagonal and values that are not finite;
 * AbortedError.
 */
export function sor(a: sparse.SparseMatrix, b: sparse.VectorLike, options: RelaxationOptions): LinearSolverResult {
  return solveByRelaxation(a, b, options, false, "sor");
}

/**
 * Solves `A x = b` by symmetric successive over-relaxation: every iteration is a forward and a backward sweep, in one
 * pass over `A`. Options, test of convergence and errors are those of {@link sor}.
 */
export function ssor(a: sparse.SparseMatrix, b: sparse.VectorLike, options: RelaxationOptions): LinearSolverResult {
  return solveByRelaxation(a, b, options, true, "ssor");
}

function solveByRelaxation(
  a: sparse.SparseMatrix,
  b: sparse.VectorLike,
  options: RelaxationOptions,
  symmetric: boolean,
  solver: string,
): LinearSolverResult {
  const system = new RelaxationSystem(a, b, options, 10000, solver);
  const { matrix, x, history, relativeTolerance, absoluteTolerance } = system;
  // The iteration is stationary: going on from x is the same iteration.
  const target = () => Math.max(relativeTolerance * history[0], absoluteTolerance);
  const run = (limit: number) =>
    history.length === 0
      ? relax(matrix, system.b, x, options.omega, symmetric, relativeTolerance, absoluteTolerance, limit)
      : relax(matrix, system.b, x, options.omega, symmetric, 0, target(), limit);
  system.iterate(run, (norm) => norm < target());
  const last = history[history.length - 1];
  if (last < target() || history[0] === 0) return system.result("converged");
  return system.result(Number.isFinite(last) ? "maxIterations" : "breakdown");
}
