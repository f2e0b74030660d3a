import type { GradientTransformation, Schedule } from "@offprint/optim";
import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import { checkOptions, requireObject, type TensorLike, ValueError } from "@offprint/tensor-core";
import { requireStepCount } from "./argument-checks.js";
import { Procedure, type ProcedurePoint } from "./procedure.js";
import type { RefinedSchedule, RefineOptions } from "./refine.js";

/** What is trained. */
export interface TrainingProblem<P> {
  /** Initial parameters, a tree of tensors. */
  readonly initial: P;
  /** Loss and raw gradient of the batch of a step (from 0); a given step always means the same batch. */
  lossAndGradients(params: P, step: number): LossAndGradients<P> | Promise<LossAndGradients<P>>;
}

/** Loss of a batch and its gradient. */
export interface LossAndGradients<P> {
  /** A number or a scalar tensor. */
  readonly loss: TensorLike;
  /** Like the parameters. */
  readonly gradients: P;
}

/** Norms of the raw gradients of a run. */
export interface RunNorms {
  /** Sums of absolute values, `[steps]`. */
  readonly l1: Float64Array;
  /** Euclidean norms, `[steps]`. */
  readonly l2: Float64Array;
}

/** One run. */
export interface Run<P> {
  /** Peak learning rate. */
  readonly learningRate: number;
  /** Multipliers of the peak, `[T]`. */
  readonly multipliers: Float64Array;
  /** The last iterate. */
  readonly params: P;
  /** Loss of each step's batch, `[steps]`; shorter than T where the run diverged. */
  readonly losses: Float64Array;
  /** Gradient norms of each step. */
  readonly norms: RunNorms;
  /** What `evaluate` gave for the last iterate; Infinity where the run diverged. */
  readonly score: number;
}

/** A run that has ended. */
export interface RefineRecord {
  /** Runs finished. */
  readonly runs: number;
  /** `"linear"`, or `"refined"` with the round from 1. */
  readonly phase: "linear" | "refined";
  /** Round of refinement, from 1; 0 for the linear-decay runs. */
  readonly round: number;
  /** Peak learning rate of the run. */
  readonly learningRate: number;
  /** Its score. */
  readonly score: number;
}

/** What `trainAndRefine` goes on from. */
export type RefineState<P> = RunState<ProcedurePoint<P>, RefineRecord>;

/** Options of `trainAndRefine`. A record is told after each run; checkpoints count training steps. */
export interface TrainAndRefineOptions<P>
  extends Pick<RefineOptions, "tau" | "norm" | "power" | "floor">,
    RunOptions<RefineRecord, RefineState<P>> {
  /**
   * `"adam"` and `"adamw"` have beta1 0.9 and beta2 0.95; or a function that makes the optimizer with a schedule. Norms
   * default to `"l2"` for `"sgd"` and a function, `"l1"` for the others.
   */
  readonly optimizer: "sgd" | "adam" | "adamw" | ((learningRate: Schedule) => GradientTransformation);
  /** Peak learning rate of the linear-decay run; of several, the best by score. */
  readonly learningRate: number | readonly number[];
  /** T, the steps of each run. */
  readonly steps: number;
  /** Rounds of refinement, >= 1. Default 1, as in the paper. */
  readonly rounds?: number;
  /**
   * Factors on the previous peak that are tried with a refined schedule. Default `2^(k/2)`, k = -2..2, around the ratio of
   * the theoretical peaks, extended while the best is at an edge; [1] keeps the peak.
   */
  readonly learningRateFactors?: readonly number[];
  /** What the peaks are tuned by, lower is better. Default the mean loss at the last iterate over T/10 further batches. */
  readonly evaluate?: (params: P) => number | Promise<number>;
}

