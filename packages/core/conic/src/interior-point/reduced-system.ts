import type { Parts } from "@offprint/solvers";
import { matmul, sparse, tensor, ValueError } from "@offprint/tensor-core";
import { cholesky, triangularSolve } from "@offprint/tensor-core/internal";
import type { SymmetricTarget } from "./normal-matrix.js";

/**
 * @internal The system [M, Z^T; Z, 0] that is left when the cones' rows are eliminated: M = P + A^T (W^T W)^-1 A over the
 * variables, Z the rows of the zero cone. A small multiple of the identity is added to M and taken from the corner.
 */
export interface ReducedSystem {
  /** Factors for P and what `fill` adds to it; false where M is not positive definite to rounding. */
  factoring(fill: (target: SymmetricTarget) => Parts<void>): Parts<boolean>;
  /** Replaces (x, z) `[n + zeros]` by the solution. */
  solve(rhs: Float64Array): void;
}

/** Added to the diagonal of M: the first of these, and as much of its largest entry, that lets it be factored. */
const SHIFTS = [
  { least: 1e-12, part: 4e-16 },
  { least: 1e-9, part: 4e-16 },
  { least: 1e-7, part: 4e-16 },
  { least: 1e-7, part: 1e-14 },
];
/** Taken from the corner, so that equations may be stated twice. */
const CORNER_SHIFT = 1e-9;

/** @internal M as a dense matrix, and the Schur complement of the zero rows. */
export class DenseSystem implements ReducedSystem {
  private readonly matrix: Float64Array;
  /** P */
  private readonly fixed: Float64Array;
  /** Z^T `[n, zeros]` */
  private readonly transposedZero: Float64Array | undefined;
  private factorM: Float64Array | undefined;
  private factorS: Float64Array | undefined;
  /** L^-1 Z^T `[n, zeros]` */
  private half: Float64Array | undefined;

  constructor(
    private readonly n: number,
    zero: sparse.CsrMatrix,
    P: sparse.CscMatrix | undefined,
  ) {
    this.matrix = new Float64Array(n * n);
    this.fixed = new Float64Array(n * n);
    if (P !== undefined) {
      for (let j = 0; j < n; j++) {
        for (let p = P.indptr[j]; p < P.indptr[j + 1]; p++) this.fixed[P.indices[p] * n + j] = P.values[p];
      }
    }
    if (zero.rows === 0) return;
    const values = new Float64Array(n * zero.rows);
    for (let i = 0; i < zero.rows; i++) {
      for (let p = zero.indptr[i]; p < zero.indptr[i + 1]; p++)
        values[zero.indices[p] * zero.rows + i] = zero.values[p];
    }
    this.transposedZero = values;
  }

  *factoring(fill: (target: SymmetricTarget) => Parts<void>): Parts<boolean> {
    const { n, matrix } = this;
    matrix.set(this.fixed);
    const add = (i: number, j: number, value: number): void => {
      if (i >= j) matrix[i * n + j] += value;
      else matrix[j * n + i] += value;
    };
    yield* fill({ add, addUpper: (given) => eachUpper(given, add) });
    const factored = this.factor();
    yield;
    return factored;
  }

  private factor(): boolean {
    const { n, matrix } = this;
    let largest = 0;
    for (let i = 0; i < n; i++) largest = Math.max(largest, matrix[i * (n + 1)]);
    let L: Float64Array | undefined;
    for (let k = 0, before = 0; k < SHIFTS.length && L === undefined; k++) {
      const { least, part } = SHIFTS[k];
      const shift = least + part * largest;
      for (let i = 0; i < n; i++) matrix[i * (n + 1)] += shift - before;
      before = shift;
      L = choleskyOf(matrix, n);
    }
    if (L === undefined) return false;
    this.factorM = L;
    if (this.transposedZero === undefined) return true;
    const zeros = this.transposedZero.length / n;
    const half = triangularSolve(L, n, this.transposedZero, zeros, { lower: true });
    const columns = tensor(half, { shape: [n, zeros] });
    const schur = Float64Array.from(matmul(columns.transpose(), columns).data());
    let top = 0;
    for (let i = 0; i < zeros; i++) top = Math.max(top, schur[i * (zeros + 1)]);
    for (let i = 0; i < zeros; i++) schur[i * (zeros + 1)] += CORNER_SHIFT + 1e-13 * top;
    const S = choleskyOf(schur, zeros);
    if (S === undefined) return false;
    this.half = half;
    this.factorS = S;
    return true;
  }

  solve(rhs: Float64Array): void {
    const { n, factorM, factorS, half } = this;
    const L = factorM as Float64Array;
    const x = rhs.subarray(0, n);
    forward(L, n, x);
    if (factorS !== undefined && half !== undefined) {
      // S z = (L^-1 Z^T)^T (L^-1 p) - q
      const z = rhs.subarray(n);
      const zeros = z.length;
      for (let i = 0; i < zeros; i++) z[i] = -z[i];
      for (let j = 0; j < n; j++) for (let i = 0; i < zeros; i++) z[i] += half[j * zeros + i] * x[j];
      forward(factorS, zeros, z);
      backward(factorS, zeros, z);
      for (let j = 0; j < n; j++) for (let i = 0; i < zeros; i++) x[j] -= half[j * zeros + i] * z[i];
    }
    backward(L, n, x);
  }
}

/** @internal The whole system as a sparse quasi-definite matrix of one pattern. */
export class SparseSystem implements ReducedSystem {
  private readonly diagonal: Int32Array;
  private readonly fixed: Float64Array;
  private readonly factorization: sparse.LdlFactorization;

