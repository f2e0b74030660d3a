import { LEAST_CUT, type RowKernelMode, type RowKernels, rowKernels } from "./kernels/row-kernels.js";
import type { Arrays } from "./transport-problem.js";

/** Exponents this far below the smallest mass cannot change a sum of float64 numbers. */
const SCREEN = 100;
/** Rounding of a sum, with a margin. */
const NEGLIGIBLE = 1e-17;
/** A row sum this many powers of e below its mass is not scaled but computed anew. */
const RESCALE = 20;
/** Relative potentials beyond this are absorbed, so that exponents keep their digits. */
const ABSORB = 16;

/** Sums of the plan at a pair of potentials. */
export interface PlanSums {
  /** `[n]` P 1. */
  readonly rows: Float64Array;
  /** `[m]` P^T 1. */
  readonly columns: Float64Array;
  /** 1^T P 1. */
  readonly total: number;
}

/** Where a kernel stands: regularisation, base potentials, and potentials less their base. */
export interface Place {
  readonly eta: number;
  readonly u0: Float64Array;
  readonly v0: Float64Array;
  readonly u: Float64Array;
  readonly v: Float64Array;
}

/**
 * P(x, y) = exp(eta (x_i + y_j - c_ij) - 1) in the potentials u = eta x and v = eta y. The potentials are kept as base
 * plus difference, and the exponents at the base as a matrix: near a solution both are small, so that P has no rounding
 * error of the size of u and v (which reach eta max C) in its exponents.
 */
export class GibbsKernel {
  readonly n: number;
  readonly m: number;
  eta: number;
  readonly r: Float64Array;
  readonly c: Float64Array;
  /** Arrays and row loops; see there. */
  readonly rows: RowKernels;
  /** Base potentials. */
  readonly u0: Float64Array;
  readonly v0: Float64Array;
  /** Potentials less their base. */
  u: Float64Array;
  v: Float64Array;
  readonly #cost: Float64Array;
  readonly #cut: number;
  readonly #least: number;

  constructor(problem: Arrays, eta: number, mode: RowKernelMode = "auto") {
    const { n, m, cost, r, c } = problem;
    this.n = n;
    this.m = m;
    this.eta = eta;
    this.r = r;
    this.c = c;
    this.#cost = cost;
    this.rows = rowKernels(n, m, mode);
    this.rows.exponents.fill(-Infinity);
    this.u0 = new Float64Array(n);
    this.v0 = new Float64Array(m);
    this.u = new Float64Array(n);
    this.v = new Float64Array(m);
    const smallest = Math.min(minimum(r), minimum(c));
    this.#cut = Math.max(Math.log(smallest) - SCREEN, LEAST_CUT);
    this.#least = (Math.exp(this.#cut) * Math.max(n, m)) / NEGLIGIBLE;
    this.absorb();
  }

  /** Keeps the potentials x and y, and changes the regularisation. */
  setEta(eta: number): void {
    this.absorb(eta / this.eta);
    this.eta = eta;
  }

  /** Makes the present potentials the base, in the gauge sum u = sum v, with eta and them multiplied by `scale`. */
  absorb(scale = 1): void {
    this.eta *= scale;
    const { n, m, u0, v0, u, v } = this;
    let gap = 0;
    for (let i = 0; i < n; i++) gap += u0[i] = scale * (u0[i] + u[i]);
    for (let j = 0; j < m; j++) gap -= v0[j] = scale * (v0[j] + v[j]);
    gap /= n + m;
    for (let i = 0; i < n; i++) u0[i] -= gap;
    for (let j = 0; j < m; j++) v0[j] += gap;
    u.fill(0);
    v.fill(0);
    this.#fill();
  }

