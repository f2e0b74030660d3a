import { requireObject } from "../arguments.js";
import { checkOptions } from "../check-options.js";
import { ShapeError, ValueError } from "../errors.js";
import { CscMatrix } from "./csc-matrix.js";
import { readVector, resultArray, type VectorLike } from "./dense-operand.js";
import { multiplyVector } from "./product.js";
import type { SparseMatrix } from "./sparse-matrix.js";
import {
  ANALYZE_OPTIONS,
  type AnalyzeOptions,
  analyzePattern,
  type SymbolicFactorization,
  valuesFor,
} from "./symbolic-factorization.js";

/** Treatment of pivots in {@link LdlFactorization}. */
export interface PivotOptions {
  /**
   * The sign every pivot must have, `[n]` of +1 and -1 in the matrix's own order: +1 for the positive and -1 for the
   * negative block of a quasi-definite matrix. A pivot of the wrong sign, or smaller than `pivotTolerance`, is replaced.
   * Without it no pivot is replaced, and a zero pivot is an error.
   */
  readonly signs?: ArrayLike<number>;
  /** With `signs`: pivots smaller than this are replaced (default 1e-13). */
  readonly pivotTolerance?: number;
  /** With `signs`: size of the replacement (default 1e-7). */
  readonly pivotReplacement?: number;
}

/** Multiplications of a part of a factorisation: a few milliseconds. */
const PART = 2 ** 20;

const PIVOT_OPTIONS = ["signs", "pivotTolerance", "pivotReplacement"];

/**
 * `P a transpose(P) = L D transpose(L)` of a sparse symmetric matrix, `L` unit lower triangular and `D` diagonal.
 * It exists for every order of elimination if `a` is quasi-definite (Vanderbei 1995) or definite.
 */
export class LdlFactorization {
  /** The pattern, shared by all factorisations made from it. */
  readonly symbolic: SymbolicFactorization;
  /** Pivots in order of elimination, `[n]`. */
  readonly pivots: Float64Array;
  /** How many pivots the last factorisation replaced; the solution then belongs to a perturbed matrix. */
  replacedPivots = 0;
  private readonly factor: Float64Array;
  private readonly inverse: Float64Array;
  private readonly signs: Int8Array | null;
  private readonly pivotTolerance: number;
  private readonly pivotReplacement: number;
  private readonly work: Float64Array;
  private readonly path: Int32Array;
  private readonly mark: Int32Array;
  private readonly next: Int32Array;

  /**
   * Use {@link ldl} or {@link ldlNumeric}.
   *
   * @param values null where a call of `refactor` or `refactoring` follows
   */
  constructor(symbolic: SymbolicFactorization, values: Float64Array | null, options: PivotOptions = {}) {
    requireObject("sparse.LdlFactorization", "symbolic", symbolic, "a SymbolicFactorization");
    const { n } = symbolic;
    this.symbolic = symbolic;
    this.signs = options.signs === undefined ? null : permutedSigns(options.signs, symbolic.permutation);
    this.pivotTolerance = options.pivotTolerance ?? 1e-13;
    this.pivotReplacement = options.pivotReplacement ?? 1e-7;
    this.pivots = new Float64Array(n);
    this.inverse = new Float64Array(n);
    this.factor = new Float64Array(symbolic.factorEntries);
    this.work = new Float64Array(n);
    this.path = new Int32Array(n);
    this.mark = new Int32Array(n);
    this.next = new Int32Array(n);
    if (values !== null) this.refactor(values);
  }

  /**
   * Factors a matrix of the same pattern in place of this one, given the matrix or its `values` in the order of the
   * analysed matrix. Allocates nothing.
   *
   * @throws ShapeError for another number of entries; ValueError for a value that is not finite or a zero pivot, after
   * which this object holds no valid factor.
   */
  refactor(values: Float64Array | SparseMatrix): void {
    const parts = this.refactoring(values);
    while (parts.next().done !== true);
  }

