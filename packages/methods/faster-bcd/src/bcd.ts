import { type Loop, runLoop } from "@offprint/solvers";
import { checkOptions, hostTensor, type Tensor } from "@offprint/tensor-core";
import { BcdSolver } from "./bcd-solver.js";
import {
  type BcdOptions,
  type BcdPoint,
  type BcdProblem,
  type BcdRecord,
  type BcdRunState,
  type BcdStatus,
  optionNames,
} from "./options.js";

/** What `bcd` found. */
export interface BcdResult {
  /** `[n]` float64. */
  readonly x: Tensor;
  /** F(x). */
  readonly objective: number;
  /** Why the run ended. */
  readonly status: BcdStatus;
  /** Iterations done, those of resumed runs included. */
  readonly iterations: number;
  /** One record for each of them. */
  readonly history: readonly BcdRecord[];
  /** The variables that are not zero; with bounds, those on none, with l1 those not at zero. Ascending. */
  readonly support: Int32Array;
  /** Iterations after which the support stayed the same. */
  readonly identifiedAt: number;
  /** To go on from: see the option `resume`. */
  readonly state: BcdRunState;
}

/**
 * Minimises F(x) = f(x) + sum h_i(x_i) by changing a block of variables at a time: which blocks there are, which is next and
 * what is done with it are options. The defaults take, for quadratics and without h, the variables with the largest
 * g_i^2 / L_i and minimise over them exactly.
 *
 * "Not converged" is the status "limit", with the point that was reached.
 *
 * @throws ValueError, ShapeError, DTypeError, IndexError for what is wrong with the problem or an option; UnsupportedError
 * where the objective lacks what a rule or an update needs; NonFiniteError, with the last good state, where the next step
 * would make F infinite or NaN.
 * @see https://arxiv.org/abs/1712.08859
 * @example
 * const A = [[2, 1, 0], [1, 3, 1], [0, 1, 4]];
 * const { x } = await bcd({ smooth: quadratic(A, [1, 2, 3]), composite: { kind: "l1", lambda: 0.5 } }, { blockSize: 2 });
 */
export async function bcd(problem: BcdProblem, options: BcdOptions = {}): Promise<BcdResult> {
  checkOptions("bcd", options, optionNames);
  const { onProgress: _, signal: __, checkpoint: ___, resume, ...method } = options;
  const solver = new BcdSolver(problem, method, resume?.inner);
  // The solver's own arrays are the state of the iteration, and `snapshot` copies them.
  const loop: Loop<BcdPoint, BcdRecord> = {
    owner: "bcd",
    limit: method.maxIterations ?? 500,
    initial: () => solver.save(),
    step(state) {
      solver.step();
      return state;
    },
    record: () => solver.state.record,
    finished: () => (solver.status === "converged" ? "converged" : undefined),
    snapshot: () => solver.save(),
  };
  const { status, iterations, history, state } = await runLoop(loop, options);
  const { x } = state.inner;
  return {
    x: hostTensor(x.slice(), [x.length], "float64"),
    objective: solver.state.objective,
    status,
    iterations,
    history,
    support: solver.support(),
    identifiedAt: solver.identifiedAt,
    state,
  };
}
