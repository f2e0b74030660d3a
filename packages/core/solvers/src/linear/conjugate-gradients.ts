import { sparse } from "@offprint/tensor-core";
import type { OperatorLike } from "./linear-operator.js";
import {
  type LinearMethod,
  type LinearSolverOptions,
  type LinearSolverResult,
  type LinearSolverResultSync,
  type LinearSolverSettings,
  type LinearState,
  OperatorSystem,
  solveLinear,
  solveLinearSync,
} from "./linear-solver.js";
import { RelaxationSystem } from "./relaxation-system.js";
import { sparseConjugateGradients } from "./sparse-conjugate-gradients.js";
import { addScaled, dot, norm } from "./vector-arithmetic.js";

interface ConjugateState extends LinearState {
  readonly residual: Float64Array;
  readonly direction: Float64Array;
  /** `r' M r`. */
  readonly rho: number;
}

/**
 * Solves `A x = b` for symmetric positive definite `A` by preconditioned conjugate gradients (Hestenes and Stiefel 1952).
 *
 * @param a - `[n, n]` matrix or operator; a sparse matrix without a preconditioner runs in WebAssembly, and tells its
 * progress in batches.
 * @param b - Right-hand side, `[n]`.
 * @returns `status` is `"breakdown"` where a direction of negative or no curvature shows that `A` is not definite.
 * @throws ShapeError; ValueError for options out of range and values that are not finite; NonFiniteError.
 */
export async function conjugateGradients(
  a: OperatorLike,
  b: sparse.VectorLike,
  options: LinearSolverOptions = {},
): Promise<LinearSolverResult> {
  return solveLinear(methodFor(a, b, options), "conjugateGradients", options);
}

/** {@link conjugateGradients} in one go, for systems that are over in a blink and for rules of derivatives. */
export function conjugateGradientsSync(
  a: OperatorLike,
  b: sparse.VectorLike,
  options: LinearSolverSettings = {},
): LinearSolverResultSync {
  return solveLinearSync(methodFor(a, b, options), "conjugateGradientsSync", options);
}

function methodFor(
  a: OperatorLike,
  b: sparse.VectorLike,
  options: LinearSolverSettings,
): (owner: string) => LinearMethod<LinearState> {
  // A zero on the diagonal shows that A is not definite; the loop below finds it out.
  const kernel =
    sparse.isSparseMatrix(a) && options.preconditioner === undefined && sparse.diagonalOf(a).every((d) => d !== 0);
  // A run meets only states that its own method made or checked.
  return (owner) => {
    const method: unknown = kernel
      ? sparseConjugateGradients(new RelaxationSystem(owner, a, b, { ...options, omega: 1 }, 10 * a.rows), 0, false)
      : byOperator(new OperatorSystem(owner, a, b, options));
    return method as LinearMethod<LinearState>;
  };
}

function byOperator(system: OperatorSystem): LinearMethod<ConjugateState> {
  return {
    system,
    check: ({ residual, direction }) => [residual, direction].every((v) => v instanceof Float64Array),
    begin() {
      const x = system.initial;
      const residual = system.residual(x);
      const first = system.first(norm(residual));
      const preconditioned = system.preconditioned(residual);
      return { ...first, x, residual, direction: preconditioned, rho: dot(residual, preconditioned) };
    },
    step(state) {
      const { direction, rho } = state;
      const product = system.product(direction);
      const curvature = dot(direction, product);
      system.checked(curvature);
      if (curvature <= 0 || rho <= 0) return { ...state, broken: true };
      const x = state.x.slice();
      const residual = state.residual.slice();
      const step = rho / curvature;
      addScaled(x, step, direction);
      addScaled(residual, -step, product);
      const preconditioned = system.preconditioned(residual);
      const next = dot(residual, preconditioned);
      const beta = next / rho;
      return {
        ...state,
        iteration: state.iteration + 1,
        x,
        residual,
        residualNorm: system.checked(norm(residual)),
        direction: preconditioned.map((z, i) => z + beta * direction[i]),
        rho: next,
      };
    },
  };
}
