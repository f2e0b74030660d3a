import type { Layer } from "@offprint/nn";
import { adam, chain, clipByGlobalNorm, type Schedule, trainingStep } from "@offprint/optim";
import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  checkOptions,
  isTensor,
  mean,
  NonFiniteError,
  random,
  requireInteger,
  requireObject,
  requirePositive,
  ShapeError,
  type Tensor,
  take,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import { compiledFor } from "./compiled-for.js";
import type { PdeConstraint } from "./constraint.js";
import { checkConstraint } from "./constraint-options.js";
import { learnedSolution, lossOf, relativeErrors, residualNorms, type Solving } from "./learned-solution.js";

/** After a step. */
export interface TrainRecord {
  /** From 1. */
  readonly step: number;
  /** The loss of the batch before the step. */
  readonly loss: number;
  /** Length of its gradient. */
  readonly gradientNorm: number;
}

/** Where training stands. */
export interface TrainPoint<M> {
  /** The network's parameters. */
  readonly params: M;
  /** Adam's. */
  readonly optimizerState: unknown;
  /** Of the last step. */
  readonly figures: { readonly loss: number; readonly gradientNorm: number } | null;
}

/** Options of {@link fitSolver}. */
export interface FitSolverOptions<M> extends RunOptions<TrainRecord, RunState<TrainPoint<M>, TrainRecord>> {
  /** Default one expert, a plain hard constraint. */
  readonly solving?: Solving;
  /** `[count, ...grid]` known solutions: then the network is trained on them, and not on the equation. */
  readonly reference?: Tensor;
  /** Updates (default 4050). */
  readonly steps?: number;
  /** Problems of a batch (default 6, or all). */
  readonly batchSize?: number;
  /** Of Adam: a number or a schedule (default 1e-3). */
  readonly learningRate?: number | Schedule;
  /** Longest gradient; longer ones are shortened (default 1). */
  readonly clip?: number;
  /** Default 0. */
  readonly seed?: number | string;
}

/** What {@link fitSolver} gives. */
export interface FitSolverResult<M> {
  /** The network's parameters. */
  readonly params: M;
  /** How it ended: training has no goal. */
  readonly status: Exclude<Status, "converged">;
  /** Updates made. */
  readonly steps: number;
  /** One record for each. */
  readonly history: readonly TrainRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<TrainPoint<M>, TrainRecord>;
}

const names = [...["solving", "reference", "steps", "batchSize", "learningRate", "clip", "seed"], ...runOptionNames];

/**
 * Trains a network to solve a family of equations from the equations alone: through the experts' least squares, by the
 * residual of the solution that they make together.
 *
 * @param network - `[batch, channels, ...grid]` to `[batch, ...grid, N]`, such as `fourierBasis(...)`.
 * @param problems - A tree of tensors `[count, ...]`.
 * @throws ShapeError, ValueError for what does not fit; NonFiniteError, with the last good state, where it diverges.
 */
