import type { Backend, Tensor } from "@offprint/tensor-core";
import type { Motion } from "./motion.js";
import type { SettledProblem } from "./problem.js";

/** @internal Everything that determines a run of a swarm; randomness is a function of the step. */
export interface SwarmPlan {
  /** The public function, for messages. */
  readonly owner: string;
  readonly problem: SettledProblem;
  /** Number of particles. */
  readonly n: number;
  /** Number of coordinates. */
  readonly d: number;
  readonly dtype: "float32" | "float64";
  /** K. */
  readonly steps: number;
  /** The particles at step `first`, `[n, d]`. */
  readonly start: Tensor;
  /** 0, or the step of the state that is resumed. */
  readonly first: number;
  readonly motion: Motion;
  /** Scale of the noise that leads to the particles of step k >= 1. */
  readonly scaleAt: (k: number) => number;
  /** Weight of the consensus of step k >= 0. */
  readonly alphaAt: (k: number) => number;
  /** Standard normal numbers `[n, d]`, row-major, that lead to the particles of step k >= 1. */
  readonly normalsAt: (k: number) => ArrayLike<number>;
  /** Random batches of particles; undefined: all of them, always. */
  readonly batches: ParticleBatches | undefined;
  /** gamma lr dt of the gradient drift; 0 for none. */
  readonly descent: number;
}

/** @internal Which particles decide, and which of them move. */
export interface ParticleBatches {
  /** Particles per batch. */
  readonly size: number;
  /** Whether only the particles of the batch move. */
  readonly partial: boolean;
  /** The batch whose consensus is that of step k, `[size]`. */
  readonly rowsAt: (k: number) => Int32Array;
}

/** @internal What is known of a swarm at a step. */
export interface StepRecord {
  readonly k: number;
  readonly consensus: Float64Array;
  /** Mean energy under the weights. */
  readonly energy: number;
  /** Root of the mean square distance of all particles to the consensus. */
  readonly spread: number;
  /** Largest distance. */
  readonly radius: number;
  readonly nEff: number;
  /** Least energy among the particles that decided. */
  readonly least: number;
  /** The particle that has it. */
  readonly best: Float64Array;
}

/** @internal What carries a plan out. */
export interface Swarm {
  /** Records of step k and, at will, of steps after it, at most `limit` in all. Called with k in order, without gaps. */
  run(k: number, limit: number): Promise<StepRecord[]>;
  /** The particles at a step that the last `run` recorded, in memory. */
  particlesAt(k: number): Promise<Tensor>;
  /** Frees what it holds. */
  release(): Promise<void>;
}

/** @internal Where a run is carried out. */
export interface Execution {
  readonly backend: Backend | undefined;
  /** Steps in one run of the backend. */
  readonly stepsPerRun: number;
}
