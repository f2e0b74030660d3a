import {
  add,
  div,
  log,
  mul,
  ShapeError,
  sqrt,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import type { ScaleBelief } from "./scale-posterior.js";
import { quantileOf, type StandardLaw } from "./standard-law.js";

/** What is predicted at some points: each marginal is `mean + sqrt(scale) z`, with one law of z for all. */
export class Prediction {
  /** `[m]` where each is centred: its mean and median. */
  readonly mean: Tensor;
  /** `[m]` squared sizes: variances per unit of s. */
  readonly scale: Tensor;
  readonly #law: StandardLaw;

  /** @internal */
  constructor(mean: Tensor, scale: Tensor, law: StandardLaw) {
    this.mean = mean;
    this.scale = scale;
    this.#law = law;
  }

  /** Of Student's t; infinite for a Gaussian process, undefined where the mixture is another. */
  get degreesOfFreedom(): number | undefined {
    return this.#law.degreesOfFreedom;
  }

  /** `[m]` variances; infinite where there are none. */
  get variance(): Tensor {
    return mul(this.#law.variance, this.scale);
  }

  /** Log densities of `y` `[m]`, or of many values for each point, `[..., m]`. */
  logDensity(y: TensorLike): Tensor {
    return sub(this.#law.logDensity(this.#standardised("logDensity", y)), mul(0.5, log(this.scale)));
  }

  /** Probabilities of values up to `y` `[..., m]`. */
  cdf(y: TensorLike): Tensor {
    return this.#law.cdf(this.#standardised("cdf", y));
  }

  /** `[m]` values below which a share `p` lies, 0 < p < 1. */
  quantile(p: number): Tensor {
    return add(this.mean, mul(quantileOf("quantile", this.#law, p), sqrt(this.scale)));
  }

  /** Central intervals that hold a share `level` of what is predicted, 0 < level < 1. */
  interval(level: number): { readonly low: Tensor; readonly high: Tensor } {
    if (!(level > 0 && level < 1)) throw new ValueError(`interval: level is ${level}; it must be between 0 and 1`);
    return { low: this.quantile((1 - level) / 2), high: this.quantile((1 + level) / 2) };
  }

  /** The same places and sizes, with what another process of the same observations says of the scale. */
  under(scale: ScaleBelief): Prediction {
    return new Prediction(this.mean, this.scale, scale.law);
  }

  #standardised(owner: string, y: TensorLike): Tensor {
    const values = tensor(y, { dtype: "float64" });
    if (values.rank === 0 || values.shape[values.rank - 1] !== this.mean.size) {
      throw new ShapeError(`${owner}: y has shape [${values.shape}]; there are ${this.mean.size} points`);
    }
    return div(sub(values, this.mean), sqrt(this.scale));
  }
}
