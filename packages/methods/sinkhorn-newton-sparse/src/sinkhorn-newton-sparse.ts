import { type Loop, type RunOptions, type RunState, runLoop, runLoopSync, runOptionNames } from "@offprint/solvers";
import {
  checkOptions,
  requireChoice,
  requireDecayRate,
  requireInteger,
  requireNonNegative,
  requirePositive,
  ValueError,
} from "@offprint/tensor-core";
import { firstLevel } from "./annealing.js";
import { GibbsKernel } from "./gibbs-kernel.js";
import { assess } from "./marginal-error.js";
import type { LinearSolver } from "./newton-system.js";
import type { SnsRecord } from "./record.js";
import { type TransportResult, transportResult } from "./result.js";
import { SnsIteration, type SnsSettings } from "./sns-iteration.js";
import { checkState, type SnsState } from "./solver-state.js";
import { type Potentials, startFrom } from "./start.js";
import { type ReducedProblem, readProblem, spread, type TransportProblem } from "./transport-problem.js";

/** Options of `sinkhornNewtonSparse` that say what is solved, and how. */
export interface SnsMethodOptions {
  /** Inverse regularisation (POT's `reg` is 1 / eta), in units of 1 / cost; the paper takes 1200 for costs in [0, 1]. */
  readonly eta: number;
  /** Sinkhorn iterations of stage 1, the paper's N1; `"auto"` ends it by the error and its fall. Default 20. */
  readonly sinkhornIterations?: number | "auto";
  /** Most Newton iterations of stage 2, the paper's N2. Default 50. */
  readonly newtonIterations?: number;
  /** Iterations at most, of all stages and levels together. Default 10 000. */
  readonly maxIterations?: number;
  /** Entries of the plan kept in the Hessian, per row of the longer side; >= 1. Default 8. */
  readonly keepPerRow?: number;
  /** In place of `keepPerRow`: the part of all n m entries that is kept, in (0, 1]. */
  readonly lambda?: number;
  /** Converged when ||r - P 1||_1 + ||c - P^T 1||_1 is at most this. Default 1e-13. */
  readonly tolerance?: number;
  /** `"full"` keeps every entry: Newton's method itself. Default `"sparse"`. */
  readonly newton?: "sparse" | "full";
  /**
   * Conjugate gradients, or a dense elimination that stays accurate where the system is nearly singular (some thousand
   * places at most). `"auto"` begins with the first and turns to the second where that is cheaper. Default `"auto"`,
   * with `strict` `"cg"`.
   */
  readonly linearSolver?: LinearSolver;
  /** Relative residual of conjugate gradients, in [0, 1); `"adaptive"` is min(1e-2, marginal error). Default `"adaptive"`. */
  readonly cgTolerance?: number | "adaptive";
  /** Most conjugate-gradient steps for one system. Default 10 (n + m). */
  readonly cgMaxIterations?: number;
  /** Takes the free constant out of the potentials by projection, or by the term -(sum x - sum y)^2 / 2. Default `"projected"`. */
  readonly gauge?: "projected" | "augmented";
  /**
   * Approaches `eta` in levels, each begun from the potentials of the one before: doublings, and smaller steps where one
   * fails. `"auto"` does so where Newton steps lead nowhere: where the marginal error after stage 1 is above 0.1, a step
   * length falls below 1/8, or stage 2 ends far from the solution. Default `"auto"`, with `strict` `false`.
   */
  readonly anneal?: boolean | "auto";
  /** The paper's iteration without safeguards; a breakdown throws. Default `false`. */
  readonly strict?: boolean;
  /** Potentials to begin from, such as those of a nearby problem. Default 0. */
  readonly initial?: Potentials;
  /** Leaves out rows and columns without mass, in place of rejecting them. Default `false`. */
  readonly dropZeros?: boolean;
}

/** Options of `sinkhornNewtonSparse`. */
export interface SnsOptions extends SnsMethodOptions, RunOptions<SnsRecord, RunState<SnsState, SnsRecord>> {}

const methodOptionNames = [
  "eta",
  "sinkhornIterations",
  "newtonIterations",
  "maxIterations",
  "keepPerRow",
  "lambda",
  "tolerance",
  "newton",
  "linearSolver",
  "cgTolerance",
  "cgMaxIterations",
  "gauge",
  "anneal",
  "strict",
  "initial",
  "dropZeros",
] as const satisfies readonly (keyof SnsMethodOptions)[];

/**
 * Entropic optimal transport to machine precision: Sinkhorn iterations, then Newton steps on the dual whose Hessian is
 * thresholded to a few entries per row (Tang et al., 2024, Algorithm 1). Solves
 *
 *     min <C, P> + (1/eta) sum p log p   over   P 1 = r, P^T 1 = c.
 *
 * What is not converged has the status "limit", with the plan that was reached.
 *
 * @throws ShapeError, DTypeError, ValueError for what is wrong with the problem or an option; ConvergenceError only with
 * `strict`.
 * @see https://arxiv.org/abs/2401.12253
 * @example
 * const { plan, cost } = await sinkhornNewtonSparse({ cost: [[0, 1], [1, 0]] }, { eta: 50 });
 */
