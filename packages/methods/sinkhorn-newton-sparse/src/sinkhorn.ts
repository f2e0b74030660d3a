import { type TensorLike, ValueError } from "@offprint/tensor-core";
import { GibbsKernel } from "./gibbs-kernel.js";
import { kernelSinkhorn } from "./kernel-sinkhorn.js";
import { History, type Watching } from "./record.js";
import { type TransportResult, transportResult } from "./result.js";
import { sinkhornStage } from "./sinkhorn-stage.js";
import { startFrom } from "./start.js";
import {
  checkEta,
  checkIterations,
  checkTolerance,
  readProblem,
  spread,
  type TransportProblem,
} from "./transport-problem.js";

/** Options of `sinkhorn`. */
export interface SinkhornOptions extends Watching {
  /** Inverse regularisation, in units of 1 / cost. */
  readonly eta: number;
  /** Most iterations, each an x- and a y-update. Default 1000. */
  readonly maxIter?: number;
  /** Converged when the marginal error is at most this. Default 1e-11. */
  readonly tol?: number;
  /**
   * `"log"` is stable for every eta. `"kernel"` scales exp(-eta C) itself, a matrix-vector product per update, and needs
   * eta (max C - min C) < 500. `"stabilised"` does the same, but absorbs the scalings into the matrix before they get
   * large: fast for every eta. Default `"log"`.
   */
  readonly domain?: "log" | "kernel" | "stabilised";
  /** Over-relaxation in (0, 2), for `"log"`: potentials move by so many times the update. Default 1. */
  readonly omega?: number;
  /** `[n]` potentials of the rows to begin from. Default 0. */
  readonly x0?: TensorLike;
  /** `[m]` potentials of the columns to begin from. Default 0. */
  readonly y0?: TensorLike;
  /** Leaves out rows and columns without mass. Default `false`. */
  readonly dropZeros?: boolean;
}

/** The plain kernel's exponents must not underflow. */
const KERNEL_RANGE = 500;

/**
 * Sinkhorn's iteration alone, the baseline: cheap per step, and the right choice for eta max C below about 100.
 *
 * @throws ShapeError, DTypeError, ValueError for what is wrong with the problem or an option; AbortedError.
 * @example
 * const { plan, iterations } = sinkhorn({ cost: [[0, 1], [1, 0]] }, { eta: 10 });
 */
export function sinkhorn(problem: TransportProblem, options: SinkhornOptions): TransportResult {
  const owner = "sinkhorn";
  const { eta, maxIter = 1000, tol = 1e-11, domain = "log", omega = 1, x0, y0, dropZeros } = options;
  checkEta(owner, eta);
  checkIterations(owner, "maxIter", maxIter);
  checkTolerance(owner, "tol", tol);
  if (!(omega > 0 && omega < 2)) throw new ValueError(`${owner}: omega is ${omega}; over-relaxation lies in (0, 2)`);
  if (!["log", "kernel", "stabilised"].includes(domain)) {
    throw new ValueError(`${owner}: domain is "${domain}"; it must be one of "log", "kernel", "stabilised"`);
  }
  if (omega !== 1 && domain !== "log") throw new ValueError(`${owner}: over-relaxation needs domain "log"`);
  const read = readProblem(owner, problem, dropZeros);
  if (domain === "kernel") {
    const { least, most } = spread(read.cost);
    if (eta * (most - least) >= KERNEL_RANGE) {
      throw new ValueError(
        `${owner}: eta (max C - min C) is ${eta * (most - least)}; from ${KERNEL_RANGE} on exp(-eta C) underflows: take ` +
          'domain "stabilised" or "log"',
      );
    }
  }
  const kernel = new GibbsKernel(read, eta);
  startFrom(owner, kernel, read, x0, y0);
  const history = new History(owner, options);
  const stage = { iterations: maxIter, tol, omega };
  if (domain === "log") sinkhornStage(kernel, history, stage);
  else kernelSinkhorn(kernel, history, { ...stage, absorbing: domain === "stabilised" });
  return transportResult(kernel, read, history, tol);
}
