import { requireObject, sparse, ValueError } from "@offprint/tensor-core";
import { extremeEigenvalue, jacobiEigenvalue, requireOmega, split } from "./splitting.js";

/** A bound of how much a sweep of SOR shrinks the error in the energy norm. */
export interface SorEnergyBound {
  /** The bound; meaningless unless `valid`. */
  readonly bound: number;
  /** Whether its condition, Omega^2 + G >= 1/4, holds. The authors' code does not test it. */
  readonly valid: boolean;
}

/**
 * The bound of ||I - M^-1 A||_A of SOR, M = D / omega + L, as a function of omega: with Omega = (2 - omega) / (2 omega),
 * gamma = lambda_min(D^-1 A) and G = lambda_max(D^-1 L D^-1 L^T), it is
 * sqrt(1 - 2 Omega gamma / (Omega^2 + gamma / omega + G - 1/4)). For consistently ordered matrices gamma is the paper's
 * 1 - rho(I - D^-1 A); for others that is less, and negative where Jacobi's iteration diverges.
 *
 * @param a - `[n, n]`, sparse, symmetric positive definite.
 * @returns the bound for any omega in (0, 2); it throws a ValueError for others.
 * @throws ShapeError; ValueError for a matrix that is not symmetric positive definite; ConvergenceError.
 */
export function sorEnergyBound(a: sparse.SparseMatrix): (omega: number) => SorEnergyBound {
  requireObject("sorEnergyBound", "a", a, "a sparse matrix");
  const name = "sorEnergyBound";
  const splitting = split(a, name, true);
  const { n, diagonal } = splitting;
  const gamma = 1 - jacobiEigenvalue(splitting, "largest", name);
  if (!(gamma > 0)) throw new ValueError(`${name}: A is not positive definite; its energy norm is none`);
  const roots = diagonal.map(Math.sqrt);
  const [first, second] = [new Float64Array(n), new Float64Array(n)];
  // D^-1/2 L D^-1 L^T D^-1/2
  const operator = (x: Float64Array, out: Float64Array): void => {
    for (let i = 0; i < n; i++) first[i] = x[i]! / roots[i]!;
    splitting.lowerTransposedTimes(first, second);
    for (let i = 0; i < n; i++) second[i]! /= diagonal[i]!;
    splitting.lowerTimes(second, out);
    for (let i = 0; i < n; i++) out[i]! /= roots[i]!;
  };
  const G = Math.max(0, extremeEigenvalue(operator, n, "largest", name));
  return (omega) => {
    requireOmega(omega, name);
    const Omega = (2 - omega) / (2 * omega);
    const square = 1 - (2 * Omega * gamma) / (Omega ** 2 + gamma / omega + G - 0.25);
    return { bound: Math.sqrt(Math.max(0, square)), valid: Omega ** 2 + G >= 0.25 };
  };
}

/**
 * The norm itself, ||I - M^-1 A||_A of SOR: its square is 1 - 1 / lambda_max(A^-1 M (2 Omega D)^-1 M^T). Factors A.
 *
 * @param a - `[n, n]`, sparse, symmetric positive definite.
 * @param omega - relaxation parameter in (0, 2).
 * @throws ShapeError; ValueError for omega out of range or a matrix that is not positive definite; ConvergenceError.
 */
export function sorEnergyNorm(a: sparse.SparseMatrix, omega: number): number {
  const name = "sorEnergyNorm";
  requireOmega(omega, name);
  const splitting = split(a, name, true);
  const { n, diagonal } = splitting;
  const factorization = sparse.cholesky(a);
  const half = (2 - omega) / omega;
  const roots = diagonal.map((d) => Math.sqrt(half * d));
  const [first, second] = [new Float64Array(n), new Float64Array(n)];
  // W^T A^-1 W with W = M (2 Omega D)^-1/2
  const operator = (x: Float64Array, out: Float64Array): void => {
    for (let i = 0; i < n; i++) first[i] = x[i]! / roots[i]!;
    splitting.lowerTimes(first, second);
    for (let i = 0; i < n; i++) second[i]! += (diagonal[i]! / omega) * first[i]!;
    factorization.solve(second, second);
    splitting.lowerTransposedTimes(second, out);
    for (let i = 0; i < n; i++) out[i] = (out[i]! + (diagonal[i]! / omega) * second[i]!) / roots[i]!;
  };
  return Math.sqrt(Math.max(0, 1 - 1 / extremeEigenvalue(operator, n, "largest", name)));
}
