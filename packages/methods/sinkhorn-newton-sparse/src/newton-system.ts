import { linalg, matmul, solvers, sparse, tensor } from "@offprint/tensor-core";

/** How the Newton system is solved. */
export type LinearSolver = "cg" | "dense";

/** The lists of S over the places of one side. */
interface Side {
  /** Full sums of the plan, times 1 + shift: the diagonal. */
  readonly diagonal: Float64Array;
  readonly indptr: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float64Array;
}

/** What a solve gives. */
export interface NewtonSolution {
  /** `[n + m]` eta (dx; dy). */
  readonly step: Float64Array;
  /** Conjugate-gradient steps. */
  readonly cgSteps: number;
  /** `breakdown`: the matrix is not positive definite to working precision. */
  readonly status: solvers.LinearSolverStatus;
}

/** How accurately, and how long. */
export interface NewtonSolverOptions {
  readonly solver: LinearSolver;
  /** Relative residual of conjugate gradients. */
  readonly rtol: number;
  /** Most steps of conjugate gradients. */
  readonly maxSteps: number;
}

/**
 * M / eta = [diag(P 1)  S; S^T  diag(P^T 1)]: the negative Hessian of f in the potentials eta (x; y), with the plan
 * replaced by its largest entries S and the diagonal left as it is.
 */
export class NewtonSystem {
  readonly n: number;
  readonly m: number;
  readonly #rows: Side;
  readonly #columns: Side;
  readonly #augment: number;
  readonly #singular: boolean;

  /**
   * @param S kept entries, `[n, m]`
   * @param rows P 1
   * @param columns P^T 1
   * @param shift Levenberg shift: the diagonal is multiplied by 1 + shift
   * @param augment weight of v v^T, v = (1; -1), which is added; 0 for none
   */
  constructor(S: sparse.CsrMatrix, rows: Float64Array, columns: Float64Array, shift = 0, augment = 0) {
    this.n = S.rows;
    this.m = S.columns;
    const { indptr, indices, values } = sparse.toCsc(S);
    const shifted = (sums: Float64Array) => (shift === 0 ? sums : sums.map((sum) => sum * (1 + shift)));
    this.#rows = { diagonal: shifted(rows), indptr: S.indptr, indices: S.indices, values: S.values };
    this.#columns = { diagonal: shifted(columns), indptr, indices, values };
    this.#augment = augment;
    this.#singular = shift === 0 && augment === 0 && S.entries === this.n * this.m;
  }

