import { sparse, ValueError } from "@offprint/tensor-core";
import type { ScaledProblem } from "../equilibration.js";
import { apply, applyTransposed } from "../products.js";

/** @internal Proximal weight of x. */
export const RHO_X = 1e-6;
/** Weight of the rows of the zero cone over the others; equality constraints converge slowly without it. */
const ZERO_CONE_WEIGHT = 1000;

/**
 * @internal Solves (R + M) p = r for M = [P, A^T; -A, 0] and R = diag(rho_x I, R_y) by a factorisation that is made
 * anew only when the scale changes.
 */
export interface LinearSystem {
  /** The diagonal R_y `[m]`. */
  readonly Ry: Float64Array;
  /** Takes another scale. */
  refactor(scale: number): void;
  /** `p` `[n + m]` receives the solution for `r` `[n + m]`, of which it may be the same array. */
  solve(r: Float64Array, p: Float64Array): void;
}

/**
 * @internal The normal matrix rho_x I + P + A^T R_y^-1 A where A has many more rows than columns, as every linear
 * matrix inequality has, else the sparse quasi-definite matrix.
 */
export function linearSystem(problem: ScaledProblem, scale: number): LinearSystem {
  return prefersNormal(problem) ? new NormalSystem(problem, scale) : new QuasiDefiniteSystem(problem, scale);
}

function prefersNormal({ n, m, A, operator }: ScaledProblem): boolean {
  if (operator !== undefined || A === undefined) return true;
  if (m < n) return false;
  const perRow = new Float64Array(m);
  for (const row of A.indices) perRow[row]++;
  let products = 0;
  for (const count of perRow) products += count * count;
  return Math.min(products, n * n) <= 4 * (A.entries + m);
}

function fillRy(Ry: Float64Array, { blocks }: ScaledProblem, scale: number): void {
  Ry.fill(1 / scale);
  for (const { kind, start, length } of blocks) {
    if (kind === "zero") Ry.fill(1 / (ZERO_CONE_WEIGHT * scale), start, start + length);
  }
}

/** What is added to the diagonal where rounding leaves a matrix without factors: parts of its largest entry. */
const SHIFTS = [1e-15, 1e-13, 1e-11];

/** Factors of a matrix whose first `n` columns belong to x; shifted where it must be. In an upper triangle the diagonal ends each column. */
function factored<F>(matrix: sparse.CscMatrix, n: number, factor: (values: Float64Array) => F): F {
  const { indptr, values } = matrix;
  for (const shift of [0, ...SHIFTS]) {
    const shifted = values.slice();
    let largest = 0;
    for (let j = 0; j < n; j++) largest = Math.max(largest, values[indptr[j + 1] - 1]);
    if (shift > 0) for (let j = 0; j < n; j++) shifted[indptr[j + 1] - 1] += shift * largest;
    try {
      return factor(shifted);
    } catch (error) {
      if (!(error instanceof ValueError) || shift === SHIFTS[SHIFTS.length - 1]) throw error;
    }
  }
  throw new ValueError("solveConic: the linear system of splitting has no factors");
}

class NormalSystem implements LinearSystem {
  readonly Ry: Float64Array;
  private readonly gram: sparse.SparseMatrix;
  private readonly factor: sparse.CholeskyFactorization;
  /** The pattern of rho_x I + P + A^T A by columns, and where the two parts stand in it. */
  private readonly matrix: sparse.CscMatrix;
  private readonly fixed: Float64Array;
  private readonly product: Float64Array;
  private readonly x: Float64Array;
  private readonly y: Float64Array;

  constructor(
    private readonly problem: ScaledProblem,
    scale: number,
  ) {
    const { n, m, P } = problem;
    this.Ry = new Float64Array(m);
    this.x = new Float64Array(n);
    this.y = new Float64Array(m);
    // A^T R_y^-1 A at scale 1; another scale multiplies it.
    fillRy(this.Ry, problem, 1);
    const weights = this.Ry.map((value) => 1 / value);
    this.gram = upperTriangle(
      problem.operator === undefined ? gramOf(problem, weights) : problem.operator.normal(weights),
    );
    const diagonal = sparse.diagonal(new Float64Array(n).fill(RHO_X));
    const fixed = upperTriangle(P === undefined ? diagonal : sparse.add(P, diagonal));
    this.matrix = sparse.toCsc(sparse.add(this.gram, fixed));
    this.product = spread(this.gram, this.matrix);
    this.fixed = spread(fixed, this.matrix);
    const { matrix } = this;
    this.factor = factored(matrix.withValues(this.valuesAt(scale)), n, (v) => sparse.cholesky(matrix.withValues(v)));
    fillRy(this.Ry, problem, scale);
  }

