import {
  jitSync,
  matmul,
  mean,
  type random,
  square,
  sub,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  transpose,
  vmap,
} from "@offprint/tensor-core";
import type { ModelTree, SampledPosterior, Sampler } from "./posterior.js";
import type { RegressionNetwork } from "./regression-network.js";

/** Programs of a network whose posterior is a set of weights. */
export interface WeightPrograms {
  /** `[K, n]` outputs of K weights `[K, P]`. */
  readonly outputs: (weights: Tensor, x: Tensor) => Tensor;
  readonly sampler: Sampler;
}

/** @internal */
export function weightPrograms({ apply }: RegressionNetwork): WeightPrograms {
  const outputs = (weights: Tensor, x: Tensor) => vmap((each: Tensor) => apply(each, x))(weights);
  const sampler: Sampler = {
    // A function is one weight vector, at all points: their correlation is what batches are chosen by.
    values: (model, points, base) => take(outputs(model as Tensor, points), base, 0),
    base: (model, rng: random.Rng, count) => rng.randint([count], { high: (model as Tensor).shape[0] }),
  };
  return { outputs: jitSync(outputs), sampler };
}

/** @internal The mixture of networks with these weights `[K, P]`. */
export function weightPosterior(
  { outputs, sampler }: WeightPrograms,
  weights: Tensor,
  { offset, deviation }: { readonly offset: number; readonly deviation: number },
): SampledPosterior {
  const at = (x: TensorLike) =>
    outputs(weights, tensor(x, { dtype: "float64" }))
      .mul(deviation)
      .add(offset);
  const centred = (x: TensorLike) => {
    const values = at(x);
    return sub(values, mean(values, { axis: 0, keepDims: true }));
  };
  return {
    model: weights as ModelTree,
    sampler,
    ...{ offset, deviation },
    mean: (x) => mean(at(x), 0),
    variance: (x) => mean(square(centred(x)), 0),
    covariance(x) {
      const values = centred(x);
      return matmul(transpose(values), values).div(weights.shape[0]);
    },
  };
}
