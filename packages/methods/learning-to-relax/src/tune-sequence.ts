import { AbortedError } from "@offprint/tensor-core";
import type { OnlinePolicy } from "./policy.js";

/** One problem, done. */
export interface Round<Setting = number> {
  /** From 0. */
  readonly round: number;
  /** What was chosen. */
  readonly setting: Setting;
  /** What it cost. */
  readonly loss: number;
}

/** Options of {@link tuneSequence}. */
export interface TuneSequenceOptions<Problem, Setting = number> {
  /** The number that the policy is told of a problem beforehand; none unless given. */
  context?: (problem: Problem) => number;
  /** Called after every problem. */
  onProgress?: (round: Round<Setting>) => void;
  /** Stops with an AbortedError before the next problem; what the policy has learned stays. */
  signal?: AbortSignal;
}

/** Costs and choices of a sequence. */
export interface TuneSequenceResult<Setting = number> {
  /** `[T]` costs. */
  readonly losses: Float64Array;
  /** `[T]` choices. */
  readonly settings: Setting[];
  /** Their sum. */
  readonly totalLoss: number;
}

/** Other events get their turn after so many milliseconds. */
const TURN = 30;

/**
 * For every problem: the policy chooses, `solve` solves and says what it cost, the policy learns. Problems are drawn one
 * at a time, so that a generator may make each from the solution of the one before.
 *
 * @param problems - in their order; any iterable, also an asynchronous one.
 * @param solve - solves a problem with a setting; returns the cost, such as the solver's iteration count, >= 0.
 * @param policy - is changed; keep `policy.toJSON()` to go on later.
 * @throws AbortedError; ValueError for costs and contexts out of range; whatever `solve` throws.
 */
export async function tuneSequence<Problem, Setting = number>(
  problems: Iterable<Problem> | AsyncIterable<Problem>,
  solve: (problem: Problem, setting: Setting) => number | Promise<number>,
  policy: OnlinePolicy<Setting>,
  options: TuneSequenceOptions<Problem, Setting> = {},
): Promise<TuneSequenceResult<Setting>> {
  const { context, onProgress, signal } = options;
  const losses: number[] = [];
  const settings: Setting[] = [];
  let turn = Date.now();
  throwIfAborted(signal);
  for await (const problem of problems) {
    throwIfAborted(signal);
    const setting = policy.choose(context?.(problem));
    const loss = await solve(problem, setting);
    policy.update(loss);
    losses.push(loss);
    settings.push(setting);
    onProgress?.({ round: losses.length - 1, setting, loss });
    if (Date.now() - turn > TURN) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      turn = Date.now();
    }
  }
  return { losses: Float64Array.from(losses), settings, totalLoss: losses.reduce((sum, loss) => sum + loss, 0) };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError("tuneSequence: aborted by the caller's signal");
}
