import { sampleCount } from "@offprint/data";
import { runOptionNames } from "@offprint/solvers";
import {
  asTensor,
  checkOptions,
  DTypeError,
  isTensor,
  refuseIdle,
  requireChoice,
  requireFunction,
  requireInteger,
  requireNonNegative,
  requirePositive,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { requireAlpha } from "./consensus-point.js";
import { type Motion, overshooting } from "./motion.js";
import { readTensor, requireGiven } from "./problem.js";
import { firstParticles } from "./start.js";
import { requirePoint, requireSwarmShape } from "./swarm-settings.js";
import {
  type SwarmTrainingOptions,
  type SwarmTrainingState,
  type TrainingData,
  trainingOptionNames,
} from "./training-options.js";
import type { SwarmModel } from "./tree-model.js";

/** @internal The options of `cboTrain`, checked, with defaults. */
export interface TrainingSettings {
  readonly parameters: number;
  readonly batchParticles: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly motion: Motion;
  /** sigma of an epoch, from 1. */
  readonly sigmaOf: (epoch: number) => number;
  /** alpha of an epoch, from 1. */
  readonly alphaOf: (epoch: number) => number;
  readonly dt: number;
  readonly partial: boolean;
  readonly reduction: boolean;
  readonly seed: number | string;
  readonly dtype: "float32" | "float64";
  /** For the result. */
  readonly warnings: readonly string[];
  /** The first particles. */
  readonly start: () => Tensor;
}

/** @internal */
export const TRAINING = "cboTrain";

/** @internal */
export function trainingSettings(
  model: SwarmModel,
  data: TrainingData,
  options: SwarmTrainingOptions,
): TrainingSettings {
  const owner = TRAINING;
  checkOptions(owner, options, [...trainingOptionNames, ...runOptionNames]);
  const { particles = 100, batchParticles = 10, batchSize = 60, epochs = 100, dt = 0.1, lambda = 1 } = options;
  const { sigma = Math.sqrt(0.4), alpha = 50, noise = "anisotropic", noiseAt = "pre", seed = 0 } = options;
  const { cooling = true, batchUpdate = "full", reduction = false } = options;
  requireGiven(owner, model, ["parameters", "loss"]);
  requireGiven(owner, data, ["inputs", "targets"]);
  checkOptions(`${owner}: data`, data, ["inputs", "targets"]);
  requireFunction(owner, "model.loss", model.loss);
  for (const name of ["inputs", "targets"] as const) {
    if (!isTensor(data[name])) throw new ValueError(`${owner}: data.${name} is no tensor; make it with tensor(...)`);
  }
  const { parameters } = model;
  requireInteger(owner, "model.parameters", parameters, 1);
  requireInteger(owner, "particles", particles, 2);
  requireInteger(owner, "batchParticles", batchParticles, 1);
  requireInteger(owner, "batchSize", batchSize, 1);
  requireInteger(owner, "epochs", epochs, 0);
  requirePositive(owner, "dt", dt);
  requireNonNegative(owner, "lambda", lambda);
  requireNonNegative(owner, "sigma", sigma);
  requireAlpha(owner, alpha);
  requireChoice(owner, "noise", noise, ["isotropic", "anisotropic"]);
  requireChoice(owner, "noiseAt", noiseAt, ["pre", "post"]);
  requireChoice(owner, "batchUpdate", batchUpdate, ["full", "partial"]);
  requireChoice(owner, "cooling", cooling, [true, false]);
  requireChoice(owner, "reduction", reduction, [true, false]);
  if (options.evaluate !== undefined && typeof options.evaluate !== "function") {
    throw new ValueError(`${owner}: evaluate is ${String(options.evaluate)}; give a function of theta`);
  }
  if (options.initial !== undefined) refuseIdle(owner, "initial particles", options, ["mean", "std"]);
  if (batchParticles > particles) {
    throw new ValueError(
      `${owner}: batchParticles is ${batchParticles} of ${particles} particles; it must not exceed them`,
    );
  }
  if (sampleCount(data) === 0) throw new ValueError(`${owner}: data holds no samples; give at least one`);
  const dtype = options.dtype ?? (data.inputs.dtype === "float64" ? "float64" : "float32");
  requireChoice(owner, "dtype", dtype, ["float32", "float64"]);
  const given = options.initial === undefined ? undefined : readTensor(owner, "initial", options.initial);
  if (given !== undefined) requireSwarmShape(owner, "initial", given, particles, parameters);
  const drawn = () => firstParticles(owner, undefined, options, particles, parameters, `${seed}/start`);
  return {
    ...{ parameters, batchParticles, batchSize, epochs, dt, reduction, seed, dtype },
    motion: { drift: lambda * dt, noise, noiseAt, unit: 1 },
    // The product of log2(e + 1) / log2(e + 2) over the epochs before.
    sigmaOf: (epoch) => (cooling ? sigma / Math.log2(epoch + 1) : sigma),
    alphaOf: (epoch) => (cooling ? alpha * 2 ** (epoch - 1) : alpha),
    partial: batchUpdate === "partial",
    warnings: overshooting(lambda, dt),
    start: () => asTensor(given ?? drawn(), dtype),
  };
}

/** @internal Throws where a state is not one of this model. */
export function requireTrainingState(
  { parameters, batchParticles, dtype }: TrainingSettings,
  { epoch, particles, consensus, variance, evaluations }: SwarmTrainingState,
): void {
  const owner = TRAINING;
  if (particles === undefined || consensus === undefined || typeof variance !== "number") {
    throw new ValueError(`${owner}: resume is not the state of a training; give the \`state\` of a result`);
  }
  requireInteger(owner, "resume.epoch", epoch, 0);
  requireInteger(owner, "resume.evaluations", evaluations, 0);
  requireNonNegative(owner, "resume.variance", variance);
  const read = readTensor(owner, "resume.particles", particles);
  requireSwarmShape(owner, "resume.particles", read, Math.max(read.shape[0] ?? 0, batchParticles), parameters);
  if (read.dtype !== dtype) {
    throw new DTypeError(
      `${owner}: resume.particles are in ${read.dtype}; give dtype: "${read.dtype}", as the run was made`,
    );
  }
  requirePoint(owner, "resume.consensus", consensus, parameters);
}