/** The runs that count, and the schedule between them. */
export interface TrainAndRefineResult<P> {
  /** Parameters of the best run of the last round with one; the initial ones before any run has ended. */
  readonly params: P;
  /** The best linear-decay run; missing before one has ended. */
  readonly base: Run<P> | undefined;
  /** The best run with the last refined schedule; missing before one has ended. */
  readonly refined: Run<P> | undefined;
  /** The last refined schedule; missing before the linear-decay runs have ended. */
  readonly schedule: RefinedSchedule | undefined;
  /** Every refined schedule and its best run, a round each. */
  readonly rounds: readonly { readonly schedule: RefinedSchedule; readonly run: Run<P> }[];
  /** How it ended; `limit` where all rounds were made. */
  readonly status: Status;
  /** Batches that were looked at, in training and for scores. */
  readonly steps: number;
  /** The record of every run. */
  readonly history: readonly RefineRecord[];
  /** What `resume` goes on from. */
  readonly state: RefineState<P>;
}

const names = [
  ...["optimizer", "learningRate", "steps", "rounds", "learningRateFactors", "evaluate"],
  ...["tau", "norm", "power", "floor", ...runOptionNames],
];

function checkTrainAndRefineOptions<P>(options: TrainAndRefineOptions<P>): void {
  checkOptions("trainAndRefine", options, names);
  const { steps, rounds = 1, learningRate, learningRateFactors } = options;
  requireStepCount("trainAndRefine", steps, "steps");
  requireStepCount("trainAndRefine", rounds, "rounds");
  requireRates("learningRate", typeof learningRate === "number" ? [learningRate] : learningRate, learningRate);
  if (learningRateFactors !== undefined) requireRates("learningRateFactors", learningRateFactors, learningRateFactors);
}

function requireRates(name: string, list: readonly number[], given: unknown): void {
  if (!Array.isArray(list) || list.length === 0 || !list.every((rate) => rate > 0 && rate < Infinity)) {
    throw new ValueError(`trainAndRefine: ${name} is ${String(given)}; give one or more finite numbers > 0`);
  }
}

/**
 * The whole procedure on the user's problem (part H): train with linear decay at each peak learning rate and take the best;
 * refine its gradient norms into a schedule; tune the peak for that schedule. Results are those of last iterates.
 *
 * @throws ValueError for options out of range, and where norms do not allow refinement; NonFiniteError, with the last good
 * state, where all linear-decay runs diverge.
 * @example
 * ```ts
 * import { trainAndRefine } from "@offprint/refined-schedules";
 * import { square, sub, sum, type Tensor, tensor, valueAndGrad } from "@offprint/tensor-core";
 *
 * const target = tensor([1, 2]);
 * const lossOf = valueAndGrad((x: Tensor) => sum(square(sub(x, target))));
 * const { refined } = await trainAndRefine(
 *   {
 *     initial: tensor([0, 0]),
 *     lossAndGradients(x: Tensor) {
 *       const [loss, gradients] = lossOf(x);
 *       return { loss, gradients };
 *     },
 *   },
 *   { optimizer: "sgd", learningRate: 0.1, steps: 50 },
 * );
 * console.log(refined?.score);
 * ```
 */
export async function trainAndRefine<P>(
  problem: TrainingProblem<P>,
  options: TrainAndRefineOptions<P>,
): Promise<TrainAndRefineResult<P>> {
  requireObject("trainAndRefine", "problem", problem, "{ initial, lossAndGradients }");
  requireObject("trainAndRefine", "options", options, "{ optimizer, learningRate, steps }");
  checkTrainAndRefineOptions(options);
  const procedure = new Procedure(problem, options);
  const { status, iterations, history, last, state } = await runLoop<ProcedurePoint<P>, RefineRecord, "limit">(
    {
      owner: "trainAndRefine",
      limit: Infinity,
      limitName: "steps",
      initial: () => procedure.start(),
      step: (point) => procedure.step(point),
      record: ({ ended }) => ended ?? undefined,
      finished: (point) => (procedure.finished(point) ? "limit" : undefined),
      snapshot: (point) => procedure.snapshot(point),
      check: (point) => procedure.check(point),
    },
    options,
  );
  return { ...procedure.results(last), status, steps: iterations, history, state };
}
