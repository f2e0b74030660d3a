import { checkOptions, requireInteger, requireObject, ShapeError, sparse, ValueError } from "@offprint/tensor-core";
import { checkFinite, type LinearOperator } from "./linear-operator.js";

/** Options of {@link geometricMultigrid}. */
export interface MultigridOptions {
  /** Extents of the grid whose points the unknowns are, row-major: `[ny, nx]` or `[nz, ny, nx]`. */
  readonly grid: readonly number[];
  /** Sweeps of Gauss-Seidel before and after a coarser level (default 2). */
  readonly sweeps?: number;
  /** Unknowns at which a level is solved directly (default 64). */
  readonly coarsest?: number;
}

/** What {@link geometricMultigrid} gives. */
export interface Multigrid {
  /** One V-cycle from zero, `z = M r`: symmetric, a preconditioner for conjugate gradients. */
  readonly apply: LinearOperator;
  /** One V-cycle that improves x for `A x = b`, in place. */
  cycle(x: Float64Array, b: Float64Array): void;
  /** Unknowns of every level, the finest first. */
  readonly sizes: readonly number[];
}

interface Level {
  readonly a: sparse.CsrMatrix;
  /** From the next coarser level to this one. */
  readonly interpolation: sparse.CsrMatrix | undefined;
  readonly direct: sparse.CholeskyFactorization | undefined;
}

/**
 * Geometric multigrid for a symmetric positive definite matrix on a structured grid: V-cycles with linear interpolation,
 * Galerkin's coarse matrices `P^T A P`, and Gauss-Seidel, forward before and backward after, so that the cycle is
 * symmetric. For second-order elliptic problems a cycle divides the error by about ten whatever the size. Rows that are zero
 * (points outside of the domain) stay zero, and points with such a row carry nothing to coarser levels.
 * @param a - `[n, n]`, n the product of the extents.
 * @throws ShapeError; ValueError for values that are not finite, a diagonal that is not positive, and coarse matrices that are
 * not positive definite.
 * @example const { apply } = geometricMultigrid(a, { grid: [64, 64] });
 * @see Trottenberg, Oosterlee and Schueller, Multigrid, 2001
 */
export function geometricMultigrid(a: sparse.SparseMatrix, options: MultigridOptions): Multigrid {
  requireObject("geometricMultigrid", "a", a, "a sparse matrix");
  const owner = "geometricMultigrid";
  checkOptions(owner, options, ["grid", "sweeps", "coarsest"], ["grid"]);
  const { grid, sweeps = 2, coarsest = 64 } = options;
  requireInteger(owner, "sweeps", sweeps, 1);
  requireInteger(owner, "coarsest", coarsest, 1);
  if (!Array.isArray(grid) || grid.length === 0) throw new ValueError(`${owner}: grid must be the extents of the grid`);
  for (const extent of grid) requireInteger(owner, "an extent of grid", extent, 1);
  const n = grid.reduce((product, extent) => product * extent, 1);
  if (a.rows !== n || a.columns !== n) {
    throw new ShapeError(
      `${owner}: the matrix has shape [${a.shape}]; for a grid of [${grid}] it must be [${n}, ${n}]`,
    );
  }
  checkFinite(a.values, `${owner}: the matrix`);
  const levels = levelsOf(owner, sparse.toCsr(a), grid, coarsest);
  const cycle = (depth: number, x: Float64Array, b: Float64Array): void => {
    const level = levels[depth];
    if (level.direct !== undefined) {
      x.set(level.direct.solve(b));
      return;
    }
    for (let s = 0; s < sweeps; s++) sweep(level.a, x, b, true);
    if (level.interpolation !== undefined) {
      const residual = sparse.multiplyVector(level.a, x).map((v, i) => b[i] - v);
      const coarse = sparse.multiplyTransposedVector(level.interpolation, residual);
      const correction = new Float64Array(coarse.length);
      cycle(depth + 1, correction, coarse);
      const fine = sparse.multiplyVector(level.interpolation, correction);
      for (let i = 0; i < x.length; i++) x[i] += fine[i];
    }
    for (let s = 0; s < sweeps; s++) sweep(level.a, x, b, false);
  };
  return {
    apply(r, z) {
      z.fill(0);
      cycle(0, z, r);
    },
    cycle: (x, b) => cycle(0, x, b),
    sizes: levels.map((level) => level.a.rows),
  };
}

