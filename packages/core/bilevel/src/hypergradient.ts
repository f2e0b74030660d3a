import { type LinearSolverRecord, type RunOptions, runOptionNames } from "@offprint/solvers";
import {
  checkOptions,
  linalg,
  NonFiniteError,
  refuseIdle,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requirePositive,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import {
  type HypergradientSolver,
  type HypergradientState,
  HypergradientSystem,
  type SystemSolution,
} from "./hypergradient-system.js";
import type { BilevelProblem } from "./problem.js";
import { VectorProblem } from "./vector-problem.js";
import { minus } from "./vector-steps.js";

/** Options of {@link hypergradient}. */
export interface HypergradientOptions<Y> extends RunOptions<LinearSolverRecord, HypergradientState> {
  /**
   * `exact` forms H and solves; `conjugateGradients` multiplies by H; `neumann` sums `step (I - step H)^q grad_y F`, with a
   * drawn batch for each factor; `sgd` descends on `z' H z / 2 - z' grad_y F`, with drawn batches. Default
   * `conjugateGradients`.
   */
  readonly solver?: HypergradientSolver;
  /** Of conjugate gradients alone: the residual over the right side, default 1e-10. */
  readonly tolerance?: number;
  /** Products with H at most: terms of the series, steps of `sgd`. Default `10 dy`, of the series and `sgd` 100. */
  readonly maxIterations?: number;
  /** The step of `neumann` and `sgd` alone; below 2 over the largest curvature. Default 0.1. */
  readonly stepSize?: number;
  /** Where `conjugateGradients` and `sgd` begin. Default zeros. */
  readonly initial?: Y;
  /** Whether `neumann` and `sgd` draw batches; else they see all data. Default false. */
  readonly sampled?: boolean;
  /** Decides which batches are drawn, where they are. Default 0. */
  readonly seed?: number | string;
}

/** What {@link hypergradient} gives. */
export interface Hypergradient<X, Y> extends Omit<SystemSolution, "z"> {
  /** `grad_x F - J z`. */
  readonly gradient: X;
  /** The solution of `H z = grad_y F`. */
  readonly z: Y;
  /** Norm of `H z - grad_y F` on all data. */
  readonly residualNorm: number;
}

const names = ["solver", "tolerance", "maxIterations", "stepSize", "initial", "sampled", "seed", ...runOptionNames];
/** What the solvers do not look at. */
const idle = {
  exact: ["stepSize", "tolerance"],
  conjugateGradients: ["stepSize"],
  neumann: ["tolerance"],
  sgd: ["tolerance"],
} as const;
const solvers = ["exact", "conjugateGradients", "neumann", "sgd"] as const;

/**
 * The gradient of `F(x, y*(x))` by the implicit function theorem, at a y taken for `y*(x)`: `grad_x F - J z` where
 * `H z = grad_y F`. Derivatives are those of all data but where `sampled` says otherwise.
 * @throws ConvergenceError where the series or the descent grows, as it does for a step above 2 over the largest
 * curvature; NonFiniteError where a derivative is not finite.
 * @example
 * const { gradient } = await hypergradient(problem, x, y, { solver: "exact" });
 */
export async function hypergradient<X, Y, U = null, L = U>(
  problem: BilevelProblem<X, Y, U, L>,
  x: X,
  y: Y,
  options: HypergradientOptions<Y> = {},
): Promise<Hypergradient<X, Y>> {
  const owner = "hypergradient";
  checkOptions(owner, options, names);
  const { solver = "conjugateGradients", stepSize = 0.1, tolerance = 1e-10, maxIterations } = options;
  requireChoice(owner, "solver", solver, solvers);
  requirePositive(owner, "stepSize", stepSize);
  requireNonNegative(owner, "tolerance", tolerance);
  if (maxIterations !== undefined) requireInteger(owner, "maxIterations", maxIterations, 0);
  const vectors = new VectorProblem(owner, problem);
  const at = { x: vectors.x.ravel(x), y: vectors.y.ravel(y) };
  const initial = options.initial === undefined ? undefined : vectors.y.ravel(options.initial);
  const { sampled = false, seed = 0 } = options;
  requireChoice(owner, "sampled", sampled, [true, false]);
  if (initial !== undefined && (solver === "exact" || solver === "neumann")) {
    throw new ValueError(`${owner}: initial begins conjugateGradients and sgd; leave it out with solver "${solver}"`);
  }
  if (sampled && (solver === "exact" || solver === "conjugateGradients")) {
    throw new ValueError(`${owner}: sampled is for neumann and sgd; leave it out with solver "${solver}"`);
  }
  const settings = { ...options, solver, stepSize, tolerance, maxIterations, sampled, seed };
  refuseIdle(owner, `solver "${solver}"`, options, idle[solver]);
  if (!sampled) refuseIdle(owner, "all data in every step, where sampled is false", options, ["seed"]);
  const system = new HypergradientSystem(vectors, at, settings, initial);
  requireFinite("the gradient of upper in x", system.right.x);
  requireFinite("the gradient of upper in y", system.right.y);
  const { z, ...rest } = await system.solve();
  requireFinite("z", z);
  return {
    ...rest,
    gradient: vectors.x.unravel(minus(system.right.x, 1, system.mixed(z))),
    z: vectors.y.unravel(z),
    residualNorm: linalg.norm(minus(system.product(z), 1, system.right.y)).item(),
  };
}

function requireFinite(name: string, vector: Tensor): void {
  if (vector.data().every((v: number) => Number.isFinite(v))) return;
  throw new NonFiniteError(`hypergradient: ${name} is not finite; look at the problem's functions at this x and y`);
}
