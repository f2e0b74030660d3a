import { type TensorLike, ValueError } from "@offprint/tensor-core";
import { GibbsKernel } from "./gibbs-kernel.js";
import { newtonStage } from "./newton-stage.js";
import type { LinearSolver } from "./newton-system.js";
import { History, type Watching } from "./record.js";
import { type TransportResult, transportResult } from "./result.js";
import { assess, sinkhornStage } from "./sinkhorn-stage.js";
import { startFrom } from "./start.js";
import {
  checkEta,
  checkIterations,
  checkTolerance,
  readProblem,
  spread,
  type TransportProblem,
} from "./transport-problem.js";

/** Options of `sinkhornNewtonSparse`. */
export interface SnsOptions extends Watching {
  /** Inverse regularisation (POT's `reg` is 1 / eta), in units of 1 / cost; the paper takes 1200 for costs in [0, 1]. */
  readonly eta: number;
  /** Sinkhorn iterations of stage 1, N1; `"auto"` ends it by the error and its fall. Default 20. */
  readonly n1?: number | "auto";
  /** Most Newton iterations of stage 2, N2. Default 50. */
  readonly n2?: number;
  /** Entries of the plan kept in the Hessian, per row of the longer side; >= 1. Default 8. */
  readonly keepPerRow?: number;
  /** In place of `keepPerRow`: the part of all n m entries that is kept, in (0, 1]. */
  readonly lambda?: number;
  /** Converged when ||r - P 1||_1 + ||c - P^T 1||_1 is at most this. Default 1e-13. */
  readonly tol?: number;
  /** `"full"` keeps every entry: Newton's method itself. Default `"sparse"`. */
  readonly newton?: "sparse" | "full";
  /**
   * Conjugate gradients, or a dense elimination that stays accurate where the system is nearly singular (some thousand
   * places at most). `"auto"` begins with the first and turns to the second where that is cheaper. Default `"auto"`,
   * with `strict` `"cg"`.
   */
  readonly linearSolver?: LinearSolver;
  /** Relative residual of conjugate gradients; `"adaptive"` is min(1e-2, marginal error). Default `"adaptive"`. */
  readonly cgRtol?: number | "adaptive";
  /** Most conjugate-gradient steps for one system. Default 10 (n + m). */
  readonly cgMaxIter?: number;
  /** Takes the free constant out of the potentials by projection, or by the term -(sum x - sum y)^2 / 2. Default `"projected"`. */
  readonly gauge?: "projected" | "augmented";
  /**
   * Approaches `eta` by doublings, each begun from the potentials of the one before. `"auto"` does so where Newton steps
   * are of no use yet: where the marginal error after stage 1 is above 0.1, or a step length falls below 1/8. Default
   * `"auto"`, with `strict` `false`.
   */
  readonly anneal?: boolean | "auto";
  /** The paper's iteration without safeguards; a breakdown throws. Default `false`. */
  readonly strict?: boolean;
  /** `[n]` potentials of the rows to begin from, such as `x` of a nearby problem. Default 0. */
  readonly x0?: TensorLike;
  /** `[m]` potentials of the columns to begin from. Default 0. */
  readonly y0?: TensorLike;
  /** Leaves out rows and columns without mass, in place of rejecting them. Default `false`. */
  readonly dropZeros?: boolean;
}

/**
 * Entropic optimal transport to machine precision: Sinkhorn iterations, then Newton steps on the dual whose Hessian is
 * thresholded to a few entries per row (Tang et al., 2024, Algorithm 1). Solves
 *
 *     min <C, P> + (1/eta) sum p log p   over   P 1 = r, P^T 1 = c.
 *
 * What is not converged has the status "maxIterations", with the plan that was reached; give its `x` and `y` as `x0`
 * and `y0` to go on.
 *
 * @throws ShapeError, DTypeError, ValueError for what is wrong with the problem or an option; ConvergenceError only with
 * `strict`; AbortedError when the signal fires.
 * @see https://arxiv.org/abs/2401.12253
 * @example
 * const { plan, cost } = sinkhornNewtonSparse({ cost: [[0, 1], [1, 0]] }, { eta: 50 });
 */
