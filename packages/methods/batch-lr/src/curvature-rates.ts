import {
  checkOptions,
  NonFiniteError,
  random,
  requireDecayRate,
  requireInteger,
  requireNonNegative,
  requirePositive,
} from "@offprint/tensor-core";
import { spiked, trueExtreme } from "./batch-extremes.js";
import { type BatchLoss, curvature } from "./curvature.js";
import { effectiveBatch } from "./effective-batch.js";
import { type KrylovSpectrum, krylovSpectrum, randomDirection } from "./krylov.js";
import { type PolyakOptions, polyak } from "./learning-rates.js";
import { shrinkageDamping } from "./shrinkage-damping.js";

/** The noise of batch Hessians, for what is measured on one batch and used on another, and for damping. */
export interface LearnerNoise {
  /** `Gamma`, such as that of {@link estimateNoise}. */
  readonly gamma: number;
  /** Isotropic `Gamma`, for the damping (default `gamma`). */
  readonly isotropic?: number;
  /** Samples of a batch on which curvature is measured. */
  readonly measuredBatch: number;
  /** Samples of a training batch. */
  readonly trainingBatch: number;
  /** `N` (default infinite). */
  readonly samples?: number;
}

/** A measurement of the curvature. */
export interface CurvatureMeasurement {
  /** Whether it gave new rates; else the ones before were kept. */
  readonly outcome: "measured" | "no-positive-curvature" | "diverged";
  /** `L`; NaN where it was not finite. */
  readonly largest: number;
  /** `mu`; NaN where there are no new rates. */
  readonly smallest: number;
  /** `delta`, for methods of second order, where the noise is known. */
  readonly damping?: number;
}

/** Options of {@link curvatureRates}. */
export interface CurvatureRatesOptions extends Omit<PolyakOptions, "largest"> {
  /** Lanczos steps of a measurement, >= 1 (default `min(P, 16)`). */
  readonly lanczosSteps?: number;
  /** Weight of the earlier largest curvature in a running mean, in [0, 1) (default 0). */
  readonly smoothing?: number;
  /** Rate used before a positive curvature was found, > 0 (default 0.01). */
  readonly learningRate?: number;
  /** Known noise: the largest curvature is carried over from the measured batch to the training batch by Theorem 1. */
  readonly noise?: LearnerNoise;
  /** Source of the probes (default 0). */
  readonly seed?: number | string;
}

/** Rates, and what they were found from. */
export interface MeasuredRates {
  /** `alpha`. */
  readonly learningRate: number;
  /** `rho`. */
  readonly momentum: number;
  /** The running mean of the largest curvature; NaN before the first. */
  readonly largest: number;
  /** What was measured; null for the rates that there are before. */
  readonly measured: CurvatureMeasurement | null;
}

/** Measures rates; what {@link curvatureRates} gives. */
export interface CurvatureRates<P, B> {
  /** The rates before anything was measured. */
  readonly first: MeasuredRates;
  /**
   * The rates at some parameters, measured on a batch.
   *
   * @param step names the probe: the same step gives the same rates
   * @param before those of the measurement before, kept where this one finds no positive curvature
   * @throws NonFiniteError never: curvature that is not finite is an outcome, `"diverged"`
   */
  at(params: P, batch: B, step: number, before?: MeasuredRates): MeasuredRates;
  /** Lets go of what is compiled. */
  release(): void;
}

/** The names of {@link CurvatureRatesOptions}, for `checkOptions`. */
export const curvatureRatesNames = [
  ...["lanczosSteps", "smoothing", "learningRate", "noise", "seed"],
  ...["smallest", "safety", "maxMomentum", "momentum"],
] as const;

/**
 * Learning rate and momentum for a training loop of your own, measured by Lanczos on the batch's curvature whenever the
 * loop asks: heavy ball, `v <- momentum v + gradient`, `w <- w - learningRate v`, as `trainByCurvature` does it.
 *
 * @param params parameters of the shapes of those that are trained
 * @throws ValueError for options out of range
 * @example
 * const measure = curvatureRates(loss, params);
 * let rates = measure.first;
 * for (let step = 0; step < steps; step++) {
 *   if (step % 40 === 0) rates = measure.at(params, batch(step), step, rates);
 *   params = train(params, batch(step), rates.learningRate, rates.momentum);
 * }
 */
