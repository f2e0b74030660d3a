import { requireObject, sparse, ValueError } from "@offprint/tensor-core";
import { extremeEigenvalue, requireOmega, split } from "./splitting.js";

/** Bounds of CG with the preconditioner of symmetric SOR. */
export interface SsorCgBound {
  /** Of the condition number of M^-1 A. */
  readonly condition: number;
  /** Of the iterations to a residual of `tolerance` times that of b. */
  readonly iterations: number;
}

/**
 * The bound of CG preconditioned by symmetric SOR (Axelsson 1994) as a function of omega: with a = lambda_max(D A^-1) and
 * g = lambda_max((L D^-1 L^T - D / 4) A^-1), cond(M^-1 A) is at most (1 + (2 - omega)^2 a / (4 omega) + g omega) / (2 - omega).
 * Factors A.
 *
 * @param a - `[n, n]`, sparse, symmetric positive definite.
 * @param tolerance - relative residual to reach, in (0, 1); default 1e-8.
 * @returns the bound for any omega in (0, 2); it throws a ValueError for others.
 * @throws ShapeError; ValueError for a matrix that is not positive definite; ConvergenceError.
 */
export function ssorCgBound(a: sparse.SparseMatrix, tolerance = 1e-8): (omega: number) => SsorCgBound {
  requireObject("ssorCgBound", "a", a, "a sparse matrix");
  const name = "ssorCgBound";
  if (!(tolerance > 0 && tolerance < 1)) {
    throw new ValueError(`${name}: tolerance is ${tolerance}; it must be in (0, 1)`);
  }
  const splitting = split(a, name, true);
  const { n, matrix, diagonal } = splitting;
  const factorization = sparse.cholesky(a);
  const [first, second] = [new Float64Array(n), new Float64Array(n)];
  // In units of the largest diagonal entry: squares of 1e200 have no room.
  const unit = diagonal.reduce((most, d) => Math.max(most, d), 0);
  const ofA = (x: Float64Array, out: Float64Array): void => {
    sparse.multiplyVector(matrix, x, out);
    for (let i = 0; i < n; i++) out[i]! /= unit;
  };
  const ofInverse = (x: Float64Array, out: Float64Array): void => {
    factorization.solve(x, out);
    for (let i = 0; i < n; i++) out[i]! *= unit;
  };
  const kappa = extremeEigenvalue(ofA, n, "largest", name) * extremeEigenvalue(ofInverse, n, "largest", name);

  const roots = diagonal.map(Math.sqrt);
  const scaledInverse = (x: Float64Array, out: Float64Array): void => {
    for (let i = 0; i < n; i++) first[i] = roots[i]! * x[i]!;
    factorization.solve(first, out);
    for (let i = 0; i < n; i++) out[i]! *= roots[i]!;
  };
  const aMax = extremeEigenvalue(scaledInverse, n, "largest", name);

  // G^-1 (L D^-1 L^T - D / 4) G^-T with the Cholesky factor G of A.
  const ofDefect = (x: Float64Array, out: Float64Array): void => {
    const colored = factorization.colorPrecision(x);
    splitting.lowerTransposedTimes(colored, first);
    for (let i = 0; i < n; i++) first[i]! /= diagonal[i]!;
    splitting.lowerTimes(first, second);
    for (let i = 0; i < n; i++) second[i]! -= (diagonal[i]! * colored[i]!) / 4;
    factorization.whiten(second, out);
  };
  const g = extremeEigenvalue(ofDefect, n, "largest", name);

  // arcosh(sqrt(kappa) / tolerance), whose square may have no room.
  const goal = Math.log(kappa) / 2 - Math.log(tolerance) + Math.log1p(Math.sqrt(1 - (tolerance / kappa) * tolerance));
  return (omega) => {
    requireOmega(omega, name);
    // Of a diagonal matrix it is 1, or less by rounding.
    const condition = Math.max(1, (1 + ((2 - omega) ** 2 * aMax) / (4 * omega) + g * omega) / (2 - omega));
    return { condition, iterations: 1 + goal / -Math.log(1 - 2 / (1 + Math.sqrt(condition))) };
  };
}