  private valuesAt(scale: number): Float64Array {
    return this.fixed.map((value, p) => value + scale * this.product[p]);
  }

  refactor(scale: number): void {
    fillRy(this.Ry, this.problem, scale);
    const { matrix, problem, factor } = this;
    factored(matrix.withValues(this.valuesAt(scale)), problem.n, (values) => factor.refactor(values));
  }

  solve(r: Float64Array, p: Float64Array): void {
    const { x, y, Ry, problem } = this;
    const { n, m } = problem;
    for (let i = 0; i < m; i++) y[i] = r[n + i] / Ry[i];
    applyTransposed(problem, y, x);
    for (let j = 0; j < n; j++) x[j] = r[j] - x[j];
    this.factor.solve(x, x);
    apply(problem, x, y);
    for (let i = 0; i < m; i++) p[n + i] = (r[n + i] + y[i]) / Ry[i];
    p.set(x);
  }
}

function gramOf({ n, A, dense }: ScaledProblem, weights: Float64Array): sparse.SparseMatrix {
  if (dense === undefined) return sparse.gram(A as sparse.CscMatrix, weights);
  return sparse.fromDense({ shape: [n, n], values: dense.gram(weights) });
}

/** The values of `a` at the places of a pattern that contains its own. */
function spread(a: sparse.SparseMatrix, pattern: sparse.CscMatrix): Float64Array {
  const { indptr, indices, values, columns } = sparse.toCsc(a);
  const out = new Float64Array(pattern.entries);
  for (let j = 0; j < columns; j++) {
    let q = pattern.indptr[j];
    for (let p = indptr[j]; p < indptr[j + 1]; p++) {
      while (pattern.indices[q] !== indices[p]) q++;
      out[q] = values[p];
    }
  }
  return out;
}

function upperTriangle(a: sparse.SparseMatrix): sparse.CscMatrix {
  const { indptr, indices, values, columns, rows } = sparse.toCsc(a);
  const start = new Int32Array(columns + 1);
  const keptIndices = new Int32Array(indices.length);
  const keptValues = new Float64Array(indices.length);
  let used = 0;
  for (let j = 0; j < columns; j++) {
    for (let p = indptr[j]; p < indptr[j + 1]; p++) {
      if (indices[p] > j) continue;
      keptIndices[used] = indices[p];
      keptValues[used++] = values[p];
    }
    start[j + 1] = used;
  }
  return new sparse.CscMatrix(rows, columns, start, keptIndices.slice(0, used), keptValues.slice(0, used), false);
}

class QuasiDefiniteSystem implements LinearSystem {
  readonly Ry: Float64Array;
  private readonly matrix: sparse.CscMatrix;
  private readonly diagonal: Int32Array;
  private readonly factor: sparse.LdlFactorization;

  constructor(
    private readonly problem: ScaledProblem,
    scale: number,
  ) {
    const { n, m, P } = problem;
    this.Ry = new Float64Array(m);
    fillRy(this.Ry, problem, scale);
    const top = sparse.diagonal(new Float64Array(n).fill(RHO_X));
    const corner = P === undefined ? top : sparse.add(P, top);
    const below = sparse.diagonal(this.Ry.map((value) => -value));
    const A = problem.A as sparse.CscMatrix;
    this.matrix = upperTriangle(
      m === 0
        ? corner
        : sparse.block([
            [corner, sparse.transpose(A)],
            [A, below],
          ]),
    );
    // In an upper triangle by columns the diagonal ends each column.
    this.diagonal = Int32Array.from({ length: m }, (_, i) => this.matrix.indptr[n + i + 1] - 1);
    const { matrix } = this;
    this.factor = factored(matrix, n, (values) => sparse.ldl(matrix.withValues(values)));
  }

  refactor(scale: number): void {
    fillRy(this.Ry, this.problem, scale);
    for (let i = 0; i < this.Ry.length; i++) this.matrix.values[this.diagonal[i]] = -this.Ry[i];
    factored(this.matrix, this.problem.n, (values) => this.factor.refactor(values));
  }

  solve(r: Float64Array, p: Float64Array): void {
    const { n, m } = this.problem;
    p.set(r);
    for (let i = n; i < n + m; i++) p[i] = -p[i];
    this.factor.solve(p, p);
  }
}
