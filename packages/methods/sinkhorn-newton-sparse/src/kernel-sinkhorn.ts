import type { GibbsKernel } from "./gibbs-kernel.js";
import type { Assessment } from "./marginal-error.js";

/** Scalings beyond e^ABSORB, or below e^-ABSORB, go into the matrix. */
const ABSORB = 30;
/** A sum below this has lost digits to underflow. */
const LEAST_SUM = 1e-200;

/** Scalings of the kernel matrix: P = diag(a) K diag(b). */
export interface Scalings {
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/**
 * Sinkhorn's iteration on the matrix K = P(base) itself: a = r / (K b), b = c / (K^T a), in one pass over K. Where sums
 * underflow an iteration is done in the log domain.
 */
export class KernelSinkhorn {
  /** Scalings at the kernel's place. */
  #now: Scalings;
  /** Scalings after the next iteration; null where that must be done in the log domain. */
  #next: Scalings | null = null;

  /** Begins from the kernel's potentials, or from scalings of its base that a run before has left. */
  constructor(
    private readonly kernel: GibbsKernel,
    private readonly absorbing: boolean,
    scalings?: Scalings,
  ) {
    this.#now = this.begin(scalings);
    this.pass();
  }

  /** The present scalings: copies. */
  get scalings(): Scalings {
    return { a: this.#now.a.slice(), b: this.#now.b.slice() };
  }

  /** One iteration. */
  step(): Assessment {
    const { kernel } = this;
    if (this.#next === null) {
      const { u, v } = kernel.sinkhornPass();
      kernel.u = u;
      kernel.v = v;
      this.#now = this.begin();
    } else {
      this.#now = this.#next;
      kernel.u = this.#now.a.map(Math.log);
      kernel.v = this.#now.b.map(Math.log);
      const largest = Math.max(greatest(kernel.u), greatest(kernel.v));
      if (this.absorbing && largest > ABSORB) this.#now = this.begin();
    }
    const { error, total } = this.pass();
    return { error, f: kernel.lyapunov(total) / kernel.eta };
  }

  /** The matrix at the base, and scalings that lead from there to the kernel's potentials. */
  private begin(given?: Scalings): Scalings {
    const { kernel } = this;
    const { n, m } = kernel;
    if (this.absorbing && given === undefined) kernel.absorb();
    kernel.evaluate(new Float64Array(n), new Float64Array(m), true);
    return given ?? { a: kernel.u.map(Math.exp), b: kernel.v.map(Math.exp) };
  }

  /** Row sums of the plan, and with them the next scalings. */
  private pass(): { error: number; total: number } {
    const { n, m, r, c, rows } = this.kernel;
    const { a, b } = this.#now;
    rows.v.fill(0);
    rows.v.set(b);
    rows.columns.fill(0);
    const next = { a: new Float64Array(n), b: new Float64Array(m) };
    let error = 0;
    let total = 0;
    let lost = false;
    for (let i = 0; i < n; i++) {
      const sum = rows.dotRow(i);
      if (!(sum > LEAST_SUM)) lost = true;
      total += a[i] * sum;
      error += Math.abs(r[i] - a[i] * sum);
      next.a[i] = r[i] / sum;
      rows.addRow(i, next.a[i]);
    }
    for (let j = 0; j < m; j++) {
      if (!(rows.columns[j] > LEAST_SUM)) lost = true;
      next.b[j] = c[j] / rows.columns[j];
    }
    this.#next = lost ? null : next;
    return { error, total };
  }
}

function greatest(x: Float64Array): number {
  let most = 0;
  for (const value of x) most = Math.max(most, Math.abs(value));
  return most;
}
