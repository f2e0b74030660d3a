import { checkOptions, type Rng, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { checkCount, checkDeviation } from "./labelled-points.js";

/** A table for regression; a `Dataset` for whoever takes one. */
export interface RegressionTable {
  /** `[count, features]`, float64. */
  readonly inputs: Tensor;
  /** `[count]`, float64. */
  readonly targets: Tensor;
}

/** How the table is drawn. */
export interface FriedmanOptions {
  /** Features, of which the first five matter; >= 5. Default 10. */
  readonly features?: number;
  /** Deviation of the normal noise. Default 1. */
  readonly noise?: number;
}

/**
 * Friedman's first function, `10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5 + noise`, inputs uniform in [0, 1].
 *
 * @throws ValueError for a count or an option out of range
 * @see J. Friedman, Multivariate adaptive regression splines, Annals of Statistics 19, 1991
 */
export function friedman(rng: Rng, count: number, options: FriedmanOptions = {}): RegressionTable {
  checkOptions("friedman", options, ["features", "noise"]);
  const { features = 10, noise = 1 } = options;
  checkCount("friedman", count);
  checkDeviation("friedman", "noise", noise);
  if (!Number.isInteger(features) || features < 5) {
    throw new ValueError(`friedman: features is ${features}; it must be an integer >= 5.`);
  }
  const inputs = rng.uniform([count, features], { dtype: "float64" });
  const x = inputs.data();
  const moves = rng.normal([count], { std: noise, dtype: "float64" }).data();
  const targets = Float64Array.from({ length: count }, (_, i) => {
    const at = i * features;
    return (
      10 * Math.sin(Math.PI * x[at] * x[at + 1]) +
      20 * (x[at + 2] - 0.5) ** 2 +
      10 * x[at + 3] +
      5 * x[at + 4] +
      moves[i]
    );
  });
  return { inputs, targets: tensor(targets) };
}
