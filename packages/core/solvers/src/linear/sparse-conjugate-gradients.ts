import { requireChoice, sparse, ValueError } from "@offprint/tensor-core";
import { type CgState, type RelaxationMatrix, sparseCg } from "@offprint/tensor-core/internal";
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

/** What conjugate gradients preconditioned by relaxation have of their own. */
export interface SsorConjugateGradientsSettings extends RelaxationSettings {
  /**
   * Which triangular factor of the preconditioner comes first, that is, stands on the left:
   * `(D + omega L) D^-1 (D + omega L)^T` (`"lower-first"`, the default) or its reverse.
   */
  readonly order?: "lower-first" | "upper-first";
}

/** Options of {@link ssorConjugateGradients}. */
export interface SsorConjugateGradientsOptions extends RelaxationOptions, SsorConjugateGradientsSettings {}

interface SparseState extends LinearState {
  readonly residual: Float64Array;
  readonly direction: Float64Array;
  /** `r' M r`; 0 before the first iteration, -1 where `A` was seen not to be definite. */
  readonly rho: number;
  /** Residual norms of the iterations that the last call of the kernel made. */
  readonly norms: Float64Array;
}

const names = [...relaxationOptionNames, "order"];

/**
 * Solves `A x = b` for symmetric positive definite `A = D + L + transpose(L)` by conjugate gradients with the
 * preconditioner of symmetric SOR, `(D + omega L) D^-1 transpose(D + omega L) / (omega (2 - omega))`.
 *
 * Converged when the residual norm is at most `tolerance` times the norm of `b`, or `absoluteTolerance`.
 * `maxIterations` is `10 n` unless given. Progress is told in batches.
 *
 * @param a - `[n, n]` sparse symmetric positive definite matrix; `n >= 1`.
 * @param b - Right-hand side, `[n]`.
 * @returns `status` is `"breakdown"` where a direction of negative or no curvature shows that `A` is not definite.
 * @throws ShapeError; ValueError for omega outside (0, 2), a matrix that is not symmetric, a diagonal that is not positive
 * and values that are not finite.
 */
export async function ssorConjugateGradients(
  a: sparse.SparseMatrix,
  b: sparse.VectorLike,
  options: SsorConjugateGradientsOptions,
): Promise<LinearSolverResult> {
  requireSystem("ssorConjugateGradients", a, options);
  return solveLinear((owner) => preconditioned(owner, a, b, options), "ssorConjugateGradients", options, names);
}

/** {@link ssorConjugateGradients} in one go, for systems that are over in a blink. */
export function ssorConjugateGradientsSync(
  a: sparse.SparseMatrix,
  b: sparse.VectorLike,
  options: SsorConjugateGradientsSettings,
): LinearSolverResultSync {
  requireSystem("ssorConjugateGradientsSync", a, options);
  return solveLinearSync((owner) => preconditioned(owner, a, b, options), "ssorConjugateGradientsSync", options, names);
}

function preconditioned(
  owner: string,
  a: sparse.SparseMatrix,
  b: sparse.VectorLike,
  options: SsorConjugateGradientsSettings,
): LinearMethod<SparseState> {
  const { omega, order = "lower-first" } = options;
  requireChoice(owner, "order", order, ["lower-first", "upper-first"]);
  const system = new RelaxationSystem(owner, a, b, options, 10 * a.rows);
  checkSymmetric(a, system.matrix, owner);
  return sparseConjugateGradients(system, omega, order === "upper-first");
}

/** @internal Conjugate gradients on the system; `omega` 0 is without a preconditioner. */
export function sparseConjugateGradients(
  system: RelaxationSystem,
  omega: number,
  upperFirst: boolean,
): LinearMethod<SparseState> {
  const { n, matrix, b, threshold } = system;
  const iterate = (state: CgState, target: number, limit: number) =>
    sparseCg(matrix, b, state, omega, upperFirst, target, limit);
  const blank = (x: Float64Array): CgState => ({ x, r: new Float64Array(n), p: new Float64Array(n), rho: 0 });
  return {
    system,
    norms: ({ norms }) => norms,
    check: ({ residual, direction, norms }) => [residual, direction, norms].every((v) => v instanceof Float64Array),
    begin() {
      // A threshold above everything: no iteration is made. The first step finds residual and direction from x.
      const residualNorm = system.firstNorm((x) => iterate(blank(x), Number.MAX_VALUE, 1)[0]);
      const { x, r, p, rho } = blank(system.initial);
      return { ...system.first(residualNorm), x, residual: r, direction: p, rho, norms: new Float64Array(0) };
    },
    step(state) {
      const { x, residual, direction, rho } = state;
      const next: CgState = { x: x.slice(), r: residual.slice(), p: direction.slice(), rho };
      const norms = iterate(next, threshold, system.batch(state.iteration)).subarray(1).slice();
      const residualNorm = norms.length === 0 ? state.residualNorm : norms[norms.length - 1];
      const broken = next.rho === -1 || !Number.isFinite(residualNorm);
      const iteration = state.iteration + norms.length;
      return {
        ...state,
        iteration,
        x: next.x,
        residual: next.r,
        direction: next.p,
        rho: next.rho,
        norms,
        residualNorm,
        broken,
      };
    },
  };
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