  /**
   * The same in parts of some milliseconds: whoever runs it may do something else wherever it yields. What is given up
   * between them leaves no valid factor.
   */
  *refactoring(values: Float64Array | SparseMatrix): Generator<undefined, void, undefined> {
    const v = valuesFor(this.symbolic, values, "refactor");
    for (let p = 0; p < v.length; p++) {
      if (!Number.isFinite(v[p])) throw new ValueError(`ldl: value ${v[p]} at entry ${p} is not finite`);
    }
    this.replacedPivots = 0;
    this.mark.fill(-1);
    this.work.fill(0);
    this.next.set(this.symbolic.factorPointers.subarray(0, this.symbolic.n));
    for (let k = 0, work = 0; k < this.symbolic.n; k++) {
      work += this.eliminateRow(k, v);
      if (work < PART) continue;
      yield;
      work = 0;
    }
  }

  /** The multiplications for row `k` of L, which is made by a sparse triangular solve with the rows above (up-looking; Davis 2005, "Algorithm 849"). */
  private eliminateRow(k: number, values: Float64Array): number {
    const { pointers, rows, sources, parent, factorPointers, factorRows } = this.symbolic;
    const { work, path, mark, next, factor } = this;
    const n = work.length;
    let pivot = 0;
    let top = n;
    let count = 0;
    mark[k] = k;
    for (let p = pointers[k]; p < pointers[k + 1]; p++) {
      let i = rows[p];
      if (i === k) {
        pivot = values[sources[p]];
        continue;
      }
      work[i] = values[sources[p]];
      let length = 0;
      for (; mark[i] !== k; i = parent[i]) {
        path[length++] = i;
        mark[i] = k;
      }
      while (length > 0) path[--top] = path[--length];
    }
    for (; top < n; top++) {
      const i = path[top];
      const y = work[i];
      work[i] = 0;
      const end = next[i];
      count += end - factorPointers[i];
      for (let p = factorPointers[i]; p < end; p++) work[factorRows[p]] -= factor[p] * y;
      const entry = y * this.inverse[i];
      pivot -= entry * y;
      factor[end] = entry;
      next[i]++;
    }
    this.setPivot(k, pivot);
    return count;
  }

  private setPivot(k: number, computed: number): void {
    let pivot = computed;
    if (this.signs !== null && !(pivot * this.signs[k] > this.pivotTolerance)) {
      pivot = this.signs[k] * this.pivotReplacement;
      this.replacedPivots++;
    }
    if (pivot === 0 || !Number.isFinite(pivot)) {
      throw new ValueError(
        `ldl: pivot ${pivot} at row ${this.symbolic.permutation[k]}: the matrix has no such factorisation in this ` +
          "order; make it quasi-definite (add to the diagonal) or pass signs",
      );
    }
    this.pivots[k] = pivot;
    this.inverse[k] = 1 / pivot;
  }

  /** Solution `x` of `a x = b`, `[n]`, into `out` if given (`b` itself may be passed). Allocates nothing then. */
  solve(b: VectorLike, out?: Float64Array): Float64Array {
    const { n, permutation } = this.symbolic;
    const rhs = readVector(b, n, "solve: b");
    const x = resultArray(out, n, "solve");
    const { work } = this;
    for (let k = 0; k < n; k++) work[k] = rhs[permutation[k]];
    this.forward(work);
    for (let k = 0; k < n; k++) work[k] *= this.inverse[k];
    this.backward(work);
    for (let k = 0; k < n; k++) x[permutation[k]] = work[k];
    return x;
  }

  /**
   * {@link solve} followed by `steps` (default 2) rounds of iterative refinement with the full symmetric matrix `a`:
   * for a factor of a matrix with replaced pivots or a small added diagonal.
   */
  solveRefined(a: SparseMatrix, b: VectorLike, steps = 2): Float64Array {
    const rhs = readVector(b, this.symbolic.n, "solveRefined: b");
    const x = this.solve(rhs);
    const residual = new Float64Array(rhs.length);
    for (let step = 0; step < steps; step++) {
      multiplyVector(a, x, residual);
      for (let i = 0; i < rhs.length; i++) residual[i] = rhs[i] - residual[i];
      this.solve(residual, residual);
      for (let i = 0; i < rhs.length; i++) x[i] += residual[i];
    }
    return x;
  }