export function curvatureRates<P, B>(
  loss: BatchLoss<P, B>,
  params: P,
  options: CurvatureRatesOptions = {},
): CurvatureRates<P, B> {
  checkOptions("curvatureRates", options, curvatureRatesNames);
  return ratesFor("curvatureRates", loss, params, options);
}

/** The same under another function's name. */
export function ratesFor<P, B>(
  owner: string,
  loss: BatchLoss<P, B>,
  initial: P,
  options: CurvatureRatesOptions,
): CurvatureRates<P, B> {
  const hessian = curvature(loss);
  const size = hessian.sizeOf(initial);
  const { lanczosSteps = Math.min(size, 16), smoothing = 0, learningRate = 0.01 } = options;
  const { noise, seed = 0, smallest, safety, maxMomentum, momentum } = options;
  requireInteger(owner, "lanczosSteps", lanczosSteps, 1, size);
  requireDecayRate(owner, "smoothing", smoothing);
  requirePositive(owner, "learningRate", learningRate);
  const rates: PolyakOptions = { smallest, safety, maxMomentum, momentum };
  polyak({ nodes: [1], weights: [1] }, rates);
  if (noise !== undefined) checkNoise(owner, noise);
  const first = { learningRate, momentum: 0, largest: Number.NaN, measured: null };
  return {
    first,
    at(params, batch, step, before = first) {
      const without = (outcome: "no-positive-curvature" | "diverged", largest: number): MeasuredRates => ({
        ...before,
        measured: { outcome, largest, smallest: Number.NaN },
      });
      const start = randomDirection(random.rng(`${seed}/probe/${step}`), size);
      let spectrum: KrylovSpectrum;
      try {
        spectrum = krylovSpectrum(hessian.at(params, batch), start, lanczosSteps);
      } catch (error) {
        if (error instanceof NonFiniteError) return without("diverged", Number.NaN);
        throw error;
      }
      const found = carriedOver(spectrum.nodes[spectrum.nodes.length - 1], noise);
      const largest = Number.isNaN(before.largest) ? found : smoothing * before.largest + (1 - smoothing) * found;
      const next = polyak(spectrum, { ...rates, largest });
      if (next === undefined) return without("no-positive-curvature", found);
      const damping = noise && shrinkageDamping(spectrum, noise.isotropic ?? noise.gamma, noise.measuredBatch, largest);
      const measured = { outcome: "measured", largest, smallest: next.smallest } as const;
      return {
        learningRate: next.learningRate,
        momentum: next.momentum,
        largest,
        measured: damping === undefined ? measured : { ...measured, damping },
      };
    },
    release: () => hessian.release(),
  };
}

function checkNoise(owner: string, noise: LearnerNoise): void {
  checkOptions(`${owner}: noise`, noise, ["gamma", "isotropic", "measuredBatch", "trainingBatch", "samples"]);
  const { gamma, isotropic = 0, measuredBatch, trainingBatch, samples } = noise;
  requireNonNegative(owner, "noise.gamma", gamma);
  requireNonNegative(owner, "noise.isotropic", isotropic);
  if (samples !== undefined) requireInteger(owner, "noise.samples", samples, 1);
  requireInteger(owner, "noise.measuredBatch", measuredBatch, 1, samples);
  requireInteger(owner, "noise.trainingBatch", trainingBatch, 1, samples);
}

/** The top eigenvalue on training batches from that on measured ones; as it is where it drowns in the noise. */
function carriedOver(top: number, noise: LearnerNoise | undefined): number {
  if (noise === undefined) return top;
  const { gamma, measuredBatch, trainingBatch, samples } = noise;
  const full = trueExtreme({ top, gamma, effective: effectiveBatch(measuredBatch, samples) });
  if (full === undefined) return top;
  return spiked(full, gamma / effectiveBatch(trainingBatch, samples), "always-spike");
}
