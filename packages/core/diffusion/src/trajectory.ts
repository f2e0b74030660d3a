import {
  type RunOptions,
  type RunResult,
  type RunState,
  requireStateLike,
  runLoop,
  runOptionNames,
} from "@offprint/solvers";
import {
  type Backend,
  checkOptions,
  NonFiniteError,
  requireChoice,
  requireFinite,
  requireInteger,
  requireObject,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import type { Denoiser } from "./denoiser.js";
import { type Evaluator, evaluator } from "./evaluator.js";
import { checkLevels, type GridOptions, gridNames, levelGrid } from "./grid.js";
import type { Level } from "./level.js";

/** What is told of a step. */
export interface SamplerRecord {
  /** Number of the step, 1 for the first. */
  readonly step: number;
  /** Time of the level that it led to. */
  readonly t: number;
  /** `sigma / alpha` there. */
  readonly ratio: number;
  /** Root mean square of the state. */
  readonly rms: number;
  /** What a sampler that fits measurements still misses them by, root mean square; absent for others. */
  readonly residual?: number;
}

/** Where a sampler stands. */
export interface SamplerPoint<S = unknown> {
  /** What it carries along: a tree of tensors. */
  readonly carried: S;
  /** Calls of the denoiser so far. */
  readonly calls: number;
  /** The sampler that it is of. */
  readonly sampler: string;
  /** Ratios of noise of its grid, so that a state is not gone on with on another. */
  readonly grid: readonly number[];
}

/** A state to go on from. */
export type SamplerState<S = unknown> = RunState<SamplerPoint<S>, SamplerRecord>;

/** What every sampler takes. */
export interface SamplerOptions<C = Tensor> extends GridOptions, RunOptions<SamplerRecord, SamplerState> {
  /** Steps of the grid. Default 50. */
  readonly steps?: number;
  /** The grid itself, from clean to noisy, instead of `steps` and how they are spread. */
  readonly levels?: readonly Level[];
  /** Handed to the denoiser. */
  readonly condition?: C;
  /** Element type of the states. Default float64: a network in float32 is called with rounded states, and nothing is lost between calls. */
  readonly dtype?: "float32" | "float64";
  /** Where the denoiser is compiled. Default the compiler of tensor-core. */
  readonly backend?: Backend;
}

/** The names of {@link SamplerOptions}, for `checkOptions`. */
export const samplerNames = [
  "steps",
  "levels",
  "condition",
  "dtype",
  "backend",
  ...gridNames,
  ...runOptionNames,
] as const;

/** What every sampler gives. */
export interface SamplerResult {
  /** The last state, `[batch, ...]`. */
  readonly x: Tensor;
  /** Steps made. */
  readonly steps: number;
  /** Calls of the denoiser. */
  readonly calls: number;
  /** The levels that were used, from clean to noisy. */
  readonly levels: readonly Level[];
  /** How it ended: `limit` after all steps. */
  readonly status: RunResult<unknown, unknown, never>["status"];
  /** The record of every step. */
  readonly history: readonly SamplerRecord[];
  /** What `resume` goes on from. */
  readonly state: SamplerState;
}

/** A sampler's input, checked. */
export interface Sampling<C> {
  /** The public function, for messages. */
  readonly owner: string;
  /** The state to begin with. */
  readonly z: Tensor;
  /** From clean to noisy. */
  readonly levels: readonly Level[];
  /** Calls the denoiser with the condition, and counts. */
  readonly call: Pick<Evaluator<C>, "noise" | "data">;
  /** Calls so far. */
  readonly count: () => number;
  /** The denoiser's weight of guidance. */
  readonly guidance?: number;
  /** How it is run: progress, signal, checkpoints, a state to go on from. */
  readonly running: RunOptions<SamplerRecord, SamplerState>;
}

/**
 * Checks what every sampler takes and makes its grid; the rest of a sampler is a step under {@link runTrajectory}.
 * @param extra names of the sampler's own options
 * @throws ValueError, ShapeError
 */
export function prepareSampling<C>(
  owner: string,
  denoiser: Denoiser<C>,
  initial: TensorLike,
  options: SamplerOptions<C> & { readonly seed?: unknown },
  extra: readonly string[] = [],
): Sampling<C> {
  checkOptions(owner, options, [...samplerNames, ...extra]);
  requireDenoiser(owner, denoiser);
  const { steps = 50, levels, condition, dtype = "float64", backend, ...rest } = options;
  requireInteger(owner, "steps", steps, 1);
  requireChoice(owner, "dtype", dtype, ["float32", "float64"]);
  if (levels !== undefined && options.steps !== undefined) {
    throw new ValueError(`${owner}: levels are the grid, so that steps says nothing; leave one of them out`);
  }
  const idle = levels === undefined ? undefined : gridNames.find((name) => options[name] !== undefined);
  if (idle !== undefined) {
    throw new ValueError(`${owner}: levels are the grid, so that ${idle} says nothing; leave one of them out`);
  }
  const z = stateOf(owner, "initial", initial, dtype);
  const grid = levels === undefined ? gridOf(owner, denoiser, steps, rest) : checkLevels(owner, levels);
  const evaluate = evaluator(denoiser, backend);
  let calls = 0;
  const counted =
    (kind: "noise" | "data"): Evaluator<C>["noise"] =>
    (state, level, own) => {
      calls++;
      return evaluate[kind](state, level, own ?? condition);
    };
  return {
    owner,
    z,
    levels: grid,
    call: { noise: counted("noise"), data: counted("data") },
    count: () => calls,
    ...(denoiser.guidance !== undefined && { guidance: denoiser.guidance }),
    running: options,
  };
}

/** A state in memory, finite, with a batch. @throws ShapeError, ValueError */
export function stateOf(owner: string, name: string, x: TensorLike, dtype: "float32" | "float64" = "float64"): Tensor {
  const z = tensor(x, { dtype });
  if (z.rank < 2 || z.size === 0) {
    throw new ShapeError(`${owner}: ${name} has shape [${z.shape}]; it must be [batch, ...] and not empty`);
  }
  requireFinite(owner, name, z);
  return z;
}

function requireDenoiser<C>(owner: string, denoiser: Denoiser<C>): void {
  const given = denoiser as Partial<Denoiser<C>> | null | undefined;
  if (typeof given?.predict === "function" && given.schedule !== undefined && given.prediction !== undefined) return;
  throw new ValueError(`${owner}: the denoiser must be { prediction, schedule, predict(z, level, condition) }`);
}

function gridOf<C>(owner: string, { schedule }: Denoiser<C>, steps: number, options: SamplerOptions<C>): Level[] {
  const chosen = Object.fromEntries(
    gridNames.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
  try {
    return levelGrid(schedule, steps, chosen);
  } catch (error) {
    if (error instanceof ValueError)
      throw new ValueError(error.message.replace(/^levelGrid/, owner), { cause: error } as never);
    throw error;
  }
}

/** A walk along a grid as data. */
export interface Trajectory<S> {
  /** What it carries along at its beginning. */
  readonly initial: () => S;
  /** Step `k`, from 1, of `total`. Must not change what it is given. */
  readonly step: (carried: S, k: number) => Promise<S>;
  /** Number of steps. Default: all of the grid. */
  readonly total?: number;
  /** The state in what is carried. */
  readonly position: (carried: S) => Tensor;
  /** The place in the grid after step `k`. */
  readonly placeAfter: (k: number) => number;
  /** The `residual` of records, for samplers that fit measurements. */
  readonly residual?: (carried: S) => number;
  /** Options that states grow with: where one stops being finite, they may be too large. */
  readonly factors?: readonly string[];
}

/** What {@link runTrajectory} gives: a sampler's result, and what it carried at the end. */
export interface TrajectoryResult<S> extends SamplerResult {
  /** What was carried at the end. */
  readonly carried: S;
}

/**
 * Runs a walk along a grid under the contract of long work.
 * @throws NonFiniteError that names the level where a state stops being finite, with the last good state.
 */
export async function runTrajectory<C, S>(
  sampling: Sampling<C>,
  trajectory: Trajectory<S>,
): Promise<TrajectoryResult<S>> {
  requireObject("runTrajectory", "sampling", sampling, "a Sampling");
  requireObject("runTrajectory", "trajectory", trajectory, "a Trajectory");
  const { owner, levels, count, running, guidance = 0 } = sampling;
  const { initial, step, position, placeAfter, residual, total = levels.length - 1 } = trajectory;
  const large = [...(trajectory.factors ?? []), ...(guidance === 0 ? [] : ["weight of guidance"])];
  const smaller = large.length === 0 ? "" : `take a smaller ${large.join(" or ")}, or `;
  const grid = levels.map(({ alpha, sigma }) => sigma / alpha);
  const { onProgress, signal, checkpoint, resume } = running;
  const { last, status, iterations, history, state } = await runLoop<SamplerPoint<S>, SamplerRecord, never>(
    {
      owner,
      limit: total,
      limitName: "steps",
      initial: () => ({ carried: initial(), calls: 0, sampler: owner, grid }),
      async step({ carried, calls }, k) {
        const before = count();
        const next = await step(carried, k);
        const { t, sigma } = levels[placeAfter(k)];
        if (!Number.isFinite(rootMeanSquare(position(next)))) {
          throw new NonFiniteError(
            `the state at level t = ${t}, sigma = ${sigma}, is not finite; ${smaller}look at what the denoiser gives there`,
          );
        }
        return { carried: next, calls: calls + count() - before, sampler: owner, grid };
      },
      record({ carried }, k) {
        const { t, alpha, sigma } = levels[placeAfter(k)];
        const missed = residual && { residual: residual(carried) };
        return { step: k, t, ratio: sigma / alpha, rms: rootMeanSquare(position(carried)), ...missed };
      },
      check({ carried, calls, sampler, grid: before }) {
        if (sampler !== owner) {
          throw new ValueError(`${owner}: resume is a state of ${String(sampler)}; give one of ${owner}`);
        }
        const fits =
          Array.isArray(before) && before.length === grid.length && before.every((ratio, i) => ratio === grid[i]);
        if (!fits || !Number.isSafeInteger(calls)) {
          throw new ValueError(`${owner}: resume is a state of another grid; give the same steps and levels as before`);
        }
        requireStateLike(owner, carried, initial());
      },
    },
    {
      ...(onProgress !== undefined && { onProgress }),
      ...(signal !== undefined && { signal }),
      ...(checkpoint !== undefined && { checkpoint }),
      ...(resume !== undefined && { resume: resume as SamplerState<S> }),
    },
  );
  const { carried, calls } = last;
  return { x: position(carried), steps: iterations, calls, levels, status, history, state, carried };
}

function rootMeanSquare(x: Tensor): number {
  const values = x.data();
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] * values[i];
  return Math.sqrt(total / values.length);
}
