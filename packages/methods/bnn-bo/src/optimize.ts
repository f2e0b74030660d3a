import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import { checkOptions, requireInteger, ValueError } from "@offprint/tensor-core";
import {
  bayesianOptimizer,
  type OptimizerOptions,
  type OptimizerState,
  optimizerOptionNames,
  type Trial,
} from "./optimizer.js";
import type { Settings, Variable } from "./search-space.js";

/** What is to be optimised. */
export interface BoProblem {
  /** What can be varied. */
  readonly space: readonly Variable[];
  /**
   * What comes out of a trial: a number, or one for each objective, or a promise of them. Those of a batch are asked at once.
   */
  readonly objective: (
    settings: (string | number)[],
  ) => number | readonly number[] | Promise<number | readonly number[]>;
}

/** One batch of trials. */
export interface BoRecord {
  /** From 1. */
  readonly iteration: number;
  /** Trials so far. */
  readonly trials: number;
  /** The best value so far, or the hypervolume that is dominated. */
  readonly progress: number;
}

/** A run as it can be saved. */
export type BoState = RunState<OptimizerState, BoRecord>;

/** Options of {@link optimize}. */
export interface BoOptions extends Omit<OptimizerOptions, "state">, RunOptions<BoRecord, BoState> {
  /** Batches at most, the first one included, >= 1. Default 20. */
  readonly maxIterations?: number;
  /** q: trials of a batch, >= 1. Default 1. */
  readonly batchSize?: number;
}

/** What {@link optimize} gives. */
export interface BoResult {
  /** The best settings; of several objectives those of the first of the front. */
  readonly x: Settings;
  /** The best value, or the hypervolume that is dominated. */
  readonly objective: number;
  /** Trials that no other one dominates. */
  readonly front: readonly Trial[];
  /** All trials. */
  readonly trials: readonly Trial[];
  /** `limit` where all batches were made. */
  readonly status: Status;
  /** Batches made. */
  readonly iterations: number;
  /** One record for each. */
  readonly history: readonly BoRecord[];
  /** What a further run resumes from. */
  readonly state: BoState;
}

/**
 * Optimises an objective that can be called: the first batch is of even points, each further one is what the optimiser
 * suggests from all trials before.
 *
 * @throws ValueError for options out of range, and where the objective gives what is not finite.
 * @example
 * ```ts
 * import { optimize } from "@offprint/bnn-bo";
 *
 * const space = [{ kind: "real", lower: -5, upper: 5 }, { kind: "integer", lower: 1, upper: 9 }] as const;
 * const objective = ([x, n]: (string | number)[]) => (Number(x) - 1) ** 2 + (Number(n) - 4) ** 2;
 * const { x, objective: least } = await optimize({ space, objective }, { maxIterations: 8, batchSize: 2 });
 * console.log(x, least);
 * ```
 */
export async function optimize(problem: BoProblem, options: BoOptions = {}): Promise<BoResult> {
  const owner = "optimize";
  checkOptions(owner, options, [
    "maxIterations",
    "batchSize",
    ...optimizerOptionNames.filter((name) => name !== "state"),
    ...runOptionNames,
  ]);
  checkOptions(`${owner}: the problem`, problem, ["space", "objective"], ["space", "objective"]);
  if (typeof problem.objective !== "function")
    throw new ValueError(`${owner}: objective must be a function of settings`);
  const { maxIterations = 20, batchSize = 1, onProgress, signal, checkpoint, resume, ...rest } = options;
  requireInteger(owner, "maxIterations", maxIterations, 1);
  requireInteger(owner, "batchSize", batchSize, 1);
  // Checks the rest.
  const first = bayesianOptimizer(problem.space, rest);
  const { initialTrials = Math.min(20, 2 * first.space.dimension + 2) } = rest;
  const of = (state: OptimizerState) => bayesianOptimizer(problem.space, { ...rest, state });
  const { last, ...run } = await runLoop<OptimizerState, BoRecord>(
    {
      owner,
      limit: maxIterations,
      initial: () => first.state,
      async step(state) {
        const optimizer = of(state);
        const settings = await optimizer.suggest(state.trials.length === 0 ? initialTrials : batchSize, {
          ...(signal && { signal }),
        });
        const values = await Promise.all(settings.map((each) => problem.objective([...each])));
        settings.forEach((each, k) => {
          optimizer.observe(each, values[k]);
        });
        return optimizer.state;
      },
      record: (state, iteration) => ({ iteration, trials: state.trials.length, progress: of(state).progress }),
      check: (state) => void of(state),
    },
    pick({ onProgress, signal, checkpoint, resume }),
  );
  const optimizer = of(last);
  const { front, best, progress } = optimizer;
  const x = best?.settings ?? front[0]?.settings ?? [];
  return { ...run, x, objective: progress, front, trials: last.trials };
}

function pick(options: RunOptions<BoRecord, BoState>): RunOptions<BoRecord, BoState> {
  return Object.fromEntries(
    runOptionNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}
