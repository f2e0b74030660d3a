import { add, exp, mean, mul, square, sub, sum, type Tensor } from "@offprint/tensor-core";

/** A normal distribution of codes per shape. */
export interface Posterior {
  /** mu, `[batch, codeSize]` */
  readonly mean: Tensor;
  /** log sigma squared, `[batch, codeSize]` */
  readonly logVariance: Tensor;
}

/** Codes `mu + sigma noise`. */
export function reparameterize({ mean: mu, logVariance }: Posterior, noise: Tensor): Tensor {
  return add(mu, mul(exp(mul(logVariance, 0.5)), noise));
}

/** KL divergence to the standard normal distribution, summed over a code and averaged over shapes: a scalar. */
export function klDivergence({ mean: mu, logVariance }: Posterior): Tensor {
  const terms = sub(add(square(mu), exp(logVariance)), add(logVariance, 1));
  return mul(mean(sum(terms, { axis: 1 })), 0.5);
}
