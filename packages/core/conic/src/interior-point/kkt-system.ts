import type { Parts } from "@offprint/solvers";
import { sparse } from "@offprint/tensor-core";
import type { ScaledProblem } from "../equilibration.js";
import { apply, applyQuadratic, applyTransposed } from "../products.js";
import { type RowGroup, rowGroups } from "./normal-matrix.js";
import type { ProductScaling } from "./product-scaling.js";
import { DenseSystem, eachUpper, type ReducedSystem, SparseSystem } from "./reduced-system.js";

/** Up to this order M is always dense, and beyond it from this share of entries on. */
const DENSE_ORDER = 48;
const DENSE_FROM = 0.25;
/** Rounds of iterative refinement. */
const REFINEMENTS = 4;
/** Refinement ends at an error beside the right-hand side of this, times the tolerance. */
const REFINED_TO = 1e-4;
/** What the predictor needs. */
const ROUGHLY = 1e-8;

/**
 * @internal Solves [P, A^T; A, -W^T W] (dx, dy) = (p, q), where W^T W is 0 on the rows of the zero cone: the other rows are
 * eliminated, and the solution is refined with the whole system.
 */
export class KktSystem {
  private readonly zeros: number;
  private readonly goodEnough: number;
  private readonly rhs: Float64Array;
  private readonly p: Float64Array;
  private readonly q: Float64Array;
  private readonly stepX: Float64Array;
  private readonly stepY: Float64Array;
  private readonly stepScaled: Float64Array;
  private readonly productX: Float64Array;
  private readonly productY: Float64Array;

  private constructor(
    private readonly problem: ScaledProblem,
    private readonly scaling: ProductScaling,
    private readonly groups: readonly RowGroup[],
    private readonly reduced: ReducedSystem,
    tolerance: number,
  ) {
    this.goodEnough = Math.max(REFINED_TO * tolerance, 1e-15);
    const { n, m } = problem;
    this.zeros = zeroCount(problem);
    this.rhs = new Float64Array(n + this.zeros);
    this.p = new Float64Array(n);
    this.q = new Float64Array(m);
    this.stepX = new Float64Array(n);
    this.stepY = new Float64Array(m);
    this.stepScaled = new Float64Array(m);
    this.productX = new Float64Array(n);
    this.productY = new Float64Array(m);
  }

  /** The system of a problem, with a scaling that is updated in place. */
  static *making(problem: ScaledProblem, scaling: ProductScaling, tolerance: number): Parts<KktSystem> {
    const { n, P } = problem;
    const zero = zeroRows(problem, zeroCount(problem));
    const groups = rowGroups(problem, scaling);
    yield;
    const pattern = n <= DENSE_ORDER ? undefined : yield* normalPattern(problem, groups);
    const dense = pattern === undefined || pattern.entries > DENSE_FROM * n * n * 0.5;
    const reduced = dense ? new DenseSystem(n, zero, P) : yield* SparseSystem.making(n, pattern, zero, P);
    return new KktSystem(problem, scaling, groups, reduced, tolerance);
  }

  /** Factors for the present scaling; false where rounding has won. */
  *factoring(): Parts<boolean> {
    const { groups } = this;
    for (const group of groups) if (group.making !== undefined) yield* group.making();
    return yield* this.reduced.factoring(function* (target) {
      for (const group of groups) {
        group.addTo(target);
        yield;
      }
    });
  }

  /**
   * Solves for (p, q), which are not changed; as precisely as the tolerance asks, or `roughly`. Writes dx, dy and W dy, which
   * is met on the way.
   */
  *solving(
    p: Float64Array,
    q: Float64Array,
    dx: Float64Array,
    dy: Float64Array,
    scaledY: Float64Array,
    roughly = false,
  ): Parts<void> {
    const { stepX, stepY, stepScaled } = this;
    const goodEnough = roughly ? Math.max(this.goodEnough, ROUGHLY) : this.goodEnough;
    yield* this.solveOnce(p, q, dx, dy, scaledY);
    let before = Infinity;
    for (let round = 0; round <= REFINEMENTS; round++) {
      const error = yield* this.residual(p, q, dx, dy, scaledY);
      if (error > before) {
        subtract(dx, stepX);
        subtract(dy, stepY);
        subtract(scaledY, stepScaled);
      }
      if (!(error < before / 2 && error > goodEnough)) return;
      before = error;
      yield* this.solveOnce(this.p, this.q, stepX, stepY, stepScaled);
      add(dx, stepX);
      add(dy, stepY);
      add(scaledY, stepScaled);
    }
  }

  /** x from (M, Z) after W y = W^-T (A x - q) is eliminated. */
  private *solveOnce(
    p: Float64Array,
    q: Float64Array,
    dx: Float64Array,
    dy: Float64Array,
    scaledY: Float64Array,
  ): Parts<void> {
    const { problem, scaling, rhs, zeros } = this;
    const { n } = problem;
    scaledY.set(q);
    dy.fill(0, 0, zeros);
    yield* scaling.each((cone) => {
      cone.unscaleTransposed(scaledY, scaledY);
      cone.unscale(scaledY, dy);
    });
    applyTransposed(problem, dy, dx);
    yield;
    for (let j = 0; j < n; j++) rhs[j] = p[j] + dx[j];
    for (let i = 0; i < zeros; i++) rhs[n + i] = q[i];
    this.reduced.solve(rhs);
    yield;
    for (let j = 0; j < n; j++) dx[j] = rhs[j];
    apply(problem, dx, scaledY);
    yield;
    for (let i = zeros; i < scaledY.length; i++) scaledY[i] -= q[i];
    scaledY.fill(0, 0, zeros);
    yield* scaling.each((cone) => {
      cone.unscaleTransposed(scaledY, scaledY);
      cone.unscale(scaledY, dy);
    });
    for (let i = 0; i < zeros; i++) dy[i] = rhs[n + i];
  }

