import { hostTensor, requireInteger, type Tensor, type TensorLike } from "@offprint/tensor-core";
import { requireDecided } from "./consensus-point.js";
import { type CboProblem, feasible, settleProblem } from "./problem.js";
import { normalStart } from "./start.js";

/** Options of `randomSearch`. */
export interface RandomSearchOptions {
  /** Number of samples, >= 1. Default 50 200, what `cbo` takes by default. */
  evaluations?: number;
  /** Centre of the samples, `[d]` or a number. Default the middle of the bounds, without bounds 0. */
  mean?: TensorLike;
  /** Their standard deviation, `[d]` or a number. Default a quarter of the bounds' width, without bounds 1. */
  std?: TensorLike;
  /** Default 0. */
  seed?: number | string;
  /** Stops between batches; the result is what there is, at least one batch. */
  signal?: AbortSignal;
}

/** What a random search found. */
export interface RandomSearchResult {
  /** The best sample, `[d]`. */
  readonly x: Tensor;
  /** E there. */
  readonly objective: number;
  /** All samples taken, or stopped by the signal. */
  readonly status: "completed" | "aborted";
  /** Batches of samples. */
  readonly iterations: number;
  /** Least energy after each batch. */
  readonly history: { readonly best: Float64Array };
  /** Evaluations of E. */
  readonly evaluations: number;
}

const BATCH = 1000;

/**
 * The best of normal samples, from the distribution in which `cbo` starts: what a swarm must beat with as many evaluations.
 * @throws ValueError and ShapeError for options out of range and where E is finite nowhere.
 */
export async function randomSearch(
  problem: CboProblem,
  options: RandomSearchOptions = {},
): Promise<RandomSearchResult> {
  const owner = "randomSearch";
  const { evaluations = 50_200, seed = 0, signal } = options;
  requireInteger(owner, "evaluations", evaluations, 1);
  const settled = settleProblem(owner, problem, [options.mean, options.std]);
  const { dimension: d, evaluator } = settled;
  let x = new Float64Array(d);
  let least = Infinity;
  const best: number[] = [];
  let done = 0;
  while (done < evaluations && !(signal?.aborted && done > 0)) {
    const n = Math.min(BATCH, evaluations - done);
    const points = feasible(settled, normalStart(owner, settled, options, n, `${seed}/${best.length}`), owner);
    const energies = await evaluator.evaluate(points);
    for (let i = 0; i < n; i++) {
      if (!(energies[i] < least)) continue;
      least = energies[i];
      x = Float64Array.from(points.data().subarray(i * d, (i + 1) * d));
    }
    done += n;
    best.push(least);
  }
  requireDecided(owner, { least }, done, "");
  return {
    x: hostTensor(x, [d], "float64"),
    objective: least,
    status: done < evaluations ? "aborted" : "completed",
    iterations: best.length,
    history: { best: Float64Array.from(best) },
    evaluations: done,
  };
}
