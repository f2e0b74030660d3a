import { add, div, log, mul, neg, square, sub, sum, type Tensor, tensor } from "@offprint/tensor-core";
import type { SampledPosterior } from "./posterior.js";
import type { Standardised } from "./standardise.js";

/** Variances that network surrogates do not learn. */
export interface Variances {
  /** Of the weights, before. */
  readonly prior: number;
  /** Of the noise of standardised values. */
  readonly noise: number;
}

/** Where variances come from. */
export interface TuningOptions {
  /** Variance of the weights before, > 0. Default 1. */
  readonly priorVariance?: number;
  /** Variance of the noise of standardised values, > 0. Default 0.1. */
  readonly noiseVariance?: number;
  /**
   * Whether a grid of variances is searched - fitted to four fifths of the data, judged by the likelihood of the rest - before
   * each fit (`"each"`), the first one (`"first"`), or never (default).
   */
  readonly tune?: "each" | "first" | "never";
}

const PRIORS = [0.1, 1, 10];
const NOISES = [0.01, 0.1, 1];
const TRAINED = 0.8;

/** Mean log likelihood of values under independent normals. */
function logLikelihood(y: Tensor, mean: Tensor, variance: Tensor): number {
  const terms = add(log(variance), div(square(sub(y, mean)), variance));
  return neg(mul(0.5, sum(terms))).item();
}

/** @internal The variances to fit with. */
export async function tunedVariances(
  { priorVariance = 1, noiseVariance = 0.1, tune = "never" }: TuningOptions,
  memory: unknown,
  data: Standardised,
  learn: (data: Standardised, variances: Variances) => Promise<SampledPosterior>,
): Promise<Variances> {
  const fixed = { prior: priorVariance, noise: noiseVariance };
  const n = data.y.size;
  const cut = Math.floor(TRAINED * n);
  if (tune === "never" || cut < 2 || cut === n) return fixed;
  if (tune === "first" && memory !== undefined) return memory as Variances;
  const [head, tail] = [
    { start: 0, stop: cut },
    { start: cut, stop: n },
  ];
  const train = { ...data, x: data.x.slice([head]), y: data.y.slice([head]), offset: 0, deviation: 1 };
  const [x, y] = [data.x.slice([tail]), data.y.slice([tail])];
  let best: { variances: Variances; score: number } = { variances: fixed, score: -Infinity };
  for (const prior of PRIORS) {
    for (const noise of NOISES) {
      const variances = { prior, noise };
      const posterior = await learn(train, variances);
      const spread = add(posterior.variance(x), tensor(noise, { dtype: "float64" }));
      const score = logLikelihood(y, posterior.mean(x), spread);
      if (score > best.score) best = { variances, score };
    }
  }
  return best.variances;
}
