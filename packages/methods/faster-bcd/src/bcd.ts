import { hostTensor, type Tensor } from "@offprint/tensor-core";
import { BcdSolver } from "./bcd-solver.js";
import type { BcdOptions, BcdProblem, BcdRecord, BcdSnapshot, BcdStatus } from "./options.js";

/** What `bcd` found. */
export interface BcdResult {
  /** `[n]` float64. */
  readonly x: Tensor;
  /** F(x). */
  readonly objective: number;
  /** Why the run ended. */
  readonly status: BcdStatus;
  /** Iterations done, those before `resume` included. */
  readonly iterations: number;
  /** One record for each iteration of this run. */
  readonly history: readonly BcdRecord[];
  /** The variables that are not zero; with bounds, those on none, with l1 those not at zero. Ascending. */
  readonly support: Int32Array;
  /** Iterations after which the support stayed the same. */
  readonly identifiedAt: number;
  /** To go on from: plain data, see the option `resume`. */
  readonly snapshot: BcdSnapshot;
}

/**
 * Minimises F(x) = f(x) + sum h_i(x_i) by changing a block of variables at a time: which blocks there are, which is next and
 * what is done with it are options. The defaults take, for quadratics and without h, the variables with the largest
 * g_i^2 / L_i and minimise over them exactly.
 *
 * "Not converged" is the status "maxIterations", with the point that was reached.
 *
 * @throws ValueError, ShapeError, DTypeError, IndexError for what is wrong with the problem or an option; UnsupportedError
 * where the objective lacks what a rule or an update needs; ConvergenceError when F stops being finite; AbortedError when
 * the signal fires.
 * @see https://arxiv.org/abs/1712.08859
 * @example
 * const A = [[2, 1, 0], [1, 3, 1], [0, 1, 4]];
 * const { x } = bcd({ smooth: quadratic(A, [1, 2, 3]), composite: { kind: "l1", lambda: 0.5 } }, { blockSize: 2 });
 */
export function bcd(problem: BcdProblem, options: BcdOptions = {}): BcdResult {
  const solver = new BcdSolver(problem, options);
  while (solver.status === undefined) solver.step();
  const { state, history, identifiedAt } = solver;
  const x = state.x.slice();
  return {
    x: hostTensor(x, [x.length], "float64"),
    objective: state.objective,
    status: solver.status,
    iterations: state.iteration,
    history,
    support: solver.support(),
    identifiedAt,
    snapshot: solver.snapshot(),
  };
}
