import { checkOptions, linalg, ShapeError, sparse, tensor, ValueError } from "@offprint/tensor-core";
import { type ConeBlock, type Cones, coneBlocks, rowCount } from "./cones.js";
import { DenseProduct } from "./dense-product.js";

/**
 * The matrix A without its entries: for constraints such as `T_0 - W^T T_1 W >= 0`, whose products are cheap and whose
 * sparse matrix would be large. It is not equilibrated, so scale the data to about 1 first.
 */
export interface ConicOperator {
  /** Number of rows m. */
  readonly rows: number;
  /** Number of columns n. */
  readonly columns: number;
  /** `out = A x`; `out` `[m]` is overwritten. */
  apply(x: Float64Array, out: Float64Array): void;
  /** `out = A^T y`; `out` `[n]` is overwritten. */
  applyTransposed(y: Float64Array, out: Float64Array): void;
  /**
   * The normal matrix `A^T diag(weights) A` `[n, n]`, its upper triangle or all of it. The weights are positive and
   * equal inside every second-order and semidefinite cone.
   */
  normal(weights: Float64Array): sparse.SparseMatrix;
  /**
   * For the interior-point method: `A^T S A`, where S multiplies row i of the nonnegative orthant by `weights[i]` and takes
   * the k-th semidefinite block X to `metrics[k] X metrics[k]`. Its upper triangle or all of it, of the same pattern at
   * every call. Without it an operator is solved by splitting, as it is if there are zero or second-order cones. A
   * generator lets others have their turn, and the signal be seen, wherever it yields.
   */
  scaledNormal?(
    weights: Float64Array,
    metrics: readonly Float64Array[],
  ): sparse.SparseMatrix | Generator<undefined, sparse.SparseMatrix, undefined>;
}

/** minimise 1/2 x^T P x + c^T x subject to A x + s = b, s in K. */
export interface ConicProblem {
  /** `[n, n]` symmetric positive semidefinite, both triangles stored; default 0. */
  readonly P?: sparse.SparseMatrix | sparse.MatrixLike;
  /** `[m, n]`, rows in the order of `cones`. */
  readonly A: sparse.SparseMatrix | sparse.MatrixLike | ConicOperator;
  /** `[m]`. */
  readonly b: ArrayLike<number>;
  /** `[n]`. */
  readonly c: ArrayLike<number>;
  /** The cone K. */
  readonly cones: Cones;
}

/** @internal A checked problem. */
export interface CheckedProblem {
  readonly n: number;
  readonly m: number;
  readonly P: sparse.CscMatrix | undefined;
  /** Entries of A, or nothing for an operator. */
  readonly A: sparse.CscMatrix | undefined;
  readonly operator: ConicOperator | undefined;
  /** A as a dense matrix, where that is faster. */
  readonly dense: DenseProduct | undefined;
  /** P as a dense matrix, where that is faster. */
  readonly denseP: DenseProduct | undefined;
  readonly b: Float64Array;
  readonly c: Float64Array;
  readonly blocks: readonly ConeBlock[];
}

/** @internal @throws ShapeError or ValueError for anything that is not a convex conic problem */
export function checkProblem(problem: ConicProblem): CheckedProblem {
  for (const name of ["A", "b", "c", "cones"] as const) {
    if (problem?.[name] == null)
      throw new ValueError(`the problem has no ${name}; give { A, b, c, cones }, and P where it is quadratic`);
  }
  checkOptions("the problem", problem, ["P", "A", "b", "c", "cones"]);
  const blocks = coneBlocks(problem.cones);
  const b = finiteVector(problem.b, "b");
  const c = finiteVector(problem.c, "c");
  const operator = isOperator(problem.A) ? problem.A : undefined;
  const A = operator === undefined ? compressed(problem.A as sparse.SparseMatrix, "A") : undefined;
  const { rows, columns } = (operator ?? A) as { rows: number; columns: number };
  if (rows !== b.length) throw new ShapeError(`A has ${rows} rows and b ${b.length} entries; they must agree`);
  if (columns !== c.length) {
    throw new ShapeError(`A has ${columns} columns and c ${c.length} entries; they must agree`);
  }
  if (rowCount(blocks) !== rows) {
    throw new ShapeError(`the cones have ${rowCount(blocks)} rows and A has ${rows}; they must agree`);
  }
  if (columns === 0) throw new ValueError("the problem has no variables");
  const P = problem.P === undefined ? undefined : compressed(problem.P, "P");
  if (P !== undefined) checkConvex(P, columns);
  return {
    n: columns,
    m: rows,
    P: P === undefined || P.entries === 0 ? undefined : P,
    A,
    operator,
    dense: A === undefined ? undefined : DenseProduct.of(A),
    denseP: P === undefined ? undefined : DenseProduct.of(P),
    b,
    c,
    blocks,
  };
}

function isOperator(a: ConicProblem["A"]): a is ConicOperator {
  return typeof (a as ConicOperator).applyTransposed === "function";
}

function finiteVector(x: ArrayLike<number>, name: string): Float64Array {
  const values = x instanceof Float64Array ? x.slice() : Float64Array.from(x);
  checkFinite(values, name);
  return values;
}

function checkFinite(values: Float64Array, name: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw new ValueError(`${name} holds ${values[i]}; all values must be finite`);
  }
}

function compressed(a: sparse.SparseMatrix | sparse.MatrixLike, name: string): sparse.CscMatrix {
  const matrix = sparse.toCsc(sparse.isSparseMatrix(a) ? a : sparse.fromDense(a));
  checkFinite(matrix.values, name);
  return matrix;
}

/** Symmetry to rounding, and the pivots of P + 1e-9 max|P| I. */
function checkConvex(P: sparse.CscMatrix, n: number): void {
  if (P.rows !== n || P.columns !== n) {
    throw new ShapeError(`P must be [${n}, ${n}] as c has ${n} entries, got [${P.shape}]`);
  }
  let largest = 0;
  for (const value of P.values) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return;
  const [symmetric, definite] = P.entries > 0.3 * n * n ? denseProperties(P, largest) : sparseProperties(P, largest);
  if (!symmetric) {
    throw new ValueError("P must be symmetric with both triangles stored; pass (P + P^T) / 2 or mirror it");
  }
  if (!definite) throw new ValueError("P must be positive semidefinite: its factorisation has a negative pivot");
}

const ASYMMETRY = 1e-10;
const SHIFT = 1e-9;

function sparseProperties(P: sparse.CscMatrix, largest: number): [boolean, boolean] {
  const difference = sparse.add(P, sparse.transpose(P), 1, -1);
  if (difference.values.some((value) => Math.abs(value) > ASYMMETRY * largest)) return [false, false];
  const shifted = sparse.add(P, sparse.identity(P.rows), 1, SHIFT * largest);
  return [true, succeeds(() => sparse.cholesky(shifted))];
}

function denseProperties({ indptr, indices, values, rows: n }: sparse.CscMatrix, largest: number): [boolean, boolean] {
  const dense = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    for (let p = indptr[j]; p < indptr[j + 1]; p++) dense[j * n + indices[p]] = values[p];
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      if (Math.abs(dense[i * n + j] - dense[j * n + i]) > ASYMMETRY * largest) return [false, false];
    }
    dense[i * (n + 1)] += SHIFT * largest;
  }
  return [true, succeeds(() => linalg.cholesky(tensor(dense, { shape: [n, n] })))];
}

function succeeds(factor: () => unknown): boolean {
  try {
    factor();
    return true;
  } catch (error) {
    if (error instanceof ValueError) return false;
    throw error;
  }
}
