import type { sparse } from "@offprint/tensor-core";
import { relax } from "@offprint/tensor-core/internal";
import {
  type LinearMethod,
  type LinearSolverResult,
  type LinearSolverResultSync,
  type LinearState,
  solveLinear,
  solveLinearSync,
} from "./linear-solver.js";
import {
  type RelaxationOptions,
  type RelaxationSettings,
  RelaxationSystem,
  relaxationOptionNames,
  requireSystem,
} from "./relaxation-system.js";

interface RelaxationState extends LinearState {
  /** Residual norms of the iterations that the last call of the kernel made. */
  readonly norms: Float64Array;
}

/**
 * Solves `A x = b` by successive over-relaxation (Young 1950), which converges for every symmetric positive definite `A`:
 * row by row, `x_i` becomes `(1 - omega) x_i + omega (b_i - sum of a_ij x_j, j != i) / a_ii` with the newest values.
 *
 * Converged when the residual norm is *below* `tolerance` times that of the first iterate, or below
 * `absoluteTolerance`; the norm is exact at the end and comes from a recurrence that is as good before, so that a sweep
 * costs one pass over `A`. `maxIterations` is 10 000 unless given. Progress is told in batches.
 *
 * @param a - `[n, n]` sparse matrix without zeros on the diagonal; `n >= 1`.
 * @param b - Right-hand side, `[n]`.
 * @returns `status` is `"breakdown"` where the sweeps diverged until numbers overflowed.
 * @throws ShapeError; ValueError for omega outside (0, 2), a zero on the diagonal and values that are not finite.
 */
export async function sor(
  a: sparse.SparseMatrix,
  b: sparse.VectorLike,
  options: RelaxationOptions,
): Promise<LinearSolverResult> {
  requireSystem("sor", a, options);
  return solveLinear((owner) => relaxation(owner, a, b, options, false), "sor", options, relaxationOptionNames);
}

/** {@link sor} in one go, for systems that are over in a blink. */
export function sorSync(
  a: sparse.SparseMatrix,
  b: sparse.VectorLike,
  options: RelaxationSettings,
): LinearSolverResultSync {
  requireSystem("sorSync", a, options);
  return solveLinearSync((owner) => relaxation(owner, a, b, options, false), "sorSync", options, relaxationOptionNames);
}

/**
 * Solves `A x = b` by symmetric successive over-relaxation: every iteration is a forward and a backward sweep, in one
 * pass over `A`. Options, test of convergence and errors are those of {@link sor}.
 */
export async function ssor(
  a: sparse.SparseMatrix,
  b: sparse.VectorLike,
  options: RelaxationOptions,
): Promise<LinearSolverResult> {
  requireSystem("ssor", a, options);
  return solveLinear((owner) => relaxation(owner, a, b, options, true), "ssor", options, relaxationOptionNames);
}

/** {@link ssor} in one go, for systems that are over in a blink. */
export function ssorSync(
  a: sparse.SparseMatrix,
  b: sparse.VectorLike,
  options: RelaxationSettings,
): LinearSolverResultSync {
  requireSystem("ssorSync", a, options);
  return solveLinearSync((owner) => relaxation(owner, a, b, options, true), "ssorSync", options, relaxationOptionNames);
}

function relaxation(
  owner: string,
  a: sparse.SparseMatrix,
  b: sparse.VectorLike,
  options: RelaxationSettings,
  symmetric: boolean,
): LinearMethod<RelaxationState> {
  const { omega } = options;
  const system = new RelaxationSystem(owner, a, b, options, 10000);
  const { matrix, tolerance, absoluteTolerance } = system;
  const target = ({ initialResidualNorm }: LinearState) => Math.max(tolerance * initialResidualNorm, absoluteTolerance);
  const sweep = (x: Float64Array, absolute: number, limit: number) =>
    relax(matrix, system.b, x, omega, symmetric, 0, absolute, limit);
  return {
    system,
    // Where the residual is exactly 0 the kernel makes no sweep.
    converged: (state) =>
      state.residualNorm < target(state) ||
      state.initialResidualNorm === 0 ||
      (state.iteration > 0 && state.norms.length === 0),
    norms: ({ norms }) => norms,
    check: ({ norms }) => norms instanceof Float64Array,
    begin() {
      // A target above everything: no sweep is made.
      const residualNorm = system.firstNorm((x) => sweep(x, Number.MAX_VALUE, 1)[0]);
      return { ...system.first(residualNorm), x: system.initial, norms: new Float64Array(0) };
    },
    step(state) {
      const x = state.x.slice();
      // The iteration is stationary: going on from x is the same iteration.
      const norms = sweep(x, target(state), system.batch(state.iteration)).subarray(1).slice();
      const residualNorm = norms.length === 0 ? 0 : norms[norms.length - 1];
      const broken = !Number.isFinite(residualNorm);
      const iteration = state.iteration + norms.length;
      return { ...state, iteration, x, norms, residualNorm, broken };
    },
  };
}