export function sinkhornNewtonSparse(problem: TransportProblem, options: SnsOptions): TransportResult {
  const owner = "sinkhornNewtonSparse";
  const { eta, n1 = 20, n2 = 50, tol = 1e-13, strict = false, anneal = strict ? false : "auto", dropZeros } = options;
  checkEta(owner, eta);
  if (n1 !== "auto") checkIterations(owner, "n1", n1);
  checkIterations(owner, "n2", n2);
  checkTolerance(owner, "tol", tol);
  const read = readProblem(owner, problem, dropZeros);
  const { n, m } = read;
  const { cgRtol = "adaptive", cgMaxIter = 10 * (n + m) } = options;
  if (cgRtol !== "adaptive") checkTolerance(owner, "cgRtol", cgRtol);
  if (!(Number.isSafeInteger(cgMaxIter) && cgMaxIter >= 1)) {
    throw new ValueError(`${owner}: cgMaxIter is ${cgMaxIter}; it must be an integer >= 1`);
  }
  const keep = keptCount(options, n, m);
  const { newton = "sparse", linearSolver = strict ? "cg" : "auto", gauge = "projected" } = options;
  oneOf(owner, "newton", newton, ["sparse", "full"]);
  oneOf(owner, "linearSolver", linearSolver, ["auto", "cg", "dense"]);
  oneOf(owner, "gauge", gauge, ["projected", "augmented"]);

  if (gauge === "augmented" && linearSolver === "dense") {
    throw new ValueError(`${owner}: the augmented gauge is solved by conjugate gradients; leave linearSolver out`);
  }
  if (anneal !== true && anneal !== false && anneal !== "auto") {
    throw new ValueError(`${owner}: anneal is "${anneal}"; it must be true, false or "auto"`);
  }
  const stage2 = {
    iterations: n2,
    tol,
    newton,
    keep,
    linearSolver,
    cgRtol,
    cgMaxIter,
    gauge,
    strict,
    leaveWhenShort: false,
  };
  const history = new History(owner, options);
  const kernel = new GibbsKernel(read, eta);
  startFrom(owner, kernel, read, options.x0, options.y0);
  const direct = () => {
    sinkhornStage(kernel, history, { iterations: n1, tol });
    if (anneal === "auto" && assess(kernel, kernel.evaluate()).error > FAR) return true;
    return newtonStage(kernel, history, { ...stage2, leaveWhenShort: anneal === "auto" });
  };
  if (anneal === true || direct()) {
    let iterations = n1;
    for (const step of [...annealingSteps(eta, read.cost), eta]) {
      kernel.setEta(step);
      const enough = step === eta ? tol : Math.max(tol, ANNEALING_TOLERANCE);
      sinkhornStage(kernel, history, { iterations, tol: enough });
      newtonStage(kernel, history, { ...stage2, tol: enough });
      iterations = n1 === "auto" ? n1 : Math.min(n1, ANNEALING_SINKHORN);
    }
  }
  return transportResult(kernel, read, history, tol);
}

/** `auto` anneals when the marginal error after stage 1 exceeds this: Newton steps are of little use so far away. */
const FAR = 0.1;
/** Annealing begins where eta times the spread of the costs is at most this. */
const FIRST = 300;
/** The marginal error that is enough before the next doubling, and the Sinkhorn iterations after it. */
const ANNEALING_TOLERANCE = 1e-3;
const ANNEALING_SINKHORN = 3;

/** What eta goes through on its way, ascending, without itself. */
function annealingSteps(eta: number, cost: Float64Array): number[] {
  const { least, most } = spread(cost);
  const steps: number[] = [];
  for (let step = eta / 2; step * (most - least) > FIRST / 2; step /= 2) steps.unshift(step);
  return steps;
}

/** k, the number of kept entries. */
function keptCount({ keepPerRow, lambda }: SnsOptions, n: number, m: number): number {
  const owner = "sinkhornNewtonSparse";
  if (lambda !== undefined) {
    if (keepPerRow !== undefined) {
      throw new ValueError(`${owner}: keepPerRow and lambda say the same thing; give one of them`);
    }
    if (!(lambda > 0 && lambda <= 1)) {
      throw new ValueError(`${owner}: lambda is ${lambda}; the kept part of the entries lies in (0, 1]`);
    }
    return Math.ceil(lambda * n * m);
  }
  const q = keepPerRow ?? 8;
  if (!(q >= 1 && q < Infinity)) {
    throw new ValueError(`${owner}: keepPerRow is ${q}; it must be a finite number >= 1`);
  }
  return Math.min(Math.ceil(q * Math.max(n, m)), n * m);
}

function oneOf(owner: string, name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    throw new ValueError(
      `${owner}: ${name} is "${value}"; it must be one of ${allowed.map((word) => `"${word}"`).join(", ")}`,
    );
  }
}
