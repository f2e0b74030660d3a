import { type LinearOperator, lanczosEigenpairsSync } from "@offprint/solvers";
import { ConvergenceError, requireObject, ShapeError, sparse, ValueError } from "@offprint/tensor-core";

/** A = D + L + U. */
export interface Splitting {
  /** Order of A. */
  readonly n: number;
  /** A itself. */
  readonly matrix: sparse.CsrMatrix;
  /** `[n]` diagonal. */
  readonly diagonal: Float64Array;
  /** D / omega + L, as a triangle of A's pattern: the entries right of the diagonal are not to be read. */
  lowerFactor(omega: number): sparse.CsrMatrix;
  /** out = L x. */
  lowerTimes(x: Float64Array, out: Float64Array): void;
  /** out = L^T x. */
  lowerTransposedTimes(x: Float64Array, out: Float64Array): void;
}

/**
 * @param definite - whether the matrix must be one that can be positive definite: symmetric, with a positive diagonal.
 * @throws ShapeError for a matrix that is not square; ValueError for one that is not finite or has a zero on the diagonal, or
 * is not `definite`.
 */
export function split(a: sparse.SparseMatrix, name: string, definite: boolean): Splitting {
  if (a.rows !== a.columns || a.rows === 0) {
    throw new ShapeError(`${name}: A must be square and not empty, got [${a.shape}]`);
  }
  const matrix = sparse.toCsr(a);
  const diagonal = sparse.diagonalOf(matrix);
  const other = matrix.values.find((value) => !Number.isFinite(value));
  if (other !== undefined) throw new ValueError(`${name}: A holds ${other}; its entries must be finite`);
  const wrong = diagonal.findIndex((d) => !(definite ? d > 0 : d !== 0));
  if (wrong >= 0) {
    throw new ValueError(
      `${name}: the diagonal entry of row ${wrong} is ${diagonal[wrong]}; it must be ${definite ? "positive" : "not zero"}`,
    );
  }
  if (definite) requireSymmetric(matrix, name);
  const { rowIndices, columnIndices } = sparse.toCoo(matrix);
  const part = (keep: (value: number, p: number) => number) => matrix.withValues(matrix.values.map(keep));
  const lower = part((value, p) => (columnIndices[p]! < rowIndices[p]! ? value : 0));
  return {
    n: a.rows,
    matrix,
    diagonal,
    lowerFactor: (omega) => part((value, p) => (columnIndices[p] === rowIndices[p] ? value / omega : value)),
    lowerTimes(x, out) {
      sparse.multiplyVector(lower, x, out);
    },
    lowerTransposedTimes(x, out) {
      sparse.multiplyTransposedVector(lower, x, out);
    },
  };
}

/** @throws ValueError for a matrix that is not symmetric up to rounding. */
function requireSymmetric(matrix: sparse.CsrMatrix, name: string): void {
  const largest = (of: sparse.CsrMatrix) => of.values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const difference = sparse.toCsr(sparse.add(matrix, sparse.transpose(matrix), 1, -1));
  if (largest(difference) <= 1e-12 * largest(matrix)) return;
  throw new ValueError(`${name}: A is not symmetric; this theory is of symmetric matrices alone`);
}

/** The greatest or least eigenvalue of a symmetric operator. @throws ConvergenceError if Lanczos does not find it. */
export function extremeEigenvalue(
  operator: LinearOperator,
  n: number,
  which: "largest" | "smallest",
  name: string,
): number {
  const found = lanczosEigenpairsSync(operator, n, { which, maxIterations: Math.min(n, 1000), tolerance: 1e-12 });
  if (found.status !== "converged") {
    throw new ConvergenceError(`${name}: an eigenvalue did not settle in ${found.iterations} Lanczos steps`);
  }
  return found.values[0]!;
}

/** @throws ValueError for omega outside (0, 2). */
export function requireOmega(omega: number, name: string): void {
  if (!(omega > 0 && omega < 2)) throw new ValueError(`${name}: omega is ${omega}; it must be in (0, 2)`);
}

/** Greatest or least eigenvalue of the Jacobi matrix I - D^-1 A. */
export function jacobiEigenvalue(
  { n, matrix, diagonal }: Splitting,
  which: "largest" | "smallest",
  name: string,
): number {
  // Similar to the symmetric I - D^-1/2 A D^-1/2.
  const roots = diagonal.map(Math.sqrt);
  const scaled = new Float64Array(n);
  const operator: LinearOperator = (x, out) => {
    for (let i = 0; i < n; i++) scaled[i] = x[i]! / roots[i]!;
    sparse.multiplyVector(matrix, scaled, out);
    for (let i = 0; i < n; i++) out[i] = x[i]! - out[i]! / roots[i]!;
  };
  return extremeEigenvalue(operator, n, which, name);
}

/**
 * Spectral radius beta of the Jacobi matrix I - D^-1 A of a symmetric matrix with a positive diagonal, from which
 * `omegaStar` and `sorSpectralRadius` follow. At most 1000 products with A.
 *
 * @param a - `[n, n]`, sparse, symmetric.
 * @throws ShapeError; ValueError for a matrix that is not symmetric, or a diagonal that is not positive; ConvergenceError.
 */
export function jacobiSpectralRadius(a: sparse.SparseMatrix): number {
  requireObject("jacobiSpectralRadius", "a", a, "a sparse matrix");
  const name = "jacobiSpectralRadius";
  const splitting = split(a, name, true);
  return Math.max(jacobiEigenvalue(splitting, "largest", name), -jacobiEigenvalue(splitting, "smallest", name));
}