export async function fitSolver<P, M>(
  network: Layer<M>,
  pde: PdeConstraint<P>,
  problems: P,
  options: FitSolverOptions<M> = {},
): Promise<FitSolverResult<M>> {
  requireObject("fitSolver", "network", network, "a Layer");
  requireObject("fitSolver", "pde", pde, "a PdeConstraint");
  const owner = "fitSolver";
  checkOptions(owner, options, names);
  const { solving = {}, reference, steps = 4050, learningRate = 1e-3, clip = 1, seed = 0 } = options;
  if (solving !== "soft") checkConstraint(owner, pde, solving);
  requireInteger(owner, "steps", steps, 0);
  requirePositive(owner, "clip", clip);
  const count = countOf(owner, problems);
  const { batchSize = Math.min(6, count) } = options;
  requireInteger(owner, "batchSize", batchSize, 1, count);
  if (reference !== undefined) requireReference(owner, reference, count, pde.grid);
  const start = random.rng(seed);
  const optimizer = chain(clipByGlobalNorm(clip), adam({ learningRate }));
  const loss = (params: M, problem: P, known: Tensor | null): Tensor => {
    const { u, fields } = learnedSolution(network, params, pde, problem, solving);
    return known === null ? lossOf(pde, fields, problem) : mean(relativeErrors(u, known));
  };
  const settings = ["step", solving, learningRate, clip];
  const compiled = compiledFor(network, pde, settings, () => trainingStep(loss, optimizer));
  const run = await runLoop<TrainPoint<M>, TrainRecord, never>(
    {
      owner,
      limit: steps,
      limitName: "steps",
      initial() {
        const params = network.init(start.fork("network"), "float64");
        return { params, optimizerState: optimizer.init(params), figures: null };
      },
      async step({ params, optimizerState }, k) {
        const rows = start.fork(k).choice(count, { shape: [batchSize], replace: false });
        const batch = tree.map((leaf: Tensor) => take(leaf, rows), problems) as P;
        const known = reference === undefined ? null : take(reference, rows);
        const result = await compiled.run(params, optimizerState as never, batch, known).catch((cause) => {
          // What a first step took, a later one refuses for its numbers alone.
          if (k === 1 || !(cause instanceof ValueError)) throw cause;
          throw new NonFiniteError(`training diverged: ${cause.message}; lower learningRate`, { cause });
        });
        const figures = { loss: result.loss.item(), gradientNorm: result.gradientNorm.item() };
        if (!Number.isFinite(figures.loss + figures.gradientNorm)) {
          throw new NonFiniteError(`the loss is ${figures.loss}: training diverged; lower learningRate`);
        }
        return { params: result.params, optimizerState: result.optimizerState, figures };
      },
      record: ({ figures }, k) => ({
        step: k,
        loss: figures?.loss ?? Number.NaN,
        gradientNorm: figures?.gradientNorm ?? Number.NaN,
      }),
      check({ params }) {
        const own = tree
          .leaves<Tensor>(network.init(start.fork("network"), "float64"))
          .map((leaf) => leaf.shape.join());
        const given = tree.leaves<unknown>(params).map((leaf) => (isTensor(leaf) ? leaf.shape.join() : ""));
        if (own.join("/") === given.join("/")) return;
        throw new ValueError(`${owner}: resume is a state of another network; give one of this network`);
      },
    },
    options,
  ).finally(compiled.release);
  const { status, iterations, history, last, state } = run;
  return { params: last.params, status, steps: iterations, history, state };
}

/** What {@link evaluateSolver} gives. */
export interface Evaluation {
  /** `[count, ...grid]` the solutions. */
  readonly u: Tensor;
  /** `[count]` norms of the equation's residual. */
  readonly residuals: Tensor;
  /** `[count]` relative errors |u - reference| / |reference|, where there is a reference. */
  readonly errors: Tensor | undefined;
}

/** Solves problems with a network that was trained, and judges the solutions. Compiled once for a network and an equation. */
export async function evaluateSolver<P, M>(
  network: Layer<M>,
  params: M,
  pde: PdeConstraint<P>,
  problems: P,
  options: { readonly solving?: Solving; readonly reference?: Tensor } = {},
): Promise<Evaluation> {
  requireObject("evaluateSolver", "network", network, "a Layer");
  requireObject("evaluateSolver", "pde", pde, "a PdeConstraint");
  checkOptions("evaluateSolver", options, ["solving", "reference"]);
  const { solving = {}, reference } = options;
  if (reference !== undefined)
    requireReference("evaluateSolver", reference, countOf("evaluateSolver", problems), pde.grid);
  const compiled = compiledFor(network, pde, ["solution", solving], () => (given: M, problem: P) => {
    const { u, fields } = learnedSolution(network, given, pde, problem, solving);
    return { u, residuals: residualNorms(pde, fields) };
  });
  const { u, residuals } = await compiled.run(params, problems).finally(compiled.release);
  return { u, residuals, errors: reference === undefined ? undefined : relativeErrors(u, reference) };
}

function requireReference(owner: string, reference: Tensor, count: number, grid: readonly number[]): void {
  const wanted = [count, ...grid];
  if (reference.shape.join() === wanted.join()) return;
  throw new ShapeError(`${owner}: reference has shape [${reference.shape}]; it must be [${wanted}]`);
}

function countOf(owner: string, problems: unknown): number {
  const counts = new Set(tree.leaves<Tensor>(problems).map((leaf) => leaf.shape[0]));
  if (counts.size === 1) return [...counts][0];
  throw new ShapeError(`${owner}: problems have [${[...counts]}] rows; each tensor must have one for each problem`);
}
