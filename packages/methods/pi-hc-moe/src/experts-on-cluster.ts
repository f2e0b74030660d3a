import type { Cluster, Job, JobReference } from "@offprint/cluster";
import { levenbergMarquardt } from "@offprint/solvers";
import {
  ConvergenceError,
  concatenate,
  requireObject,
  slice,
  type Tensor,
  type TensorLike,
  tree,
} from "@offprint/tensor-core";
import type { PdeConstraint } from "./constraint.js";
import { type ConstraintOptions, checkConstraint } from "./constraint-options.js";
import { assembled, type ExpertData, expertProblems, expertResiduals, iterationOptions } from "./expert-problems.js";
import type { Constrained } from "./hard-constraint.js";
import { expertCount } from "./partition.js";

/** What one expert is sent: its block of all problems. */
export interface ExpertTask {
  /** Terms, offsets and conditions, `[batch, 1, ...]`. */
  readonly data: ExpertData;
  /** `[batch, 1, N]` weights to begin from. */
  readonly initial: Tensor;
  /** Of the options. */
  readonly ridge: number;
  /** Of the options. */
  readonly maxIterations: number;
  /** Of the options. */
  readonly tolerance: number;
}

/** What it sends back. */
export interface ExpertAnswer {
  /** `[batch, 1, N]`. */
  readonly weights: Tensor;
  /** Of each problem. */
  readonly converged: readonly boolean[];
  /** Iterations made. */
  readonly iterations: number;
}

/**
 * The job of an expert for an equation with this residual: export it from a module of your own, whose name
 * {@link solveOnCluster} is given.
 *
 * @example export const expert = expertJob(burgers().residual);
 */
export function expertJob(residual: PdeConstraint<unknown>["residual"]): Job<ExpertTask, ExpertAnswer> {
  return async ({ data, initial, ridge, maxIterations, tolerance }, { signal }) => {
    const { x, converged, iterations } = await levenbergMarquardt(
      (w: Tensor) => expertResiduals(residual, ridge, w, data),
      initial,
      {
        ...{ gradientTolerance: tolerance, stepTolerance: 1e-14, maxIterations, signal },
        ...iterationOptions(data),
      },
    );
    return { weights: x, converged, iterations };
  };
}

/** What {@link solveOnCluster} gives. */
export interface ClusterSolution extends Omit<Constrained, "gradientNorms" | "dependent"> {
  /** Which have converged: by expert, then by problem. */
  readonly converged: readonly (readonly boolean[])[];
  /** Iterations of the slowest expert. */
  readonly iterations: number;
}

/**
 * The constraint with each expert a job of its own, on threads or machines: for large grids, where a solve takes longer than
 * sending its block. The same weights as `solveConstraint`, up to rounding.
 *
 * @param job - What `expertJob` made of the equation's residual.
 * @throws ShapeError, ValueError for what does not fit; ConvergenceError where an expert's job failed.
 */
export async function solveOnCluster<P>(
  where: Pick<Cluster, "map">,
  job: JobReference,
  basis: TensorLike,
  pde: PdeConstraint<P>,
  problem: P,
  options: ConstraintOptions & { readonly signal?: AbortSignal } = {},
): Promise<ClusterSolution> {
  requireObject("solveOnCluster", "where", where, "{ map }");
  requireObject("solveOnCluster", "pde", pde, "a PdeConstraint");
  const owner = "solveOnCluster";
  const { signal, ...rest } = options;
  const settings = checkConstraint(owner, pde, rest);
  const { shaped, data, initial } = expertProblems(owner, basis, pde, problem, settings);
  const { ridge, maxIterations, tolerance, experts } = settings;
  const K = expertCount(experts);
  const tasks = Array.from({ length: K }, (_, k): ExpertTask => {
    const own = (x: Tensor) => slice(x, [null, { start: k, stop: k + 1 }]);
    return { data: tree.map(own, data), initial: own(initial), ridge, maxIterations, tolerance };
  });
  const answers: ExpertAnswer[] = [];
  const settled = signal === undefined ? {} : { signal };
  for await (const { index, value, error } of where.map<ExpertTask, ExpertAnswer>(job, tasks, settled)) {
    if (value === undefined) {
      throw new ConvergenceError(`${owner}: expert ${index} failed: ${error?.message ?? "it gave no answer"}`);
    }
    answers[index] = value;
  }
  signal?.throwIfAborted();
  const weights = concatenate(
    answers.map((answer) => answer.weights),
    1,
  );
  return {
    ...assembled(pde, problem, shaped, weights, experts),
    converged: answers.map(({ converged }) => converged),
    iterations: Math.max(...answers.map(({ iterations }) => iterations)),
  };
}
