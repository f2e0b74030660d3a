import { memo } from "@offprint/claims";
import type { BoSurrogate } from "../src/index.js";
import { bayesianOptimizer, gp, hamiltonianMonteCarlo, ibnn, laplacePosterior } from "../src/index.js";
import type { Problem } from "./problems.js";

/** What the claims are about; tests put a baseline or a broken variant in the place of a part. */
export interface Method {
  /** The optimiser. */
  readonly bayesianOptimizer: typeof bayesianOptimizer;
  /** The usual process. */
  readonly gp: typeof gp;
  /** The infinitely wide network. */
  readonly ibnn: typeof ibnn;
  /** The sampler. */
  readonly hamiltonianMonteCarlo: typeof hamiltonianMonteCarlo;
  /** The approximation around trained weights. */
  readonly laplacePosterior: typeof laplacePosterior;
}

/** The package's own. */
export const published: Method = { bayesianOptimizer, gp, ibnn, hamiltonianMonteCarlo, laplacePosterior };

/** Sizes of a run. */
export interface RunSize {
  /** Even points at first. */
  readonly initialTrials: number;
  /** Trials of a batch, and batches. */
  readonly batch: number;
  readonly batches: number;
}

/** Progress at first and after each batch; without a surrogate of even points alone. */
export const boRun = memo(
  async (
    { seed, signal },
    method: Method,
    problem: Problem,
    surrogate: BoSurrogate | null,
    { initialTrials, batch, batches }: RunSize,
    k: number,
  ): Promise<number[]> => {
    const all = initialTrials + batch * batches;
    const optimizer = method.bayesianOptimizer(problem.space, {
      maximize: problem.maximize,
      seed: `${seed}/${k}`,
      initialTrials: surrogate === null ? all : initialTrials,
      ...(surrogate !== null && { surrogate }),
      ...(problem.reference && { reference: problem.reference, objectives: problem.reference.length }),
    });
    const progress: number[] = [];
    for (let b = 0; b <= batches; b++) {
      for (const settings of await optimizer.suggest(b === 0 ? initialTrials : batch, { signal })) {
        optimizer.observe(settings, problem.objective(settings));
      }
      progress.push(optimizer.progress);
    }
    return progress;
  },
  (...parts) => parts,
);
