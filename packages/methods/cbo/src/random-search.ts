import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import { checkOptions, hostTensor, requireInteger, type Tensor, ValueError } from "@offprint/tensor-core";
import { requireDecided } from "./consensus-point.js";
import { type CboProblem, feasible, settleProblem } from "./problem.js";
import { firstParticles, type StartOptions } from "./start.js";
import { requirePoint } from "./swarm-settings.js";

/** Best of a search after some samples. */
export interface RandomSearchRecord {
  /** Batches of samples after the first. */
  readonly iteration: number;
  /** Least energy so far. */
  readonly best: number;
}

/** Where a search stands, as a tree. */
export interface RandomSearchState {
  /** The best sample so far, `[d]`. */
  readonly x: Tensor;
  /** E there. */
  readonly objective: number;
}

/** Options of `randomSearch`. */
export interface RandomSearchOptions
  extends StartOptions,
    RunOptions<RandomSearchRecord, RunState<RandomSearchState, RandomSearchRecord>> {
  /** N, the samples of a batch, >= 1. Default 200. */
  readonly particles?: number;
  /** K, the batches after the first, >= 0. Default 250: N (K + 1) evaluations, as a swarm of N particles takes in K steps. */
  readonly maxIterations?: number;
  /** Default 0. */
  readonly seed?: number | string;
}

/** What a random search found. */
export interface RandomSearchResult {
  /** The best sample, `[d]`. */
  readonly x: Tensor;
  /** E there. */
  readonly objective: number;
  /** How it ended: it never converges. */
  readonly status: Exclude<Status, "converged">;
  /** Batches of samples after the first. */
  readonly iterations: number;
  /** The best after each of them. */
  readonly history: readonly RandomSearchRecord[];
  /** Evaluations of E. */
  readonly evaluations: number;
  /** To go on from, with `resume`. */
  readonly state: RunState<RandomSearchState, RandomSearchRecord>;
}

/**
 * The best of samples from the distribution in which `cbo` starts: what a swarm must beat with as many evaluations.
 * @throws ValueError and ShapeError for options out of range and where E is finite at none of the first samples.
 */
export async function randomSearch(
  problem: CboProblem,
  options: RandomSearchOptions = {},
): Promise<RandomSearchResult> {
  const owner = "randomSearch";
  checkOptions(owner, options, ["particles", "maxIterations", "mean", "std", "seed", ...runOptionNames]);
  const { particles: n = 200, maxIterations = 250, seed = 0 } = options;
  requireInteger(owner, "particles", n, 1);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  const settled = settleProblem(owner, problem, { mean: options.mean, std: options.std });
  const { dimension: d, evaluator, box } = settled;
  const bestOf = async (k: number): Promise<RandomSearchState> => {
    const points = feasible(settled, firstParticles(owner, box, options, n, d, `${seed}/${k}/start`), owner);
    const energies = await evaluator.evaluate(points);
    let best = 0;
    for (let i = 1; i < n; i++) if (energies[i] < energies[best] || Number.isNaN(energies[best])) best = i;
    const x = Float64Array.from(points.data().subarray(best * d, (best + 1) * d));
    return { x: hostTensor(x, [d], "float64"), objective: energies[best] };
  };
  const { last, ...run } = await runLoop<RandomSearchState, RandomSearchRecord, never>(
    {
      owner,
      limit: maxIterations,
      initial: async () => {
        const first = await bestOf(0);
        requireDecided(owner, { least: first.objective }, n, "");
        return first;
      },
      step: async (state, k) => {
        const next = await bestOf(k);
        return next.objective < state.objective ? next : state;
      },
      record: ({ objective }, iteration) => ({ iteration, best: objective }),
      check({ x, objective }) {
        requirePoint(owner, "resume.x", x, d);
        if (Number.isFinite(objective)) return;
        throw new ValueError(`${owner}: resume.objective is ${String(objective)}; give the \`state\` of a search`);
      },
    },
    options,
  );
  return { ...run, ...last, evaluations: n * (run.iterations + 1) };
}