export async function sinkhornNewtonSparse(problem: TransportProblem, options: SnsOptions): Promise<TransportResult> {
  checkOptions("sinkhornNewtonSparse", options, [...methodOptionNames, ...runOptionNames]);
  const { loop, kernel, iteration, read, tolerance } = prepare("sinkhornNewtonSparse", problem, options);
  const run = await runLoop(loop, options);
  iteration.moveTo(run.last);
  return transportResult(kernel, read, run, tolerance);
}

/** The same in one go, for rules of derivatives. */
export function solveAtOnce(owner: string, problem: TransportProblem, options: SnsMethodOptions): TransportResult {
  checkOptions(owner, options, methodOptionNames);
  const { loop, kernel, iteration, read, tolerance } = prepare(owner, problem, options);
  const run = runLoopSync(loop);
  iteration.moveTo(run.last);
  return transportResult(kernel, read, run, tolerance);
}

interface Prepared {
  readonly loop: Loop<SnsState, SnsRecord, "converged" | "limit">;
  readonly kernel: GibbsKernel;
  readonly iteration: SnsIteration;
  readonly read: ReducedProblem;
  readonly tolerance: number;
}

function prepare(owner: string, problem: TransportProblem, options: SnsMethodOptions): Prepared {
  requirePositive(owner, "eta", options?.eta);
  const { dropZeros, initial, maxIterations = 10_000 } = options;
  requireInteger(owner, "maxIterations", maxIterations, 0);
  const read = readProblem(owner, problem, dropZeros);
  const settings = readSettings(owner, options, read);
  const { eta, tolerance, memory, anneal, sinkhornIterations } = settings;
  const kernel = new GibbsKernel(read, eta);
  const iteration = new SnsIteration(kernel, settings);
  const level =
    anneal === true ? firstLevel(eta, settings.spread) : { phase: "direct" as const, eta, reached: 0, factor: 1 };
  const start = (): SnsState => {
    startFrom(owner, kernel, read, initial);
    if (level.eta !== eta) kernel.setEta(level.eta);
    const { error } = assess(kernel, kernel.evaluate());
    const stage = sinkhornIterations === 0 ? "newton" : "sinkhorn";
    const ending = level.eta === eta && error <= tolerance ? "converged" : null;
    const place = kernel.place();
    return { place, level, reached: null, stage, taken: 0, error, next: null, memory, ending, last: null };
  };
  const loop: Prepared["loop"] = {
    owner,
    limit: maxIterations,
    initial: start,
    step: (state) => iteration.step(state),
    record: ({ last }, k) => (last === null ? undefined : { iteration: k, ...last }),
    finished: ({ ending }) => ending ?? undefined,
    check: (state) => checkState(owner, kernel, state),
  };
  return { loop, kernel, iteration, read, tolerance };
}

function readSettings(owner: string, options: SnsMethodOptions, { n, m, cost }: ReducedProblem): SnsSettings {
  const { eta, sinkhornIterations = 20, newtonIterations = 50, tolerance = 1e-13, strict = false } = options;
  const { newton = "sparse", linearSolver = strict ? "cg" : "auto", gauge = "projected" } = options;
  const { anneal = strict ? false : "auto", cgTolerance = "adaptive", cgMaxIterations = 10 * (n + m) } = options;
  if (sinkhornIterations !== "auto") requireInteger(owner, "sinkhornIterations", sinkhornIterations, 0);
  requireInteger(owner, "newtonIterations", newtonIterations, 0);
  requireNonNegative(owner, "tolerance", tolerance);
  if (cgTolerance !== "adaptive") requireDecayRate(owner, "cgTolerance", cgTolerance);
  requireInteger(owner, "cgMaxIterations", cgMaxIterations, 1);
  requireChoice(owner, "newton", newton, ["sparse", "full"]);
  requireChoice(owner, "linearSolver", linearSolver, ["auto", "cg", "dense"]);
  requireChoice(owner, "gauge", gauge, ["projected", "augmented"]);
  requireChoice(owner, "anneal", anneal, [true, false, "auto"]);
  requireChoice(owner, "strict", strict, [true, false]);
  if (gauge === "augmented" && linearSolver === "dense") {
    throw new ValueError(`${owner}: the augmented gauge is solved by conjugate gradients; leave linearSolver out`);
  }
  const { least, most } = spread(cost);
  return {
    eta,
    sinkhornIterations,
    newtonIterations,
    tolerance,
    anneal,
    spread: most - least,
    newton: { newton, gauge, cgMaxIterations, cgTolerance, strict },
    memory: { keep: keptCount(owner, options, n, m), shift: 0, stalled: false, linearSolver },
  };
}

/** k, the number of kept entries. */
function keptCount(owner: string, { keepPerRow, lambda }: SnsMethodOptions, n: number, m: number): number {
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
