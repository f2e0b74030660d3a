import type { Predictor } from "@offprint/gaussian-process";
import type { random, Tensor, TensorLike } from "@offprint/tensor-core";

/** What a sampler computes with: a tree of tensors that is an argument of compiled functions. */
export type ModelTree = Tensor | readonly ModelTree[] | { readonly [name: string]: ModelTree };

/**
 * Functions drawn from a posterior at points that acquisition functions move: traceable, differentiable in the points.
 * One object for all models of a kind, as what is compiled with it is kept under it.
 */
export interface Sampler {
  /** `[count, q]` values at points `[q, d]` of the functions that `base` chooses. */
  readonly values: (model: ModelTree, points: Tensor, base: Tensor) => Tensor;
  /** What chooses them, drawn once for a whole search: common random numbers. */
  readonly base: (model: ModelTree, rng: random.Rng, count: number, q: number) => Tensor;
  /** Where functions are Gaussian: `[q]` means and `[q, q]` covariances of standardised values, for closed forms. */
  readonly moments?: (model: ModelTree, points: Tensor) => { readonly mean: Tensor; readonly covariance: Tensor };
}

/** What a surrogate says after observations: moments, and functions to draw. Of values as they were given. */
export interface SampledPosterior extends Predictor {
  /** What the sampler computes with. Its values are standardised: times `deviation`, plus `offset`. */
  readonly model: ModelTree;
  /** Draws functions. */
  readonly sampler: Sampler;
  /** Mean of the observed values. */
  readonly offset: number;
  /** Their deviation. */
  readonly deviation: number;
}

/** What a surrogate is given besides the observations. */
export interface FitContext {
  /** Its chance. Default `random.rng(0)`. */
  readonly rng?: random.Rng;
  /** What it kept of its last fit to this output, such as tuned variances: to start from. */
  readonly memory?: unknown;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/** A model of one output, fitted to observations in the unit box. */
export interface BoSurrogate {
  /** Its name, in tables and states. */
  readonly name: string;
  /** What it says after values `y` `[n]` at the rows of `x` `[n, d]`. */
  readonly fit: (
    x: TensorLike,
    y: TensorLike,
    context?: FitContext,
  ) => Promise<SampledPosterior & { readonly memory?: unknown }>;
}
