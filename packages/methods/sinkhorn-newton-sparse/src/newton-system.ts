import { conjugateGradientsSync, type LinearOperator, type LinearSolverResultSync } from "@offprint/solvers";
import { sparse, ValueError } from "@offprint/tensor-core";
import { solveLaplacian } from "./laplacian-factorization.js";
import type { SparsePlan } from "./sparsify.js";

/** How the Newton system is solved; `auto` is conjugate gradients, and `dense` where they take too long. */
export type LinearSolver = "auto" | "cg" | "dense";

/** The lists of S over the places of one side. */
interface Side {
  /** Full sums of the plan, times 1 + shift: the diagonal. */
  readonly diagonal: Float64Array;
  /** The diagonal less the kept entries, summed without subtraction. */
  readonly excess: Float64Array;
  readonly indptr: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float64Array;
}

/** What a solve gives. */
export interface NewtonSolution {
  /** `[n + m]` eta (dx; dy). */
  readonly step: Float64Array;
  /** What solved it. */
  readonly solver: "cg" | "dense";
  /** Conjugate-gradient steps. */
  readonly cgSteps: number;
  /** `breakdown`: the matrix is not positive definite to working precision. */
  readonly status: LinearSolverResultSync["status"];
}

/** How accurately, and how long. */
export interface NewtonSolverOptions {
  readonly solver: LinearSolver;
  /** Relative residual of conjugate gradients. */
  readonly rtol: number;
  /** Most steps of conjugate gradients. */
  readonly maxSteps: number;
}

