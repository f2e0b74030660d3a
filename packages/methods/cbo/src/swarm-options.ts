import type { Backend, Tensor } from "@offprint/tensor-core";

/** What `onProgress` is told. */
export interface SwarmProgress {
  /** Steps made. */
  readonly step: number;
  /** Steps in all. */
  readonly steps: number;
  /** The consensus point, `[d]`. */
  readonly consensus: Float64Array;
  /** Mean energy of the particles under the weights of the consensus: no evaluation of its own. */
  readonly energy: number;
  /** Root of the mean square distance of the particles to the consensus. */
  readonly spread: number;
  /** Effective number of particles that decide. */
  readonly nEff: number;
}

/** Options of every swarm. */
export interface SwarmOptions {
  /** N, the number of particles, >= 2. Default 200. */
  particles?: number;
  /** K, the number of steps, >= 0. Default 250. */
  steps?: number;
  /** Inverse temperature of the weights, >= 0; Infinity for the best particle alone. Default 100. */
  alpha?: number;
  /** Seed of all randomness, which is a function of it and of the step. Default 0. */
  seed?: number | string;
  /**
   * Standard normal numbers of your own, `[N, d]`. `cbo` asks for k = 0, ..., K-1, the noise of each step;
   * `consensusHopping` for k = 0, the first samples, and k = 1, ..., K, those after each hop.
   */
  noiseSource?: (k: number) => Tensor;
  /** Most evaluations of E. Steps that would exceed it are not begun. Default no limit. */
  maxEvaluations?: number;
  /** Converged when no particle is further than this from the consensus, > 0. Default never. */
  tolerance?: number;
  /** Stalled when the consensus has moved by at most 1e-5 in every coordinate for so many steps, >= 1. Default never. */
  patience?: number;
  /** Element type of the particles. Default float64, on the GPU of a backend float32. */
  dtype?: "float32" | "float64";
  /** Compiles whole steps; needs an objective in operations of tensors. Without one they run in memory. */
  backend?: Backend;
  /** Steps in one run of the backend, >= 1. Default as many as have about 250 000 random numbers, at most 64. */
  stepsPerRun?: number;
  /** Keep the consensus of every step in the history, d numbers each. Default true. */
  recordPath?: boolean;
  /** Called after every step, with a backend after every run, and awaited; `"stop"` ends the run there. */
  onProgress?: (progress: SwarmProgress) => unknown;
  /** Stops before the next step (run); the result is what there is. */
  signal?: AbortSignal;
  /** The `state` of an earlier result: goes on from there, bit by bit. Other options must be as they were but `steps`. */
  resume?: SwarmState;
}

/** Where a swarm stands, as plain data and tensors. */
export interface SwarmState {
  /** Steps made. */
  readonly step: number;
  /** `[N, d]`. */
  readonly particles: Tensor;
  /** Evaluations so far; going on evaluates these particles once more. */
  readonly evaluations: number;
  /** The best particle so far. */
  readonly best: BestParticle;
  /** Steps for which the consensus has not moved. */
  readonly stalled: number;
  /** The last consensus, `[d]`. */
  readonly consensus: Tensor;
}

/** A particle and its energy. */
export interface BestParticle {
  /** `[d]`. */
  readonly x: Tensor;
  /** E there. */
  readonly objective: number;
}

/**
 * How a run ended: all steps made; swarm within `tolerance`; consensus at rest for `patience` steps; evaluations spent;
 * stopped by `onProgress`; by the signal; or the particles left the range of numbers (lower sigma, or give bounds).
 */
export type SwarmStatus = "completed" | "converged" | "stalled" | "budget" | "stopped" | "aborted" | "diverged";

/** What every step left behind; entry 0 is the start. */
export interface SwarmHistory {
  /** The consensus point of each step, `[iterations + 1, d]`; `[0, d]` without `recordPath`. */
  readonly consensus: Tensor;
  /** Mean energy under the weights of the consensus. */
  readonly energy: Float64Array;
  /** Root of the mean square distance of the particles to the consensus. */
  readonly spread: Float64Array;
  /** Effective number of particles. */
  readonly nEff: Float64Array;
  /** Least energy seen so far. */
  readonly best: Float64Array;
}

/** What a swarm found. */
export interface SwarmResult {
  /** The last consensus point, `[d]` (float64). */
  readonly x: Tensor;
  /** E there. */
  readonly objective: number;
  /** How the run ended. */
  readonly status: SwarmStatus;
  /** Steps made. */
  readonly iterations: number;
  /** The path and the swarm's figures along it. */
  readonly history: SwarmHistory;
  /** The best particle ever evaluated, which differs from the consensus for moderate alpha. */
  readonly best: BestParticle;
  /** The particles at the end, `[N, d]`. */
  readonly particles: Tensor;
  /** Evaluations of E, that at `x` included: N (iterations + 1) + 1, and 2 d N a step for a gradient by differences. */
  readonly evaluations: number;
  /** What may be wrong with the options or the run, in sentences. */
  readonly warnings: readonly string[];
  /** To go on from, with `resume`. */
  readonly state: SwarmState;
}
