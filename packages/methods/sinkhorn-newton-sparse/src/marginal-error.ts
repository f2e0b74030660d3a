import { distance, type GibbsKernel, type PlanSums } from "./gibbs-kernel.js";

/** How good the potentials are. */
export interface Assessment {
  /** ||r - P 1||_1 + ||c - P^T 1||_1 */
  readonly error: number;
  /** The potential f. */
  readonly f: number;
}

/** The marginal error, and f, at the kernel's present potentials. */
export function assess(kernel: GibbsKernel, { rows, columns, total }: PlanSums): Assessment {
  const error = distance(kernel.r, rows) + distance(kernel.c, columns);
  return { error, f: kernel.lyapunov(total) / kernel.eta };
}
