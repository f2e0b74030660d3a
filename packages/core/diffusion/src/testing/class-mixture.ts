import { type Rng, type Tensor, tensor } from "@offprint/tensor-core";
import { type GaussianMixture, gaussianMixture } from "../gaussian-mixture.js";

/** Data whose class and content are independent, so that an edit of the class must leave the content alone. */
export interface ClassMixture {
  /** Eight entries: two that the class decides, six of content. Components `0` to `5` are of class 0, the rest of class 1. */
  readonly mixture: GaussianMixture;
  /** The weights of a class, `[count, components]`. */
  condition(label: 0 | 1, count: number): Tensor;
  /** Draws of a class, `[count, 8]`. */
  draw(rng: Rng, label: 0 | 1, count: number): Tensor;
}

/** Two classes of two modes each (variance 0.1), three contents that both share (variance 0.15). */
export function classMixture(rng: Rng): ClassMixture {
  const contents = rng.normal([3, 6], { dtype: "float64" }).toArray() as number[][];
  const modes = [-1.5, 1.5].flatMap((first) => [-0.5, 0.5].map((second) => [first, second]));
  const means = modes.flatMap((mode) => contents.map((content) => [...mode, ...content]));
  const variances = means.map((mean) => mean.map((_, i) => (i < 2 ? 0.1 : 0.15)));
  const mixture = gaussianMixture({ means, variances });
  const kept = (label: 0 | 1) => means.map((_, k) => (k < 6 === (label === 0) ? 1 : 0));
  return {
    mixture,
    condition: (label, count) =>
      tensor(
        Array.from({ length: count }, () => kept(label)),
        { dtype: "float64" },
      ),
    draw: (draws, label, count) => mixture.sample(draws, count, tensor(kept(label), { dtype: "float64" })).x,
  };
}
