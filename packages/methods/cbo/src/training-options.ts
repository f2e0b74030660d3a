import type { Figures, RunOptions, RunState, Status } from "@offprint/solvers";
import type { Backend, Tensor, TensorLike } from "@offprint/tensor-core";
import type { NoiseKind } from "./cbo.js";

/** Samples and what is to be predicted from them, both along axis 0. */
export interface TrainingData {
  /** `[samples, ...]`. */
  readonly inputs: Tensor;
  /** `[samples, ...]`. */
  readonly targets: Tensor;
}

/** What an epoch left behind. */
export interface EpochRecord {
  /** Number of the epoch, from 1. */
  readonly epoch: number;
  /** Mean over the steps of the energy under the weights of the consensus, each on its own batch. */
  readonly loss: number;
  /** Root of the mean square distance of the particles to their mean, after the epoch. */
  readonly spread: number;
  /** sigma of the epoch. */
  readonly sigma: number;
  /** alpha of the epoch. */
  readonly alpha: number;
  /** Particles at its end. */
  readonly particles: number;
  /** How often the consensus stood still and all particles were shaken. */
  readonly restarts: number;
  /** Losses of a particle on a batch so far. */
  readonly evaluations: number;
  /** What `evaluate` gave. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Where training stands between two epochs, as a tree. */
export interface SwarmTrainingState {
  /** Epochs finished. */
  readonly epoch: number;
  /** `[N, P]`. */
  readonly particles: Tensor;
  /** The last consensus, `[P]`. */
  readonly consensus: Tensor;
  /** Variance of the swarm after the last epoch, for particle reduction. */
  readonly variance: number;
  /** Losses of a particle on a batch so far. */
  readonly evaluations: number;
}

/** Options of `cboTrain`; the defaults are those of the authors' experiments with networks. */
export interface SwarmTrainingOptions extends RunOptions<EpochRecord, RunState<SwarmTrainingState, EpochRecord>> {
  /** N, >= 2. Default 100. */
  particles?: number;
  /** Particles that decide on a consensus, between 1 and N. Default 10. */
  batchParticles?: number;
  /** Samples that a loss is taken over, >= 1. Default 60. */
  batchSize?: number;
  /** Passes over the data, >= 0. Default 100. */
  epochs?: number;
  /** Time step, > 0. Default 0.1. */
  dt?: number;
  /** Pull towards the consensus, >= 0. Default 1. */
  lambda?: number;
  /** Strength of the noise in the first epoch, >= 0. Default the root of 0.4. */
  sigma?: number;
  /** Inverse temperature in the first epoch, and for the result, >= 0. Default 50. */
  alpha?: number;
  /** Default "anisotropic". */
  noise?: NoiseKind;
  /** Displacement before the drift or after it. Default "pre". */
  noiseAt?: "pre" | "post";
  /** After epoch e sigma becomes `sigma log2(e + 1) / log2(e + 2)`, and alpha doubles. Default true. */
  cooling?: boolean;
  /** Every consensus moves all particles ("full", default), or those that decided ("partial"). */
  batchUpdate?: "full" | "partial";
  /** Drop particles as their variance falls, at most a fifth an epoch. Default false. */
  reduction?: boolean;
  /** The first particles, `[N, P]`. Default drawn from N(mean, std^2). */
  initial?: TensorLike;
  /** Default 0. */
  mean?: TensorLike;
  /** Default 1. */
  std?: TensorLike;
  /** Seed of all randomness. Default 0. */
  seed?: number | string;
  /** Element type of the particles. Default that of the inputs. */
  dtype?: "float32" | "float64";
  /** Compiles the steps in place of this package's own compiler. */
  backend?: Backend;
  /** Figures to record after each epoch, such as the accuracy on held-out data, of the swarm's consensus `[P]`. */
  evaluate?: (theta: Tensor) => Figures;
}

/** @internal The names of {@link SwarmTrainingOptions} beside those of every run. */
export const trainingOptionNames = [
  "particles",
  "batchParticles",
  "batchSize",
  "epochs",
  "dt",
  "lambda",
  "sigma",
  "alpha",
  "noise",
  "noiseAt",
  "cooling",
  "batchUpdate",
  "reduction",
  "initial",
  "mean",
  "std",
  "seed",
  "dtype",
  "backend",
  "evaluate",
] as const satisfies readonly (keyof SwarmTrainingOptions)[];

/** What `cboTrain` gives. */
export interface SwarmTrainingResult {
  /** The consensus of all particles on all data, `[P]`. */
  readonly theta: Tensor;
  /** Its loss on all data. */
  readonly objective: number;
  /** How it ended: it never converges. */
  readonly status: Exclude<Status, "converged">;
  /** Epochs made, those of resumed runs included. */
  readonly epochs: number;
  /** An entry for each epoch. */
  readonly history: readonly EpochRecord[];
  /** What may be wrong with the options, in sentences. */
  readonly warnings: readonly string[];
  /** To go on from, with `resume`. */
  readonly state: RunState<SwarmTrainingState, EpochRecord>;
}
