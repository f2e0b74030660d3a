import { type LinearOperator, sorSync } from "@offprint/solvers";
import {
  checkOptions,
  linalg,
  matmul,
  mul,
  requireFunction,
  requireObject,
  sparse,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { extremeEigenvalue, requireOmega, type Splitting, split } from "./splitting.js";

/** Options of {@link asymptocity}. */
export interface AsymptocityOptions {
  /** Relaxation parameters of interest, each in (0, 2). */
  omegas: readonly number[];
  /** The relative residual to reach; default 1e-8. */
  tolerance?: number;
  /**
   * Spectral radius of the defect map for an omega. By default `defectSpectralRadius`, which is dense; for consistently
   * ordered matrices `(omega) => sorSpectralRadius(omega, beta)` is exact and costs nothing.
   */
  spectralRadius?: (omega: number) => number;
}

/** How far SOR is from its asymptotic rate. */
export interface Asymptocity {
  /** tau of the surrogate, in [0, 1). */
  readonly tau: number;
  /** `[omegas.length]` iteration counts of SOR. */
  readonly counts: number[];
}

/**
 * The asymptocity tau: the least number such that ||C^k||^(1/k) <= rho + tau (1 - rho) for all omegas, at
 * k = count - 1, where C = I - A (D / omega + L)^-1 maps residuals to residuals. With it `surrogate` bounds the counts.
 * Dense: O(n^3 log k) for every omega, for n up to about a thousand.
 *
 * @param a - `[n, n]`, sparse.
 * @param b - `[n]` right-hand side of the counts.
 * @throws ShapeError; ValueError for options out of range, or where SOR does not converge in 10 000 sweeps.
 */
export function asymptocity(a: sparse.SparseMatrix, b: sparse.VectorLike, options: AsymptocityOptions): Asymptocity {
  requireObject("asymptocity", "a", a, "a sparse matrix");
  checkOptions("asymptocity", options, ["omegas", "tolerance", "spectralRadius"], ["omegas"]);
  const { omegas, tolerance = 1e-8, spectralRadius = (omega) => defectSpectralRadius(a, omega) } = options;
  if (!Array.isArray(omegas) || omegas.length === 0) {
    throw new ValueError("asymptocity: omegas must be an array with at least one relaxation parameter");
  }
  requireFunction("asymptocity", "spectralRadius", spectralRadius);
  if (!(tolerance > 0 && tolerance < 1)) {
    throw new ValueError(`asymptocity: tolerance is ${tolerance}; it must be in (0, 1)`);
  }
  const splitting = split(a, "asymptocity", false);
  let tau = 0;
  const counts = omegas.map((omega) => {
    const { iterations, status } = sorSync(a, b, { omega, tolerance });
    if (status !== "converged") throw new ValueError(`asymptocity: SOR does not converge for omega ${omega}`);
    const k = iterations - 1;
    if (k < 1) return iterations;
    const rho = spectralRadius(omega);
    if (!(rho >= 0 && rho < 1)) {
      throw new ValueError(`asymptocity: spectralRadius gave ${rho} for omega ${omega}; it must be in [0, 1)`);
    }
    tau = Math.max(
      tau,
      (spectralNorm(linalg.matrixPower(defectMap(splitting, omega), k)) ** (1 / k) - rho) / (1 - rho),
    );
    return iterations;
  });
  return { tau, counts };
}

/** Spectral norm: the root of the greatest eigenvalue of the product with the transpose. */
function spectralNorm(power: Tensor): number {
  const n = power.shape[0]!;
  const values = power.data() as Float64Array;
  const operator: LinearOperator = (x, out) => {
    out.fill(0);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += values[i * n + j]! * x[j]!;
      for (let j = 0; j < n; j++) out[j]! += values[i * n + j]! * sum;
    }
  };
  return Math.sqrt(Math.max(0, extremeEigenvalue(operator, n, "largest", "asymptocity")));
}

/** C = I - A (D / omega + L)^-1, column by column. */
function defectMap({ n, matrix, lowerFactor }: Splitting, omega: number): Tensor {
  const factor = lowerFactor(omega);
  const dense = new Float64Array(n * n);
  const unit = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    unit.fill(0)[j] = 1;
    const column = sparse.multiplyVector(matrix, sparse.triangularSolve(factor, unit));
    for (let i = 0; i < n; i++) dense[i * n + j] = (i === j ? 1 : 0) - column[i]!;
  }
  return tensor(dense, { shape: [n, n] });
}

/** Squarings: C^(2^40) has a norm of rho^(2^40) times at most some 1e16, whose 2^40th root is 1 to 4e-11. */
const SQUARINGS = 40;

/**
 * Spectral radius of SOR's defect map C = I - A (D / omega + L)^-1 for any matrix, by Gelfand's formula: C is squared 40
 * times. Dense: O(n^3), for n up to about a thousand. Where C is defective, as at omega*, rounding costs half the digits.
 *
 * @param a - `[n, n]`, sparse.
 * @param omega - relaxation parameter in (0, 2).
 * @throws ShapeError; ValueError for omega out of range or a zero on the diagonal.
 */
export function defectSpectralRadius(a: sparse.SparseMatrix, omega: number): number {
  requireOmega(omega, "defectSpectralRadius");
  let power = defectMap(split(a, "defectSpectralRadius", false), omega);
  let logarithm = 0;
  for (let step = 0; step <= SQUARINGS; step++) {
    const norm = linalg.norm(power, { ord: "fro" }).item();
    if (norm === 0) return 0;
    logarithm += Math.log(norm) / 2 ** step;
    power = mul(power, 1 / norm);
    power = matmul(power, power);
  }
  return Math.exp(logarithm);
}