  /** out = (M / eta) z, for z and out `[n + m]`. */
  apply(z: Float64Array, out: Float64Array): void {
    const { n } = this;
    const [x, y] = [z.subarray(0, n), z.subarray(n)];
    half(this.#rows, x, y, out.subarray(0, n));
    half(this.#columns, y, x, out.subarray(n));
    if (this.#augment === 0) return;
    let along = 0;
    for (let i = 0; i < z.length; i++) along += i < n ? z[i] : -z[i];
    for (let i = 0; i < z.length; i++) out[i] += (i < n ? along : -along) * this.#augment;
  }

  /** Solves (M / eta) step = g. */
  solve(g: Float64Array, options: NewtonSolverOptions): NewtonSolution {
    if (this.#augment > 0) return this.#solveWhole(g, options);
    const { n, m } = this;
    const rowsLeave = n >= m;
    const [leaving, staying] = rowsLeave ? [this.#rows, this.#columns] : [this.#columns, this.#rows];
    const [gx, gy] = [g.subarray(0, n), g.subarray(n)];
    const [gLeaving, gStaying] = rowsLeave ? [gx, gy] : [gy, gx];
    const reduced = new ReducedSystem(leaving, staying);
    const b = reduced.rightHandSide(gLeaving, gStaying);
    const solution =
      options.solver === "dense"
        ? solveDense(reduced.dense(this.#singular), b)
        : conjugateGradients((x, out) => reduced.apply(x, out), b, staying.diagonal, norm(g) * options.rtol, options.maxSteps);
    const kept = solution.step;
    const gone = reduced.eliminated(gLeaving, kept);
    const step = new Float64Array(n + m);
    step.set(rowsLeave ? gone : kept, 0);
    step.set(rowsLeave ? kept : gone, n);
    return { ...solution, step };
  }

  #solveWhole(g: Float64Array, { solver, rtol, maxSteps }: NewtonSolverOptions): NewtonSolution {
    const size = this.n + this.m;
    const diagonal = new Float64Array(size);
    diagonal.set(this.#rows.diagonal);
    diagonal.set(this.#columns.diagonal, this.n);
    for (let i = 0; i < size; i++) diagonal[i] += this.#augment;
    if (solver === "cg") return conjugateGradients((z, out) => this.apply(z, out), g, diagonal, norm(g) * rtol, maxSteps);
    const dense = new Float64Array(size * size);
    const unit = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      unit[i] = 1;
      this.apply(unit, dense.subarray(i * size, (i + 1) * size));
      unit[i] = 0;
    }
    return solveDense(dense, g);
  }
}

/** out_i = diagonal_i x_i + sum_j S_ij y_j */
function half({ diagonal, indptr, indices, values }: Side, x: Float64Array, y: Float64Array, out: Float64Array): void {
  for (let i = 0; i < diagonal.length; i++) {
    let sum = diagonal[i] * x[i];
    for (let p = indptr[i]; p < indptr[i + 1]; p++) sum += values[p] * y[indices[p]];
    out[i] = sum;
  }
}

/**
 * The system after eliminating one side, whose block is diagonal: D' - S^T D^-1 S. Conjugate gradients need half as many
 * steps on it as on the whole system, and its dense form has a quarter of the entries.
 */
class ReducedSystem {
  readonly #leaving: Side;
  readonly #staying: Side;
  readonly #scaled: Float64Array;

  constructor(leaving: Side, staying: Side) {
    this.#leaving = leaving;
    this.#staying = staying;
    this.#scaled = new Float64Array(leaving.diagonal.length);
  }

  apply(x: Float64Array, out: Float64Array): void {
    const { diagonal, indptr, indices, values } = this.#leaving;
    const scaled = this.#scaled;
    for (let e = 0; e < diagonal.length; e++) {
      let sum = 0;
      for (let p = indptr[e]; p < indptr[e + 1]; p++) sum += values[p] * x[indices[p]];
      scaled[e] = -sum / diagonal[e];
    }
    half(this.#staying, x, scaled, out);
  }

  rightHandSide(gLeaving: Float64Array, gStaying: Float64Array): Float64Array {
    const { diagonal } = this.#leaving;
    const b = new Float64Array(gStaying.length);
    half({ ...this.#staying, diagonal: ones(b.length) }, gStaying, gLeaving.map((g, e) => -g / diagonal[e]), b);
    return b;
  }

  /** What was eliminated, from what was not. */
  eliminated(gLeaving: Float64Array, kept: Float64Array): Float64Array {
    const { diagonal } = this.#leaving;
    const out = new Float64Array(gLeaving.length);
    half({ ...this.#leaving, diagonal: ones(out.length) }, gLeaving, kept.map((x) => -x), out);
    return out.map((value, e) => value / diagonal[e]);
  }

  /** As a dense matrix; a singular one, whose null space is 1, gets a multiple of 1 1^T. */
  dense(singular: boolean): Float64Array {
    const size = this.#staying.diagonal.length;
    const { diagonal, indptr, indices, values } = this.#leaving;
    let product: Float64Array;
    if (values.length === size * diagonal.length) {
      const S = tensor(values, { shape: [diagonal.length, size] });
      const scaled = tensor(values.map((value, p) => value / diagonal[Math.floor(p / size)]), { shape: S.shape });
      product = Float64Array.from(matmul(S.transpose(), scaled).data());
    } else {
      product = new Float64Array(size * size);
      for (let e = 0; e < diagonal.length; e++) {
        for (let p = indptr[e]; p < indptr[e + 1]; p++) {
          const scale = values[p] / diagonal[e];
          const row = indices[p] * size;
          for (let s = indptr[e]; s < indptr[e + 1]; s++) product[row + indices[s]] += scale * values[s];
        }
      }
    }
    const lift = singular ? this.#staying.diagonal.reduce((a, b) => a + b, 0) / size ** 2 : 0;
    for (let at = 0; at < product.length; at++) product[at] = lift - product[at];
    for (let i = 0; i < size; i++) product[i * size + i] += this.#staying.diagonal[i];
    return product;
  }
}

function ones(size: number): Float64Array {
  return new Float64Array(size).fill(1);
}

function norm(x: Float64Array): number {
  return Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
}

/** Jacobi-preconditioned conjugate gradients to an absolute residual. */
function conjugateGradients(
  apply: solvers.LinearOperator,
  b: Float64Array,
  diagonal: Float64Array,
  tolerance: number,
  maxSteps: number,
): NewtonSolution {
  const size = b.length;
  const preconditioner = (x: Float64Array, out: Float64Array) => {
    for (let i = 0; i < size; i++) out[i] = x[i] / diagonal[i];
  };
  try {
    const { x, status, iterations } = solvers.conjugateGradients(apply, b, {
      preconditioner,
      relativeTolerance: 0,
      absoluteTolerance: tolerance,
      maxIterations: maxSteps,
    });
    return { step: x, cgSteps: iterations, status };
  } catch {
    // A residual that is not finite.
    return { step: new Float64Array(size), cgSteps: 0, status: "breakdown" };
  }
}

function solveDense(matrix: Float64Array, b: Float64Array): NewtonSolution {
  const size = b.length;
  try {
    const factor = linalg.cholesky(tensor(matrix, { shape: [size, size] }));
    return { step: Float64Array.from(linalg.choleskySolve(factor, tensor(b)).data()), cgSteps: 0, status: "converged" };
  } catch {
    // Not positive definite to working precision.
    return { step: new Float64Array(size), cgSteps: 0, status: "breakdown" };
  }
}
