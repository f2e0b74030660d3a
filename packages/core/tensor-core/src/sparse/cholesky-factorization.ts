import { requireObject } from "../arguments.js";
import { checkOptions } from "../check-options.js";
import { ValueError } from "../errors.js";
import type { CscMatrix } from "./csc-matrix.js";
import { readVector, resultArray, type VectorLike } from "./dense-operand.js";
import { LdlFactorization } from "./ldl-factorization.js";
import type { SparseMatrix } from "./sparse-matrix.js";
import {
  ANALYZE_OPTIONS,
  type AnalyzeOptions,
  analyzePattern,
  type SymbolicFactorization,
  valuesFor,
} from "./symbolic-factorization.js";

/** `P a transpose(P) = L transpose(L)` of a sparse symmetric positive definite matrix. */
export class CholeskyFactorization {
  /** The pattern, shared by all factorisations made from it. */
  readonly symbolic: SymbolicFactorization;
  private readonly core: LdlFactorization;
  private readonly roots: Float64Array;

  /** Use {@link cholesky} or {@link choleskyNumeric}. */
  constructor(symbolic: SymbolicFactorization, values: Float64Array) {
    requireObject("sparse.CholeskyFactorization", "symbolic", symbolic, "a SymbolicFactorization");
    requireObject("sparse.CholeskyFactorization", "values", values, "a Float64Array");
    this.symbolic = symbolic;
    this.core = new LdlFactorization(symbolic, values);
    this.roots = new Float64Array(symbolic.n);
    this.takeRoots();
  }

  /** Factors a matrix of the same pattern in place of this one; see `LdlFactorization.refactor`. */
  refactor(values: Float64Array | SparseMatrix): void {
    this.core.refactor(values);
    this.takeRoots();
  }

  private takeRoots(): void {
    for (let k = 0; k < this.roots.length; k++) {
      const pivot = this.core.pivots[k];
      if (!(pivot > 0)) {
        throw new ValueError(
          `cholesky: pivot ${pivot} at row ${this.symbolic.permutation[k]}: the matrix is not positive definite; ` +
            "add to its diagonal, or use ldl for a quasi-definite matrix",
        );
      }
      this.roots[k] = Math.sqrt(pivot);
    }
  }

  /** Solution `x` of `a x = b`, `[n]`, into `out` if given (`b` itself may be passed). */
  solve(b: VectorLike, out?: Float64Array): Float64Array {
    return this.core.solve(b, out);
  }

  /** `L^-1 P b`, whose squared norm is `b' a^-1 b`: whitens a vector whose covariance is `a`. */
  whiten(b: VectorLike, out?: Float64Array): Float64Array {
    const { n, permutation } = this.symbolic;
    const rhs = readVector(b, n, "whiten: b");
    const x = rhs === out ? Float64Array.from(rhs) : resultArray(out, n, "whiten");
    for (let k = 0; k < n; k++) x[k] = rhs[permutation[k]];
    this.core.forward(x);
    for (let k = 0; k < n; k++) x[k] /= this.roots[k];
    if (out !== undefined && x !== out) out.set(x);
    return out ?? x;
  }

  /** `transpose(P) L^-T z`: turns white noise `z` into a sample with precision matrix `a`. */
  colorPrecision(z: VectorLike): Float64Array {
    const { n, permutation } = this.symbolic;
    const work = readVector(z, n, "colorPrecision: z").map((v, k) => v / this.roots[k]);
    this.core.backward(work);
    const x = new Float64Array(n);
    for (let k = 0; k < n; k++) x[permutation[k]] = work[k];
    return x;
  }

  /** The lower triangular factor `L` in the order of elimination. */
  lower(): CscMatrix {
    return this.core.scaledLower(this.roots);
  }

  /** Logarithm of the determinant. */
  logDeterminant(): number {
    return this.core.logAbsDeterminant();
  }
}

/** Numeric Cholesky factorisation of `a` (or its values) for a pattern that `analyzePattern` has analysed. */
export function choleskyNumeric(
  symbolic: SymbolicFactorization,
  a: SparseMatrix | Float64Array,
): CholeskyFactorization {
  return new CholeskyFactorization(symbolic, valuesFor(symbolic, a, "choleskyNumeric"));
}

/**
 * Sparse Cholesky factorisation of a symmetric positive definite matrix: analysis and factorisation in one call.
 *
 * @throws ShapeError if `a` is not square; ValueError for values that are not finite or if it is not positive definite.
 */
export function cholesky(a: SparseMatrix, options: AnalyzeOptions = {}): CholeskyFactorization {
  checkOptions("cholesky", options, ANALYZE_OPTIONS);
  return choleskyNumeric(analyzePattern(a, options), a);
}