  /** @internal `x = L^-1 x` in the permuted order. */
  forward(x: Float64Array): void {
    const { n, factorPointers, factorRows } = this.symbolic;
    for (let j = 0; j < n; j++) {
      const y = x[j];
      if (y === 0) continue;
      for (let p = factorPointers[j]; p < factorPointers[j + 1]; p++) x[factorRows[p]] -= this.factor[p] * y;
    }
  }

  /** @internal `x = L^-T x` in the permuted order. */
  backward(x: Float64Array): void {
    const { n, factorPointers, factorRows } = this.symbolic;
    for (let j = n - 1; j >= 0; j--) {
      let sum = x[j];
      for (let p = factorPointers[j]; p < factorPointers[j + 1]; p++) sum -= this.factor[p] * x[factorRows[p]];
      x[j] = sum;
    }
  }

  /** The unit lower triangular factor `L` in the order of elimination. */
  lower(): CscMatrix {
    return lowerMatrix(this.symbolic, this.factor, new Float64Array(this.symbolic.n).fill(1));
  }

  /** @internal `L` with column `j` times `scales[j]`. */
  scaledLower(scales: Float64Array): CscMatrix {
    return lowerMatrix(this.symbolic, this.factor, scales);
  }

  /** Numbers of positive and negative pivots: by Sylvester's law those of the eigenvalues. */
  inertia(): { positive: number; negative: number } {
    let positive = 0;
    for (const pivot of this.pivots) if (pivot > 0) positive++;
    return { positive, negative: this.pivots.length - positive };
  }

  /** Logarithm of the absolute value of the determinant. */
  logAbsDeterminant(): number {
    let sum = 0;
    for (const pivot of this.pivots) sum += Math.log(Math.abs(pivot));
    return sum;
  }
}

function lowerMatrix(symbolic: SymbolicFactorization, factor: Float64Array, scales: Float64Array): CscMatrix {
  const { n, factorPointers, factorRows } = symbolic;
  const indptr = factorPointers.map((p, j) => p + j);
  const indices = new Int32Array(factorRows.length + n);
  const values = new Float64Array(indices.length);
  for (let j = 0; j < n; j++) {
    indices[indptr[j]] = j;
    values[indptr[j]] = scales[j];
    for (let p = factorPointers[j]; p < factorPointers[j + 1]; p++) {
      indices[p + j + 1] = factorRows[p];
      values[p + j + 1] = factor[p] * scales[j];
    }
  }
  return new CscMatrix(n, n, indptr, indices, values, false);
}

function permutedSigns(signs: ArrayLike<number>, permutation: Int32Array): Int8Array {
  if (signs.length !== permutation.length) {
    throw new ShapeError(`ldl: signs must have length ${permutation.length}, got ${signs.length}`);
  }
  return Int8Array.from(permutation, (row) => {
    if (signs[row] !== 1 && signs[row] !== -1) {
      throw new ValueError(`ldl: signs must be +1 or -1, got ${signs[row]} at ${row}`);
    }
    return signs[row];
  });
}

/** Numeric `L D transpose(L)` of `a` (or its values) for a pattern that {@link analyzePattern} has analysed. */
export function ldlNumeric(
  symbolic: SymbolicFactorization,
  a: SparseMatrix | Float64Array,
  options: PivotOptions = {},
): LdlFactorization {
  checkOptions("ldlNumeric", options, PIVOT_OPTIONS);
  return new LdlFactorization(symbolic, valuesFor(symbolic, a, "ldlNumeric"), options);
}

/**
 * Sparse `L D transpose(L)` of a symmetric quasi-definite (or definite) matrix: analysis and factorisation in one call.
 *
 * @throws ShapeError if `a` is not square; ValueError for values that are not finite or a zero pivot.
 */
export function ldl(a: SparseMatrix, options: AnalyzeOptions & PivotOptions = {}): LdlFactorization {
  checkOptions("ldl", options, [...ANALYZE_OPTIONS, ...PIVOT_OPTIONS]);
  const { ordering, triangle, ...pivots } = options;
  return ldlNumeric(analyzePattern(a, { ordering, triangle }), a, pivots);
}