  /** Writes what (dx, dy) leave of (p, q), and returns its largest entry beside that of (p, q). */
  private *residual(
    p: Float64Array,
    q: Float64Array,
    dx: Float64Array,
    dy: Float64Array,
    scaledY: Float64Array,
  ): Parts<number> {
    const { problem, scaling, zeros, productX, productY } = this;
    const { n, m, P } = problem;
    let [error, size] = [0, 1e-300];
    yield;
    applyTransposed(problem, dy, this.p);
    yield;
    if (P !== undefined) applyQuadratic(problem, dx, productX);
    for (let j = 0; j < n; j++) {
      this.p[j] = p[j] - this.p[j] - (P === undefined ? 0 : productX[j]);
      error = Math.max(error, Math.abs(this.p[j]));
      size = Math.max(size, Math.abs(p[j]));
    }
    apply(problem, dx, this.q);
    yield;
    yield* scaling.each((cone) => cone.scaleTransposed(scaledY, productY));
    for (let i = 0; i < m; i++) {
      this.q[i] = q[i] - this.q[i] + (i < zeros ? 0 : productY[i]);
      error = Math.max(error, Math.abs(this.q[i]));
      size = Math.max(size, Math.abs(q[i]));
    }
    return error / size;
  }
}

function zeroCount({ blocks }: ScaledProblem): number {
  return blocks[0]?.kind === "zero" ? blocks[0].length : 0;
}

function zeroRows({ A, n }: ScaledProblem, zeros: number): sparse.CsrMatrix {
  if (A === undefined || zeros === 0) {
    return new sparse.CsrMatrix(0, n, new Int32Array(1), new Int32Array(0), new Float64Array(0));
  }
  const { indptr, indices, values, columns } = sparse.toCsr(A);
  const end = indptr[zeros];
  return new sparse.CsrMatrix(zeros, columns, indptr.slice(0, zeros + 1), indices.slice(0, end), values.slice(0, end));
}

/** The upper triangle of the pattern of M; nothing where it is dense anyway. */
function* normalPattern(problem: ScaledProblem, groups: readonly RowGroup[]): Parts<sparse.CscMatrix | undefined> {
  const own = cliquePattern(problem, groups);
  let pattern = own;
  for (const group of groups) {
    if (group.making === undefined || pattern === undefined) continue;
    const matrix = yield* group.making();
    if (matrix === undefined) continue;
    const upper = upperTriangle(matrix);
    pattern = pattern.entries === 0 ? upper : sparse.toCsc(sparse.add(pattern, upper));
    yield;
  }
  return pattern;
}

/** The matrix itself, or its upper triangle where there is more. */
function upperTriangle(matrix: sparse.CscMatrix): sparse.CscMatrix {
  const { rows, columns, indptr, indices, values } = matrix;
  let count = 0;
  const ends = new Int32Array(columns + 1);
  for (let j = 0; j < columns; j++) {
    for (let p = indptr[j]; p < indptr[j + 1] && indices[p] <= j; p++) count++;
    ends[j + 1] = count;
  }
  if (count === matrix.entries) return matrix;
  const [keptIndices, keptValues] = [new Int32Array(count), new Float64Array(count)];
  for (let j = 0; j < columns; j++) {
    const length = ends[j + 1] - ends[j];
    keptIndices.set(indices.subarray(indptr[j], indptr[j] + length), ends[j]);
    keptValues.set(values.subarray(indptr[j], indptr[j] + length), ends[j]);
  }
  return new sparse.CscMatrix(rows, columns, ends, keptIndices, keptValues, false);
}

/** What P and the cliques of variables fill. */
function cliquePattern({ n, P }: ScaledProblem, groups: readonly RowGroup[]): sparse.CscMatrix | undefined {
  const [rows, columns]: [number[], number[]] = [[], []];
  const limit = n * n;
  if (P !== undefined && P.entries > DENSE_FROM * limit) return undefined;
  const seen = new Set<number>();
  const add = (i: number, j: number): void => {
    const key = Math.min(i, j) * n + Math.max(i, j);
    if (seen.has(key)) return;
    seen.add(key);
    rows.push(Math.min(i, j));
    columns.push(Math.max(i, j));
  };
  if (P !== undefined) eachUpper(P, add);
  for (const { cliques } of groups) {
    for (const clique of cliques) {
      if (clique.length ** 2 > DENSE_FROM * limit) return undefined;
      for (const [a, i] of clique.entries()) for (let b = 0; b <= a; b++) add(i, clique[b]);
      if (rows.length > DENSE_FROM * limit * 0.5) return undefined;
    }
  }
  return sparse.toCsc(sparse.fromTriplets(n, n, rows, columns, new Array<number>(rows.length).fill(1)));
}

function add(x: Float64Array, step: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i] += step[i];
}

function subtract(x: Float64Array, step: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i] -= step[i];
}
