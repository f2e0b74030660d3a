import { distance, type GibbsKernel, type PlanSums } from "./gibbs-kernel.js";
import type { History } from "./record.js";

/** When stage 1 ends. */
export interface SinkhornStageOptions {
  /** Most iterations; `auto` ends as soon as Newton steps are likely to be worth more. */
  readonly iterations: number | "auto";
  /** Ends when the marginal error is at most this. */
  readonly tol: number;
  /** Over-relaxation; 1 is Sinkhorn. */
  readonly omega?: number;
}

/** `auto` ends stage 1 below this marginal error, ... */
const NEAR = 0.05;
/** ... when the error falls by less than this factor per iteration, ... */
const SLOW = 0.9;
/** ... or after so many iterations. */
const AUTO_LIMIT = 1000;

/** The marginal error, and f, at the kernel's present potentials. */
export function assess(kernel: GibbsKernel, { rows, columns, total }: PlanSums): { error: number; f: number } {
  const error = distance(kernel.r, rows) + distance(kernel.c, columns);
  return { error, f: kernel.lyapunov(total) / kernel.eta };
}

/**
 * Stage 1: x <- x + (log r - log(P 1)) / eta, then y likewise, until the error is small enough. The error and f after an
 * iteration are known in the pass of the next one, so that an iteration costs one pass over the matrix.
 */
export function sinkhornStage(kernel: GibbsKernel, history: History, options: SinkhornStageOptions): void {
  const { iterations, tol, omega } = options;
  const limit = iterations === "auto" ? AUTO_LIMIT : iterations;
  let columnError = 0;
  let previous = Infinity;
  for (let t = 0; t < limit && !history.stopped; t++) {
    const next = kernel.sinkhornPass(omega);
    if (t > 0) {
      const error = distance(kernel.r, next.rows) + columnError;
      history.addSinkhorn(
        "sinkhorn",
        kernel.eta,
        error,
        kernel.lyapunov(next.rows.reduce((a, b) => a + b, 0)) / kernel.eta,
      );
      if (error <= tol || history.stopped) return;
      if (iterations === "auto" && (error < NEAR || error > SLOW * previous)) return;
      previous = error;
    }
    columnError = next.columnError;
    kernel.u = next.u;
    kernel.v = next.v;
    kernel.absorbLarge();
  }
  if (limit === 0 || history.stopped) return;
  const { error, f } = assess(kernel, kernel.evaluate());
  history.addSinkhorn("sinkhorn", kernel.eta, error, f);
}
