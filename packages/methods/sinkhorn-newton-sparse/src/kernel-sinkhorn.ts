import type { GibbsKernel } from "./gibbs-kernel.js";
import type { History } from "./record.js";

/** Scalings beyond e^ABSORB, or below e^-ABSORB, go into the matrix. */
const ABSORB = 30;
/** A sum below this has lost digits to underflow. */
const LEAST_SUM = 1e-200;

/** When the iteration ends, and whether scalings are absorbed. */
export interface KernelSinkhornOptions {
  readonly iterations: number;
  readonly tol: number;
  readonly absorbing: boolean;
}

/**
 * Sinkhorn's iteration on the matrix K = P(base) itself: a = r / (K b), b = c / (K^T a), in one pass over K. Where sums
 * underflow an iteration is done in the log domain.
 */
export function kernelSinkhorn(kernel: GibbsKernel, history: History, options: KernelSinkhornOptions): void {
  const { iterations, tol, absorbing } = options;
  const { n, m, r, c, rows } = kernel;
  const a = new Float64Array(n);
  const sums = new Float64Array(n);
  const b = rows.v;
  const begin = () => {
    if (absorbing) kernel.absorb();
    kernel.evaluate(new Float64Array(n), new Float64Array(m), true);
    for (let i = 0; i < n; i++) a[i] = Math.exp(kernel.u[i]);
    for (let j = 0; j < m; j++) b[j] = Math.exp(kernel.v[j]);
    b.fill(0, m);
  };
  begin();
  for (let t = 0; t <= iterations; t++) {
    rows.columns.fill(0);
    let error = 0;
    let total = 0;
    let lost = false;
    for (let i = 0; i < n; i++) {
      sums[i] = rows.dotRow(i);
      if (!(sums[i] > LEAST_SUM)) lost = true;
      total += a[i] * sums[i];
      error += Math.abs(r[i] - a[i] * sums[i]);
      if (t < iterations) rows.addRow(i, r[i] / sums[i]);
    }
    if (t > 0) {
      history.addSinkhorn("sinkhorn", kernel.eta, error, kernel.lyapunov(total) / kernel.eta);
      if (error <= tol || history.stopped || t === iterations) return;
    }
    if (t === iterations) return;
    for (let j = 0; j < m; j++) if (!(rows.columns[j] > LEAST_SUM)) lost = true;
    if (lost) {
      const next = kernel.sinkhornPass();
      kernel.u = next.u;
      kernel.v = next.v;
      begin();
      continue;
    }
    let largest = 0;
    for (let i = 0; i < n; i++) {
      a[i] = r[i] / sums[i];
      kernel.u[i] = Math.log(a[i]);
      largest = Math.max(largest, Math.abs(kernel.u[i]));
    }
    for (let j = 0; j < m; j++) {
      b[j] = c[j] / rows.columns[j];
      kernel.v[j] = Math.log(b[j]);
      largest = Math.max(largest, Math.abs(kernel.v[j]));
    }
    if (absorbing && largest > ABSORB) begin();
  }
}
