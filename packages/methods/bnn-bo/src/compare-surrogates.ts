import { requireInteger, ValueError } from "@offprint/tensor-core";
import { type BoOptions, type BoProblem, optimize } from "./optimize.js";
import { bayesianOptimizer } from "./optimizer.js";
import type { BoSurrogate } from "./posterior.js";

/** How a surrogate has done, over all trials of the comparison. */
export interface SurrogateTrace {
  /** The surrogate's name, or `"sobol"`. */
  readonly name: string;
  /** Mean of the best value, or of the hypervolume, after each batch. */
  readonly mean: readonly number[];
  /** Its standard error; 0 of one trial. */
  readonly standardError: readonly number[];
}

/** Options of {@link compareSurrogates}. */
export interface CompareOptions extends Omit<BoOptions, "surrogate" | "onProgress" | "checkpoint" | "resume"> {
  /** Runs of each surrogate, which begin with the same points, >= 1. Default 5. */
  readonly trials?: number;
}

/**
 * Runs surrogates, and even points without any, on a problem: which one to take depends on it.
 *
 * @throws ValueError for options out of range.
 */
export async function compareSurrogates(
  problem: BoProblem,
  surrogates: readonly BoSurrogate[],
  options: CompareOptions = {},
): Promise<SurrogateTrace[]> {
  const { trials = 5, seed = 0, ...rest } = options;
  requireInteger("compareSurrogates", "trials", trials, 1);
  if (!Array.isArray(surrogates))
    throw new ValueError("compareSurrogates: surrogates must be a list, such as [gp(), ibnn()]");
  const { maxIterations = 20, batchSize = 1 } = rest;
  const traces: SurrogateTrace[] = [];
  for (const surrogate of [undefined, ...surrogates]) {
    const runs: number[][] = [];
    for (let k = 0; k < trials; k++) {
      const own = { ...rest, seed: `${seed}/${k}` };
      if (surrogate !== undefined) {
        const { history } = await optimize(problem, { ...own, surrogate });
        runs.push(history.map(({ progress }) => progress));
      } else runs.push(await evenRun(problem, own, maxIterations, batchSize));
      if (rest.signal?.aborted) break;
    }
    traces.push(traceOf(surrogate?.name ?? "sobol", runs));
  }
  return traces;
}

/** The same number of even points. */
async function evenRun(problem: BoProblem, options: BoOptions, batches: number, q: number): Promise<number[]> {
  const { maxIterations: _, batchSize: __, signal, onProgress: ___, checkpoint: ____, resume: _____, ...own } = options;
  const dimension = bayesianOptimizer(problem.space, own).space.dimension;
  const { initialTrials = Math.min(20, 2 * dimension + 2) } = own;
  const all = initialTrials + (batches - 1) * q;
  const optimizer = bayesianOptimizer(problem.space, { ...own, initialTrials: all });
  const progress: number[] = [];
  for (let k = 0; k < batches && !signal?.aborted; k++) {
    for (const settings of await optimizer.suggest(k === 0 ? initialTrials : q)) {
      optimizer.observe(settings, await problem.objective([...settings]));
    }
    progress.push(optimizer.progress);
  }
  return progress;
}

function traceOf(name: string, runs: readonly number[][]): SurrogateTrace {
  const length = Math.min(...runs.map((run) => run.length));
  const columns = Array.from({ length }, (_, k) => runs.map((run) => run[k]));
  const mean = columns.map((column) => column.reduce((a, b) => a + b, 0) / column.length);
  const standardError = columns.map((column, k) => {
    const squares = column.reduce((sum, v) => sum + (v - mean[k]) ** 2, 0);
    return column.length > 1 ? Math.sqrt(squares / (column.length - 1) / column.length) : 0;
  });
  return { name, mean, standardError };
}
