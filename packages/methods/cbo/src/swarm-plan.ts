import type { Tensor } from "@offprint/tensor-core";
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
  /** K, all swarms together. */
  readonly maxIterations: number;
  /** The particles that a swarm begins with, `[n, d]`; the first swarm is number 0. */
  readonly startOf: (swarm: number) => Tensor;
  readonly motion: Motion;
  /** Scale of the noise that leads to the particles of step k >= 1. */
  readonly scaleAt: (k: number) => number;
  /** Weight of the consensus of step k >= 0. */
  readonly alphaAt: (k: number) => number;
  /** Whether alpha follows the energies in place of that. */
  readonly automatic: boolean;
  /** Writes the standard normal numbers `[n, d]` that lead to the particles of step k >= 1. */
  readonly normalsAt: (k: number, out: Float32Array | Float64Array) => void;
  /** Random batches of particles; undefined: all of them, always. */
  readonly batches: ParticleBatches | undefined;
  /** gamma lr dt of the gradient drift; 0 for none. */
  readonly descent: number;
  /** The tolerance along each coordinate, `[d]`: a swarm that has collapsed is that narrow. */
  readonly unit: readonly number[];
  /** Whether a collapsed swarm ends. */
  readonly collapses: boolean;
  /** Fresh swarms after the first, at most. */
  readonly restarts: number;
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