  private constructor(
    private readonly n: number,
    zeros: number,
    private readonly matrix: sparse.CscMatrix,
    symbolic: sparse.SymbolicFactorization,
    private readonly P: sparse.CscMatrix | undefined,
  ) {
    // In an upper triangle by columns the diagonal ends each column.
    this.diagonal = Int32Array.from({ length: n + zeros }, (_, j) => matrix.indptr[j + 1] - 1);
    const signs = Int8Array.from({ length: n + zeros }, (_, j) => (j < n ? 1 : -1));
    this.fixed = matrix.values.slice();
    this.fixed.fill(0, 0, matrix.indptr[n]);
    this.factorization = new sparse.LdlFactorization(symbolic, null, { signs });
  }

  /** @param pattern upper triangle of M with every entry that it may have; its values do not count */
  static *making(
    n: number,
    pattern: sparse.CscMatrix,
    zero: sparse.CsrMatrix,
    P: sparse.CscMatrix | undefined,
  ): Parts<SparseSystem> {
    const zeros = zero.rows;
    const top = sparse.add(pattern, sparse.identity(n));
    const whole =
      zeros === 0
        ? top
        : sparse.block([
            [top, sparse.transpose(zero)],
            [
              new sparse.CsrMatrix(zeros, n, new Int32Array(zeros + 1), new Int32Array(0), new Float64Array(0)),
              sparse.identity(zeros),
            ],
          ]);
    yield;
    const matrix = sparse.toCsc(whole);
    yield;
    const symbolic = yield* sparse.analyzingPattern(matrix);
    yield;
    return new SparseSystem(n, zeros, matrix, symbolic, P);
  }

  *factoring(fill: (target: SymmetricTarget) => Parts<void>): Parts<boolean> {
    const { n, diagonal, fixed } = this;
    const values = fixed.slice();
    const add = (i: number, j: number, value: number): void => {
      values[this.place(Math.min(i, j), Math.max(i, j))] += value;
    };
    const addUpper = (given: sparse.CscMatrix): void => this.addUpper(given, values);
    if (this.P !== undefined) addUpper(this.P);
    yield* fill({ add, addUpper });
    let largest = 0;
    for (let j = 0; j < n; j++) largest = Math.max(largest, values[diagonal[j]]);
    for (let j = n; j < diagonal.length; j++) values[diagonal[j]] = -CORNER_SHIFT;
    let before = 0;
    for (const { least, part } of [SHIFTS[1], SHIFTS[3]]) {
      const shift = least + part * largest;
      for (let j = 0; j < n; j++) values[diagonal[j]] += shift - before;
      before = shift;
      try {
        yield* this.factorization.refactoring(values);
        return true;
      } catch (error) {
        if (!(error instanceof ValueError)) throw error;
      }
    }
    return false;
  }

  solve(rhs: Float64Array): void {
    this.factorization.solve(rhs, rhs);
  }

  /** A column of either is ascending, so that one walk finds all places. */
  private addUpper(given: sparse.CscMatrix, to: Float64Array): void {
    const { indptr, indices } = this.matrix;
    for (let j = 0; j < given.columns; j++) {
      let q = indptr[j];
      for (let p = given.indptr[j]; p < given.indptr[j + 1] && given.indices[p] <= j; p++) {
        while (indices[q] < given.indices[p]) q++;
        to[q] += given.values[p];
      }
    }
  }

  /** Where (i, j) of the upper triangle stands, by bisection of its column. */
  private place(i: number, j: number): number {
    const { indptr, indices } = this.matrix;
    let [low, high] = [indptr[j], indptr[j + 1] - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (indices[middle] < i) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** @internal Visits the upper triangle of a matrix. */
export function eachUpper(matrix: sparse.CscMatrix, visit: (i: number, j: number, value: number) => void): void {
  const { indptr, indices, values, columns } = matrix;
  for (let j = 0; j < columns; j++) {
    for (let p = indptr[j]; p < indptr[j + 1]; p++) if (indices[p] <= j) visit(indices[p], j, values[p]);
  }
}

/** The Cholesky factor from the lower triangle; nothing where a pivot is not positive, or not a number. */
function choleskyOf(a: Float64Array, n: number): Float64Array | undefined {
  const { factor, failedPivot } = cholesky(a, n);
  return failedPivot < 0 ? factor : undefined;
}

/** x = L^-1 x for lower triangular L `[n, n]`. */
function forward(L: Float64Array, n: number, x: Float64Array): void {
  for (let i = 0, p = 0; i < n; i++, p += n) {
    const whole = i - (i % 4);
    let s0 = x[i];
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let j = 0; j < whole; j += 4) {
      s0 -= L[p + j] * x[j];
      s1 -= L[p + j + 1] * x[j + 1];
      s2 -= L[p + j + 2] * x[j + 2];
      s3 -= L[p + j + 3] * x[j + 3];
    }
    for (let j = whole; j < i; j++) s0 -= L[p + j] * x[j];
    x[i] = (s0 + s1 + (s2 + s3)) / L[p + i];
  }
}

/** x = L^-T x */
function backward(L: Float64Array, n: number, x: Float64Array): void {
  for (let i = n - 1; i >= 0; i--) {
    const p = i * n;
    const value = x[i] / L[p + i];
    x[i] = value;
    for (let j = 0; j < i; j++) x[j] -= L[p + j] * value;
  }
}