  /** The exponents at the base. */
  #fill(): void {
    const { n, m, u0, v0, eta } = this;
    const { exponents, stride } = this.rows;
    const cost = this.#cost;
    for (let i = 0; i < n; i++) {
      const from = i * m;
      const to = i * stride;
      const shift = u0[i] - 1;
      for (let j = 0; j < m; j++) exponents[to + j] = shift + v0[j] - eta * cost[from + j];
    }
  }

  /** A copy of where the kernel stands. */
  place(): Place {
    const { eta, u0, v0, u, v } = this;
    return { eta, u0: u0.slice(), v0: v0.slice(), u: u.slice(), v: v.slice() };
  }

  /** Puts the kernel where it stood before, bit for bit. */
  moveTo({ eta, u0, v0, u, v }: Place): void {
    this.eta = eta;
    this.u0.set(u0);
    this.v0.set(v0);
    this.u = u.slice();
    this.v = v.slice();
    this.#fill();
  }

  /** Absorbs potentials that have moved far from their base; whether there were any. */
  absorbLarge(): boolean {
    const far = (x: number) => !(Math.abs(x) <= ABSORB);
    const moved = this.u.some(far) || this.v.some(far);
    if (moved) this.absorb();
    return moved;
  }

  /** log of entry (i, j) of the plan. */
  exponent(i: number, j: number): number {
    return this.rows.exponents[i * this.rows.stride + j] + this.u[i] + this.v[j];
  }

  /** The potentials x and y, in the gauge sum x = sum y. */
  potentials(): { x: Float64Array; y: Float64Array } {
    const { n, m, eta } = this;
    const gap = this.gap() / (n + m);
    const x = this.u0.map((base, i) => (base + this.u[i] - gap) / eta);
    const y = this.v0.map((base, j) => (base + this.v[j] + gap) / eta);
    return { x, y };
  }

  /** sum u - sum v, 0 at the base. */
  gap(): number {
    return this.u.reduce((a, b) => a + b, 0) - this.v.reduce((a, b) => a + b, 0);
  }

  /** eta f at the present potentials, when 1^T P 1 is `total`. */
  lyapunov(total: number): number {
    return dot(this.r, this.u0) + dot(this.c, this.v0) + this.relativeLyapunov(this.u, this.v, total);
  }

  /** eta f less its linear part at the base: differences of it keep their digits. */
  relativeLyapunov(u: Float64Array, v: Float64Array, total: number): number {
    return dot(this.r, u) + dot(this.c, v) - total;
  }

  /**
   * Computes the plan at potentials relative to the base. Entries that cannot change any sum are left 0, unless
   * `complete`.
   */
  evaluate(u = this.u, v = this.v, complete = false): PlanSums {
    if (!complete) {
      const sums = this.#evaluate(u, v, this.#cut);
      if (minimum(sums.rows) >= this.#least && minimum(sums.columns) >= this.#least) return sums;
    }
    return this.#evaluate(u, v, LEAST_CUT);
  }

  #evaluate(u: Float64Array, v: Float64Array, cut: number): PlanSums {
    const { n, m, rows } = this;
    const sums = new Float64Array(n);
    rows.v.set(v);
    rows.columns.fill(0);
    let total = 0;
    for (let i = 0; i < n; i++) {
      total += sums[i] = rows.exponentials(i, u[i], i, cut);
      rows.addRow(i, 1);
    }
    return { rows: sums, columns: rows.columns.slice(0, m), total };
  }

  /**
   * One Sinkhorn iteration, x then y, in one pass over the matrix: row i is scaled as soon as its sum is known, and its
   * share of the column sums is added at once. Where a sum has underflowed, log-sum-exp takes its place. The potentials
   * are returned, not changed, with the row sums before the iteration.
   *
   * @param omega over-relaxation: potentials move by `omega` times the Sinkhorn update
   */
  sinkhornPass(omega = 1): { u: Float64Array; v: Float64Array; rows: Float64Array; columnError: number } {
    const { n, m, rows: kernels } = this;
    const [u, v, sums] = [new Float64Array(n), new Float64Array(m), new Float64Array(n)];
    const { columns } = kernels;
    kernels.v.set(this.v);
    columns.fill(0);
    for (let i = 0; i < n; i++) {
      sums[i] = kernels.exponentials(i, this.u[i], n, this.#cut);
      const ratio = this.r[i] / sums[i];
      if (ratio < Math.exp(RESCALE) && ratio > 0) {
        u[i] = this.u[i] + omega * Math.log(ratio);
        kernels.addRow(n, omega === 1 ? ratio : ratio ** omega);
      } else {
        const logSum = this.#logRowSum(i);
        sums[i] = Math.exp(this.u[i] + logSum);
        u[i] = (1 - omega) * this.u[i] + omega * (Math.log(this.r[i]) - logSum);
        kernels.exponentials(i, u[i], n, this.#cut);
        kernels.addRow(n, 1);
      }
    }
    let columnError = 0;
    for (let j = 0; j < m; j++) {
      const reliable = columns[j] >= this.#least * Math.exp(RESCALE) && columns[j] < Infinity;
      const step = Math.log(this.c[j]) - (reliable ? Math.log(columns[j]) : this.#logColumnSum(j, u) + this.v[j]);
      v[j] = this.v[j] + omega * step;
      if (omega !== 1) columnError += Math.abs(this.c[j] * Math.expm1((omega - 1) * step));
    }
    return { u, v, rows: sums, columnError };
  }

  /** log sum_j exp(exponents[i, j] + v_j) */
  #logRowSum(i: number): number {
    const { exponents, stride } = this.rows;
    const from = i * stride;
    let top = -Infinity;
    for (let j = 0; j < this.m; j++) top = Math.max(top, exponents[from + j] + this.v[j]);
    let sum = 0;
    for (let j = 0; j < this.m; j++) sum += Math.exp(exponents[from + j] + this.v[j] - top);
    return top + Math.log(sum);
  }

  /** log sum_i exp(exponents[i, j] + u_i) */
  #logColumnSum(j: number, u: Float64Array): number {
    const { exponents, stride } = this.rows;
    let top = -Infinity;
    for (let i = 0, at = j; i < this.n; i++, at += stride) top = Math.max(top, exponents[at] + u[i]);
    let sum = 0;
    for (let i = 0, at = j; i < this.n; i++, at += stride) sum += Math.exp(exponents[at] + u[i] - top);
    return top + Math.log(sum);
  }
}

/** sum_i x_i y_i */
export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

/** sum_i |x_i - y_i| */
export function distance(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.abs(x[i] - y[i]);
  return sum;
}

function minimum(x: Float64Array): number {
  let least = Infinity;
  for (let i = 0; i < x.length; i++) if (!(x[i] >= least)) least = x[i];
  return least;
}
