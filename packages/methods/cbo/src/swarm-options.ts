import type { RunOptions, RunState, Status } from "@offprint/solvers";
import type { Backend, Tensor } from "@offprint/tensor-core";

/** What a step left behind. */
export interface SwarmRecord {
  /** Steps made. */
  readonly iteration: number;
  /** The consensus point, `[d]`; absent with `recordPath: false`. */
  readonly consensus?: Float64Array;
  /** Mean energy of the particles under the weights of the consensus: no evaluation of its own. */
  readonly energy: number;
  /** Root of the mean square distance of the particles to the consensus. */
  readonly spread: number;
  /** Effective number of particles that decide. */
  readonly nEff: number;
  /** Least energy seen so far. */
  readonly best: number;
  /** Fresh swarms begun so far, after the first. */
  readonly restarts: number;
}

/** Options of every swarm. */
export interface SwarmOptions extends RunOptions<SwarmRecord, RunState<SwarmState, SwarmRecord>> {
  /** N, the number of particles, >= 2. Default 200; `cbo` within bounds max(40, 10 d). */
  readonly particles?: number;
  /** K, the number of steps of all swarms together, >= 0. Default 250. */
  readonly maxIterations?: number;
  /**
   * Inverse temperature of the weights, >= 0; Infinity for the best particle alone; "auto" chooses it in every step so that
   * about three particles decide, whatever the units of E. Default 100; `cbo` within bounds "auto".
   */
  readonly alpha?: number | "auto";
  /** Seed of all randomness, which is a function of it and of the step. Default 0. */
  readonly seed?: number | string;
  /**
   * Standard normal numbers of your own, `[N, d]`. `cbo` asks for k = 0, ..., K-1, the noise of each step;
   * `consensusHopping` for k = 0, the first samples, and k = 1, ..., K, those after each hop. It may be asked for some steps
   * ahead, and for one again.
   */
  readonly noiseSource?: (k: number) => Tensor;
  /** Most evaluations of E. Steps that would exceed it are not begun. Default no limit. */
  readonly maxEvaluations?: number;
  /**
   * The swarm has collapsed when no particle is further than this from the consensus, > 0. Default when all particles are
   * the same but for rounding, from where nothing moves them; `cbo` within bounds a thousandth of their width, coordinate
   * by coordinate.
   */
  readonly tolerance?: number;
  /** The swarm has stalled when the consensus has moved by at most 1e-5 in every coordinate for so many steps, >= 1. Default never. */
  readonly patience?: number;
  /** Element type of the particles. Default float64, on the GPU of a backend float32. */
  readonly dtype?: "float32" | "float64";
  /** Runs the steps in place of this package's own compiler; needs an objective in operations of tensors. */
  readonly backend?: Backend;
  /** Keep the consensus of every step in the history, d numbers each. Default true. */
  readonly recordPath?: boolean;
}

/** Where a swarm stands, as a tree. */
export interface SwarmState {
  /** `[N, d]`. */
  readonly particles: Tensor;
  /** The last consensus, `[d]`. */
  readonly consensus: Tensor;
  /** Mean energy under the weights of the consensus. */
  readonly energy: number;
  /** Root of the mean square distance of the particles to the consensus. */
  readonly spread: number;
  /** Effective number of particles. */
  readonly nEff: number;
  /** The consensus at the start, `[d]`. */
  readonly start: Tensor;
  /** The best particle of this swarm so far. */
  readonly best: BestParticle;
  /** What the swarms before found, if there were any. */
  readonly earlier: (BestParticle & { readonly consensus: Tensor }) | null;
  /** Fresh swarms begun, after the first. */
  readonly restarts: number;
  /** Steps for which the consensus has not moved. */
  readonly stalled: number;
  /** Evaluations so far. */
  readonly evaluations: number;
  /** What comes next: another step, a fresh swarm, or nothing. */
  readonly next: "step" | "restart" | "end";
}

/** A particle and its energy. */
export interface BestParticle {
  /** `[d]` (float64). */
  readonly x: Tensor;
  /** E there. */
  readonly objective: number;
}

/** What a swarm found. */
export interface SwarmResult {
  /** The last consensus point, `[d]`; after restarts, that of the swarm which found the least energy. */
  readonly x: Tensor;
  /** E there. */
  readonly objective: number;
  /**
   * "converged" where the swarm collapsed or stalled and no fresh one was begun, because none was left or the last had found
   * the best point of before again; "limit" where the steps or the evaluations ran out.
   */
  readonly status: Status;
  /** Steps made, those of resumed runs included. */
  readonly iterations: number;
  /** The records of all steps. */
  readonly history: readonly SwarmRecord[];
  /** The consensus at the start and after every step, `[iterations + 1, d]`; `[0, d]` with `recordPath: false`. */
  readonly path: Tensor;
  /** The best particle ever evaluated, which differs from the consensus for moderate alpha. */
  readonly best: BestParticle;
  /** The particles at the end, `[N, d]`. */
  readonly particles: Tensor;
  /** Evaluations of E, that at `x` included: N (iterations + 1) + 1, and 2 d N a step for a gradient by differences. */
  readonly evaluations: number;
  /** What may be wrong with the options or the run, in sentences. */
  readonly warnings: readonly string[];
  /** To go on from, with `resume`. */
  readonly state: RunState<SwarmState, SwarmRecord>;
}

/** @internal The names of {@link SwarmOptions} beside those of every run. */
export const swarmOptionNames = [
  "particles",
  "maxIterations",
  "alpha",
  "seed",
  "noiseSource",
  "maxEvaluations",
  "tolerance",
  "patience",
  "dtype",
  "backend",
  "recordPath",
] as const satisfies readonly (keyof SwarmOptions)[];