function levelsOf(owner: string, finest: sparse.CsrMatrix, grid: readonly number[], coarsest: number): Level[] {
  const levels: Level[] = [];
  let a = finest;
  let extents = grid;
  for (;;) {
    requireDiagonal(owner, a);
    const smaller = extents.map((extent) => Math.floor(extent / 2));
    // A level with as few unknowns, or that cannot be halved, is solved.
    if (a.rows <= coarsest || smaller.every((extent, k) => extent === extents[k] || extent < 1)) {
      levels.push({ a, interpolation: undefined, direct: factorised(owner, a) });
      return levels;
    }
    const next = smaller.map((extent, k) => (extents[k] >= 3 ? extent : extents[k]));
    if (next.every((extent, k) => extent === extents[k])) {
      levels.push({ a, interpolation: undefined, direct: factorised(owner, a) });
      return levels;
    }
    const interpolation = withoutZeroRows(a, linearInterpolation(extents, next));
    levels.push({ a, interpolation, direct: undefined });
    const product = sparse.toCsr(sparse.multiply(a, interpolation));
    a = sparse.toCsr(sparse.multiply(sparse.toCsr(sparse.transpose(interpolation)), product));
    extents = next;
  }
}

function requireDiagonal(owner: string, a: sparse.CsrMatrix): void {
  const diagonal = sparse.diagonalOf(a);
  for (let i = 0; i < a.rows; i++) {
    if (diagonal[i] > 0 || isZeroRow(a, i)) continue;
    throw new ValueError(`${owner}: diagonal entry ${i} is ${diagonal[i]}; that of a positive definite matrix is > 0`);
  }
}

function isZeroRow({ indptr, values }: sparse.CsrMatrix, i: number): boolean {
  for (let p = indptr[i]; p < indptr[i + 1]; p++) if (values[p] !== 0) return false;
  return true;
}

/** Direct solution, with 1 on the diagonal of rows that are zero. */
function factorised(owner: string, a: sparse.CsrMatrix): sparse.CholeskyFactorization {
  const fill = Float64Array.from({ length: a.rows }, (_, i) => (isZeroRow(a, i) ? 1 : 0));
  try {
    return sparse.cholesky(sparse.add(a, sparse.diagonal(fill)));
  } catch (error) {
    throw new ValueError(`${owner}: the coarsest matrix is not positive definite: ${(error as Error).message}`);
  }
}

/** Interpolation of every axis, as a Kronecker product. */
function linearInterpolation(fine: readonly number[], coarse: readonly number[]): sparse.CsrMatrix {
  const factors = fine.map((extent, k) => alongAxis(extent, coarse[k]));
  return sparse.toCsr(
    factors.reduce<sparse.SparseMatrix>((product, factor) => sparse.kron(product, factor), sparse.identity(1)),
  );
}

/**
 * Coarse points lie at the odd fine ones, with weights 1/2, 1, 1/2 around: zero beyond the ends where the last fine point
 * is even, as for Dirichlet's boundary; the last of an even number takes half of the one before it.
 */
function alongAxis(fine: number, coarse: number): sparse.CsrMatrix {
  if (fine === coarse) return sparse.identity(fine);
  const [rows, columns, values]: number[][] = [[], [], []];
  const put = (i: number, j: number, value: number) => {
    if (i < 0 || i >= fine) return;
    rows.push(i);
    columns.push(j);
    values.push(value);
  };
  for (let j = 0; j < coarse; j++) {
    put(2 * j, j, 0.5);
    put(2 * j + 1, j, 1);
    put(2 * j + 2, j, 0.5);
  }
  return sparse.fromTriplets(fine, coarse, rows, columns, values);
}

function withoutZeroRows(a: sparse.CsrMatrix, p: sparse.CsrMatrix): sparse.CsrMatrix {
  const kept = Float64Array.from({ length: a.rows }, (_, i) => (isZeroRow(a, i) ? 0 : 1));
  return kept.includes(0) ? (sparse.toCsr(sparse.scaleRows(p, kept)) as sparse.CsrMatrix) : p;
}

/** One sweep of Gauss-Seidel. */
function sweep(
  { rows, indptr, indices, values }: sparse.CsrMatrix,
  x: Float64Array,
  b: Float64Array,
  forward: boolean,
): void {
  for (let k = 0; k < rows; k++) {
    const i = forward ? k : rows - 1 - k;
    let sum = b[i];
    let diagonal = 0;
    for (let p = indptr[i]; p < indptr[i + 1]; p++) {
      if (indices[p] === i) diagonal = values[p];
      else sum -= values[p] * x[indices[p]];
    }
    x[i] = diagonal === 0 ? 0 : sum / diagonal;
  }
}
