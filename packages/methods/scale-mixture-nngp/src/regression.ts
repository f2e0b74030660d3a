import { condition, type Kernel, type Posterior } from "@offprint/gaussian-process";
import {
  add,
  checkOptions,
  mean,
  mul,
  random,
  requireChoice,
  requireNonNegative,
  square,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";
import { Prediction } from "./prediction.js";
import { checkInference, type ScaleBelief, type ScaleInference, scaleBelief } from "./scale-posterior.js";
import { checkPrior, type ScalePrior } from "./scale-prior.js";
import { inUnits, standardised, type Units } from "./standard-units.js";

/** Options of {@link regress}. */
export interface RegressOptions {
  /** H. Default inverse gamma with shape 2 and rate 2. */
  readonly prior?: ScalePrior;
  /** epsilon >= 0, the variance of the observations in units of s (default 1e-6). */
  readonly noise?: number;
  /** Whether `noise` is that variance (default), or a part of the mean variance of the training points. */
  readonly ridge?: "absolute" | "relative";
  /**
   * Whether inputs and targets are standardised by the training points' moments (default false); predictions,
   * densities and evidence are in the targets' own units all the same.
   */
  readonly standardize?: boolean;
  /** How generic priors are computed with. */
  readonly inference?: ScaleInference;
}

/**
 * Regression with a scale mixture of Gaussian processes: y | s ~ N(0, s (K + noise I)) with s ~ H. Exact for point and
 * inverse-gamma priors, by one Cholesky factorisation and a one-dimensional integral for the others (sections 3 and 4).
 *
 * @param kernel - K: `nngp(...)` of `@offprint/gaussian-process` or any other kernel.
 * @param x - `[n, d]`; n may be 0.
 * @param y - `[n]`.
 * @throws ShapeError, ValueError for what does not fit; ConvergenceError where K is not positive definite.
 * @example
 * const process = regress(nngp({ kind: "fullyConnected", depth: 4, readoutVariance: 1 }), x, y, { noise: 0.1 });
 * process.predict(z).interval(0.9);
 * @see https://arxiv.org/abs/2107.01408
 */
export function regress(
  kernel: Kernel,
  x: TensorLike,
  y: TensorLike,
  options: RegressOptions = {},
): ScaleMixtureProcess {
  const owner = "regress";
  checkOptions(owner, options, ["prior", "noise", "ridge", "standardize", "inference"]);
  const { prior = { kind: "inverseGamma", shape: 2, rate: 2 }, ridge = "absolute", standardize = false } = options;
  const { noise = 1e-6, inference = {} } = options;
  checkPrior(owner, prior);
  requireNonNegative(owner, "noise", noise);
  requireChoice(owner, "ridge", ridge, ["absolute", "relative"]);
  requireChoice(owner, "standardize", standardize, [true, false]);
  const settings = checkInference(owner, inference);
  const { x: points, y: values, units } = standardised(x, y, standardize);
  const relative = ridge === "relative" && points.rank === 2 && points.shape[0] > 0;
  const size = relative ? mean(kernel.diagonal(points)).item() : 1;
  const posterior = condition(kernel, points, values, { noise: noise * size });
  const belief = scaleBelief(owner, prior, posterior.count, posterior.quadratic, settings);
  return new ScaleMixtureProcess(posterior, belief, { prior, noise: noise * size, units });
}

interface Description {
  readonly prior: ScalePrior;
  readonly noise: number;
  readonly units: Units | undefined;
}

/** A scale mixture of Gaussian processes after observations. Made by {@link regress}. */
export class ScaleMixtureProcess {
  /** H. */
  readonly prior: ScalePrior;
  /** Variance of the observations in units of s, as it was used. */
  readonly noise: number;
  /** What the observations say of s. */
  readonly scale: ScaleBelief;
  /** Log density of the observations. */
  readonly logEvidence: number;
  readonly #posterior: Posterior;
  readonly #units: Units | undefined;

  /** @internal */
  constructor(posterior: Posterior, belief: ScaleBelief, { prior, noise, units }: Description) {
    this.prior = prior;
    this.noise = noise;
    this.scale = belief;
    this.#posterior = posterior;
    this.#units = units;
    // The part of the Gaussian process of scale 1 that depends on s is -q/2.
    const rest = posterior.logEvidence + posterior.quadratic / 2;
    const perValue = units === undefined ? 0 : Math.log(units.y.size.item());
    this.logEvidence = rest + belief.logEvidence - posterior.count * perValue;
  }

  /** The kernel K. */
  get kernel(): Kernel {
    return this.#posterior.kernel;
  }

  /** What was added to the diagonal of K so that it could be factorised. */
  get jitter(): number {
    return this.#posterior.jitter;
  }

  /**
   * What is predicted at the rows of `x` `[m, d]`.
   * @param options - `noisy`: of targets, with their noise (default), or of the function.
   */
  predict(x: TensorLike, options: { readonly noisy?: boolean } = {}): Prediction {
    checkOptions("predict", options, ["noisy"]);
    const { noisy = true } = options;
    const at = inUnits(this.#units?.x, x);
    const { mean: location, variance: known } = this.#posterior.marginals(at);
    const scale = noisy ? add(known, this.noise) : known;
    const units = this.#units?.y;
    if (units === undefined) return new Prediction(location, scale, this.scale.law);
    return new Prediction(add(units.centre, mul(units.size, location)), mul(square(units.size), scale), this.scale.law);
  }

  /**
   * The same observations under another prior of the scale, without factorising anew.
   * @throws ValueError for what is no prior.
   */
  under(prior: ScalePrior, inference: ScaleInference = {}): ScaleMixtureProcess {
    checkPrior("under", prior);
    const { count, quadratic } = this.#posterior;
    const belief = scaleBelief("under", prior, count, quadratic, checkInference("under", inference));
    return new ScaleMixtureProcess(this.#posterior, belief, { prior, noise: this.noise, units: this.#units });
  }

  /** Functions drawn at the rows of x: `[count, m]`, each with its own s. */
  sample(x: TensorLike, options: { readonly rng?: random.Rng; readonly count?: number } = {}): Tensor {
    checkOptions("sample", options, ["rng", "count"]);
    const { rng, count = 1 } = options;
    const at = inUnits(this.#units?.x, x);
    const location = this.#posterior.mean(at);
    const drawn = this.#posterior.sample(at, { count, ...(rng === undefined ? {} : { rng }) });
    const source = rng ?? random.rng("scales");
    const sizes = Float64Array.from({ length: count }, () => Math.sqrt(this.scale.sample(source)));
    const functions = add(location, mul(tensor(sizes, { dtype: "float64" }).reshape([count, 1]), sub(drawn, location)));
    const units = this.#units?.y;
    return units === undefined ? functions : add(units.centre, mul(units.size, functions));
  }
}