/** `auto` gives conjugate gradients at least so many steps, ... */
const LEAST_STEPS = 100;
/** ... and leaves the dense elimination out where it would need more memory than this many entries. */
const MOST_DENSE = 5000 ** 2;
/** What a conjugate-gradient step costs for each kept entry, in multiplications of the dense elimination. */
const STEP_COST = 4;

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

  /**
   * @param plan kept entries S, `[n, m]`, and what the others sum to
   * @param rows P 1
   * @param columns P^T 1
   * @param shift Levenberg shift: the diagonal is multiplied by 1 + shift
   * @param augment weight of v v^T, v = (1; -1), which is added; 0 for none
   */
  constructor(plan: SparsePlan, rows: Float64Array, columns: Float64Array, shift = 0, augment = 0) {
    const { kept, rowLoss, columnLoss } = plan;
    this.n = kept.rows;
    this.m = kept.columns;
    this.#rows = sideOf(kept, rows, rowLoss, shift);
    this.#columns = sideOf(sparse.toCsc(kept), columns, columnLoss, shift);
    this.#augment = augment;
  }

  /** out = (M / eta) z, for z and out `[n + m]`. */
  apply(z: Float64Array, out: Float64Array): void {
    const { n } = this;
    const [x, y] = [z.subarray(0, n), z.subarray(n)];
    half(this.#rows, x, y, out.subarray(0, n));
    half(this.#columns, y, x, out.subarray(n));
    if (this.#augment === 0) return;
    const along = this.#augment * gapOf(z, n);
    for (let i = 0; i < z.length; i++) out[i] += i < n ? along : -along;
  }

  /** Solves (M / eta) step = g. */
  solve(g: Float64Array, options: NewtonSolverOptions): NewtonSolution {
    if (this.#augment > 0) return this.#solveAugmented(g, options);
    const { solver, rtol, maxSteps } = options;
    const tolerance = rtol * Math.sqrt(g.reduce((sum, value) => sum + value * value, 0));
    if (solver === "dense") return this.#solveDense(g, 0);
    if (solver === "cg") return this.#solveReduced(g, tolerance, maxSteps);
    const size = Math.min(this.n, this.m);
    const worth = Math.ceil(size ** 3 / 3 / (STEP_COST * this.#rows.values.length));
    const affordable = size ** 2 <= MOST_DENSE;
    const limit = affordable ? Math.min(maxSteps, Math.max(LEAST_STEPS, worth)) : maxSteps;
    const solution = this.#solveReduced(g, tolerance, limit);
    return solution.status === "converged" || !affordable ? solution : this.#solveDense(g, solution.cgSteps);
  }

  /** The side with more places, which is eliminated first as its block is diagonal, and the other. */
  #sides(g: Float64Array): {
    leaving: Side;
    staying: Side;
    gLeaving: Float64Array;
    gStaying: Float64Array;
    rowsLeave: boolean;
  } {
    const [gx, gy] = [g.subarray(0, this.n), g.subarray(this.n)];
    return this.n >= this.m
      ? { leaving: this.#rows, staying: this.#columns, gLeaving: gx, gStaying: gy, rowsLeave: true }
      : { leaving: this.#columns, staying: this.#rows, gLeaving: gy, gStaying: gx, rowsLeave: false };
  }

  #join(gone: Float64Array, kept: Float64Array, rowsLeave: boolean): Float64Array {
    const step = new Float64Array(this.n + this.m);
    step.set(rowsLeave ? gone : kept, 0);
    step.set(rowsLeave ? kept : gone, this.n);
    return step;
  }

  /**
   * Conjugate gradients on D' - S^T D^-1 S, what is left after eliminating one side: they need half as many steps there
   * as on the whole system, whose Jacobi preconditioner couples the two sides only.
   */
  #solveReduced(g: Float64Array, tolerance: number, maxSteps: number): NewtonSolution {
    const { leaving, staying, gLeaving, gStaying, rowsLeave } = this.#sides(g);
    const scaled = new Float64Array(gLeaving.length);
    const one = new Float64Array(gStaying.length).fill(1);
    const b = new Float64Array(gStaying.length);
    half(
      { ...staying, diagonal: one },
      gStaying,
      gLeaving.map((value, e) => -value / leaving.diagonal[e]),
      b,
    );
    const apply = (x: Float64Array, out: Float64Array) => {
      eliminate(leaving, undefined, x, scaled);
      half(staying, x, scaled, out);
    };
    const solution = conjugateGradientSolution(apply, b, staying.diagonal, tolerance, maxSteps);
    eliminate(leaving, gLeaving, solution.step, scaled);
    return { ...solution, step: this.#join(scaled, solution.step, rowsLeave) };
  }

  /** With the signs of one side turned, M is a graph Laplacian plus the excess: an accurate elimination applies. */
  #solveDense(g: Float64Array, cgSteps: number): NewtonSolution {
    const { leaving, staying, gLeaving, gStaying, rowsLeave } = this.#sides(g);
    const size = gStaying.length;
    const A = new Float64Array(size * size);
    const excess = staying.excess.slice();
    const w = gStaying.map((value) => -value);
    const { indptr, indices, values } = leaving;
    const pivots = leaving.excess.slice();
    for (let e = 0; e < pivots.length; e++) {
      for (let p = indptr[e]; p < indptr[e + 1]; p++) pivots[e] += values[p];
      if (pivots[e] === 0) continue;
      for (let p = indptr[e]; p < indptr[e + 1]; p++) {
        const factor = values[p] / pivots[e];
        const row = indices[p] * size;
        excess[indices[p]] += factor * leaving.excess[e];
        w[indices[p]] += factor * gLeaving[e];
        for (let q = p + 1; q < indptr[e + 1]; q++) A[row + indices[q]] += factor * values[q];
      }
    }
    solveLaplacian(A, excess, w, staying.diagonal);
    const kept = w.map((value) => -value);
    const gone = new Float64Array(gLeaving.length);
    eliminate({ ...leaving, diagonal: pivots }, gLeaving, kept, gone);
    const finite = kept.every(Number.isFinite) && gone.every(Number.isFinite);
    return {
      step: this.#join(gone, kept, rowsLeave),
      solver: "dense",
      cgSteps,
      status: finite ? "converged" : "breakdown",
    };
  }

  /** With v v^T added, by conjugate gradients on the whole system. */
  #solveAugmented(g: Float64Array, { rtol, maxSteps }: NewtonSolverOptions): NewtonSolution {
    const { n, m } = this;
    const diagonal = new Float64Array(n + m);
    diagonal.set(this.#rows.diagonal);
    diagonal.set(this.#columns.diagonal, n);
    for (let i = 0; i < n + m; i++) diagonal[i] += this.#augment;
    const tolerance = rtol * Math.sqrt(g.reduce((sum, value) => sum + value * value, 0));
    return conjugateGradientSolution((z, out) => this.apply(z, out), g, diagonal, tolerance, maxSteps);
  }
}

/** v.z = sum x - sum y of z = (x; y). */
export function gapOf(z: Float64Array, n: number): number {
  let gap = 0;
  for (let i = 0; i < z.length; i++) gap += i < n ? z[i] : -z[i];
  return gap;
}

/** Takes the component along v = (1; -1) out of a step. */
export function project(step: Float64Array, n: number): void {
  const along = gapOf(step, n) / step.length;
  for (let i = 0; i < step.length; i++) step[i] -= i < n ? along : -along;
}

function sideOf(
  { indptr, indices, values }: { indptr: Int32Array; indices: Int32Array; values: Float64Array },
  sums: Float64Array,
  loss: Float64Array,
  shift: number,
): Side {
  const diagonal = shift === 0 ? sums : sums.map((sum) => sum * (1 + shift));
  const excess = shift === 0 ? loss : loss.map((lost, i) => lost + shift * sums[i]);
  return { diagonal, excess, indptr, indices, values };
}

/** out_i = diagonal_i x_i + sum_j S_ij y_j */
function half({ diagonal, indptr, indices, values }: Side, x: Float64Array, y: Float64Array, out: Float64Array): void {
  for (let i = 0; i < diagonal.length; i++) {
    let sum = diagonal[i] * x[i];
    for (let p = indptr[i]; p < indptr[i + 1]; p++) sum += values[p] * y[indices[p]];
    out[i] = sum;
  }
}

/** out_e = (g_e - sum_j S_ej x_j) / diagonal_e; without g, g = 0. 0 where the diagonal is. */
function eliminate(
  { diagonal, indptr, indices, values }: Side,
  g: Float64Array | undefined,
  x: Float64Array,
  out: Float64Array,
): void {
  for (let e = 0; e < diagonal.length; e++) {
    let sum = g === undefined ? 0 : g[e];
    for (let p = indptr[e]; p < indptr[e + 1]; p++) sum -= values[p] * x[indices[p]];
    out[e] = diagonal[e] === 0 ? 0 : sum / diagonal[e];
  }
}

/** Jacobi-preconditioned conjugate gradients to an absolute residual. */
function conjugateGradientSolution(
  apply: LinearOperator,
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
    const { x, status, iterations } = conjugateGradientsSync(apply, b, {
      preconditioner,
      tolerance: 0,
      absoluteTolerance: tolerance,
      maxIterations: maxSteps,
    });
    return { step: x, solver: "cg", cgSteps: iterations, status };
  } catch (error) {
    // A residual that is not finite.
    if (!(error instanceof ValueError)) throw error;
    return { step: new Float64Array(size), solver: "cg", cgSteps: 0, status: "breakdown" };
  }
}
