import {
  batchExtremes,
  estimateNoise,
  krylovSpectrum,
  polyak,
  spectralDensity,
  trainByCurvature,
} from "../src/index.js";

/** What the claims are about; a test puts something else in its place. */
export interface Method {
  /** Theorem 1. */
  readonly batchExtremes: typeof batchExtremes;
  /** `Gamma` and the eigenvalues of batch Hessians. */
  readonly estimateNoise: typeof estimateNoise;
  /** Lanczos. */
  readonly krylovSpectrum: typeof krylovSpectrum;
  /** Rates from a spectrum. */
  readonly polyak: typeof polyak;
  /** Stochastic Lanczos quadrature. */
  readonly spectralDensity: typeof spectralDensity;
  /** The learner. */
  readonly trainByCurvature: typeof trainByCurvature;
}

/** The method of the paper. */
export const batchLr: Method = {
  batchExtremes,
  estimateNoise,
  krylovSpectrum,
  polyak,
  spectralDensity,
  trainByCurvature,
};
