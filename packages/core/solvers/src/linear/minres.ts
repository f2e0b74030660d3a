import type { sparse } from "@offprint/tensor-core";
import type { OperatorLike } from "./linear-operator.js";
import { type LinearSolverOptions, type LinearSolverResult, LinearSystem } from "./linear-solver.js";
import { addScaled, dot, norm } from "./vector-arithmetic.js";

/**
 * Solves `A x = b` for symmetric, possibly indefinite `A` by the minimum residual method (Paige and Saunders 1975).
 * The residual norms are those of the preconditioner `M`: `sqrt(r' M r)`; so is the convergence test, relative to `b`.
 *
 * @param a - `[n, n]` symmetric matrix or operator.
 * @param b - Right-hand side, `[n]`.
 * @returns `status` is `"breakdown"` where the Krylov space is exhausted without a solution (singular `A`), or the
 * preconditioner is not positive definite.
 * @throws ShapeError; ValueError for values that are not finite; AbortedError.
 */
export function minres(a: OperatorLike, b: sparse.VectorLike, options: LinearSolverOptions = {}): LinearSolverResult {
  const system = new LinearSystem(a, b, options, "minres");
  const { n, x, apply, precondition, history, monitor } = system;
  // Lanczos vectors: `previous` and `current` before, `solved` after the preconditioner.
  let previous = new Float64Array(n);
  let current = new Float64Array(n);
  let following = new Float64Array(n);
  const solved = precondition === null ? null : new Float64Array(n);
  const basis = new Float64Array(n);
  let direction = new Float64Array(n);
  let direction1 = new Float64Array(n);
  let direction2 = new Float64Array(n);

  const preconditionedNorm = (r: Float64Array): number => {
    if (precondition === null || solved === null) return norm(r);
    precondition(r, solved);
    return Math.sqrt(dot(r, solved));
  };
  const scale = preconditionedNorm(system.b);
  const threshold = norm(system.b) === 0 ? system.threshold : (system.threshold / norm(system.b)) * scale;
  system.residual(current);
  let beta = preconditionedNorm(current);
  if (Number.isNaN(beta) && !Number.isNaN(norm(current))) return system.result("breakdown", 0);
  history[0] = beta;
  monitor.report(0, beta);
  if (beta <= threshold) return system.result("converged", 0);

  let previousBeta = 0;
  let phi = beta;
  // Givens rotations: (cosine, sine) of the last step, and what it left in the new column.
  let cosine = -1;
  let sine = 0;
  let delta = 0;
  let epsilon = 0;
  let matrixScale = 0;
  for (let k = 1; k <= system.maxIterations; k++) {
    const unit = solved ?? current;
    for (let i = 0; i < n; i++) basis[i] = unit[i] / beta;
    apply(basis, following);
    if (k > 1) addScaled(following, -beta / previousBeta, previous);
    const alpha = dot(basis, following);
    addScaled(following, -alpha / beta, current);
    [previous, current, following] = [current, following, previous];
    previousBeta = beta;
    beta = preconditionedNorm(current);
    if (Number.isNaN(beta) && !Number.isNaN(norm(current))) return system.result("breakdown", k - 1);

    const epsilonBefore = epsilon;
    const deltaBar = cosine * delta + sine * alpha;
    const gammaBar = sine * delta - cosine * alpha;
    epsilon = sine * beta;
    delta = -cosine * beta;
    const gamma = Math.hypot(gammaBar, beta);
    matrixScale = Math.max(matrixScale, Math.abs(alpha), beta);
    // The last column vanishes: b has a part that A cannot reach.
    if (gamma <= 1e-15 * matrixScale) return system.result("breakdown", k - 1);
    cosine = gammaBar / gamma;
    sine = beta / gamma;
    const step = cosine * phi;
    phi *= sine;

    [direction2, direction1, direction] = [direction1, direction, direction2];
    for (let i = 0; i < n; i++) {
      direction[i] = (basis[i] - epsilonBefore * direction2[i] - deltaBar * direction1[i]) / gamma;
      x[i] += step * direction[i];
    }
    history[k] = phi;
    monitor.report(k, phi);
    if (phi <= threshold) return system.result("converged", k);
    if (beta <= 1e-15 * matrixScale) return system.result("breakdown", k);
  }
  return system.result("maxIterations", system.maxIterations);
}
