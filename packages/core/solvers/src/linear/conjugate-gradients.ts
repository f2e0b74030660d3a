import { sparse } from "@offprint/tensor-core";
import type { OperatorLike } from "./linear-operator.js";
import { type LinearSolverOptions, type LinearSolverResult, LinearSystem } from "./linear-solver.js";
import { RelaxationSystem } from "./relaxation-system.js";
import { iterateSparseCg } from "./ssor-conjugate-gradients.js";
import { addScaled, dot, norm } from "./vector-arithmetic.js";

/**
 * Solves `A x = b` for symmetric positive definite `A` by preconditioned conjugate gradients (Hestenes and Stiefel 1952).
 *
 * @param a - `[n, n]` matrix or operator; a sparse matrix without a preconditioner runs in WebAssembly, and tells its
 * progress in batches.
 * @param b - Right-hand side, `[n]`.
 * @returns `status` is `"breakdown"` where a direction of negative or no curvature shows that `A` is not definite.
 * @throws ShapeError; ValueError for values that are not finite; AbortedError.
 */
export function conjugateGradients(
  a: OperatorLike,
  b: sparse.VectorLike,
  options: LinearSolverOptions = {},
): LinearSolverResult {
  // A zero on the diagonal shows that A is not definite; the loop below finds it out.
  if (sparse.isSparseMatrix(a) && options.preconditioner === undefined && sparse.diagonalOf(a).every((d) => d !== 0)) {
    return iterateSparseCg(
      new RelaxationSystem(a, b, { ...options, omega: 1 }, 10 * a.rows, "conjugateGradients"),
      0,
      false,
    );
  }
  const system = new LinearSystem(a, b, options, "conjugateGradients");
  const { n, x, apply, precondition, history, monitor, threshold } = system;
  const residual = new Float64Array(n);
  const direction = new Float64Array(n);
  const product = new Float64Array(n);
  const preconditioned = precondition === null ? residual : new Float64Array(n);

  system.residual(residual);
  history[0] = norm(residual);
  monitor.report(0, history[0]);
  if (history[0] <= threshold) return system.result("converged", 0);
  precondition?.(residual, preconditioned);
  direction.set(preconditioned);
  let rho = dot(residual, preconditioned);

  for (let k = 1; k <= system.maxIterations; k++) {
    apply(direction, product);
    const curvature = dot(direction, product);
    if (curvature <= 0 || rho <= 0) return system.result("breakdown", k - 1);
    const step = rho / curvature;
    addScaled(x, step, direction);
    addScaled(residual, -step, product);
    history[k] = norm(residual);
    monitor.report(k, history[k]);
    if (history[k] <= threshold) return system.result("converged", k);
    precondition?.(residual, preconditioned);
    const next = dot(residual, preconditioned);
    const beta = next / rho;
    rho = next;
    for (let i = 0; i < n; i++) direction[i] = preconditioned[i] + beta * direction[i];
  }
  return system.result("maxIterations", system.maxIterations);
}
