import { distance, type GibbsKernel } from "./gibbs-kernel.js";
import type { Assessment } from "./marginal-error.js";

/** Where the next iteration leads: the pass that assesses an iteration finds it too. */
export interface NextPotentials {
  readonly u: Float64Array;
  readonly v: Float64Array;
  /** ||c - P^T 1||_1 there; 0 without over-relaxation. */
  readonly columnError: number;
}

/**
 * Stage 1, one iteration: x <- x + (log r - log(P 1)) / eta, then y likewise. Its error is known in the pass that the next
 * one begins with, so that an iteration costs one pass over the matrix.
 *
 * @param next where it leads, from the iteration before; undefined for the first
 * @param omega over-relaxation; 1 is Sinkhorn
 */
export function sinkhornIteration(
  kernel: GibbsKernel,
  next: NextPotentials | undefined,
  omega = 1,
): Assessment & { readonly next: NextPotentials } {
  const { u, v, columnError } = next ?? kernel.sinkhornPass(omega);
  kernel.u = u.slice();
  kernel.v = v.slice();
  kernel.absorbLarge();
  const following = kernel.sinkhornPass(omega);
  const error = distance(kernel.r, following.rows) + columnError;
  const total = following.rows.reduce((a, b) => a + b, 0);
  const { rows: _, ...rest } = following;
  return { error, f: kernel.lyapunov(total) / kernel.eta, next: rest };
}
