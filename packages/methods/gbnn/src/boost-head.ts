import type { Tensor, TensorLike } from "@offprint/tensor-core";
import type { Boosted } from "./boost.js";
import { type DenseNetwork, type NetworkOptions, toNetwork } from "./dense-network.js";
import { type FitOptions, fitClassifier, fitRegressor } from "./fit.js";

/** A trained body: inputs to features, `[samples, ...]` to `[samples, features]`. An ONNX model will do. */
export type Body = (x: TensorLike) => Promise<Tensor> | Tensor;

/** Final layers that were boosted on the features of a frozen body. */
export interface BoostedHead extends Boosted {
  /** The layers to put after the body; the standardisation of the features is folded in. */
  head(options?: Pick<NetworkOptions, "keepBlocks">): DenseNetwork;
  /** The body's features for inputs, to be given to `predictClasses`, `predictNumbers` or `stagedScore`. */
  features: Body;
}

/**
 * Replaces the last layers of a network: the body is frozen, and the hidden and output layers are boosted on its
 * features.
 *
 * @param task what `y` holds.
 * @param x the body's inputs, `[samples, ...]`.
 * @throws as `fitClassifier` and `fitRegressor`, for what the body gives.
 */
export async function boostHead(
  body: Body,
  task: "classification" | "regression",
  x: TensorLike,
  y: Tensor | ArrayLike<number | string>,
  options: FitOptions = {},
): Promise<BoostedHead> {
  const features = await (await body(x)).host();
  const boosted =
    task === "classification"
      ? await fitClassifier(features, y, options)
      : await fitRegressor(features, y as TensorLike, options);
  return { ...boosted, head: (chosen) => toNetwork(boosted.model, chosen), features: body };
}
