import { type Tensor, type TensorLike, ValueError } from "@offprint/tensor-core";
import type { Boosted } from "./boost.js";
import type { Targets, Task } from "./cross-validation.js";
import { type DenseNetwork, type NetworkOptions, toNetwork } from "./dense-network.js";
import { fitClassifier, fitRegressor } from "./fit.js";
import type { FitOptions } from "./options.js";
import { requireWord } from "./requirements.js";

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
  task: Task,
  x: TensorLike,
  y: Targets,
  options: FitOptions = {},
): Promise<BoostedHead> {
  if (typeof body !== "function") {
    throw new ValueError(`boostHead: the body is ${String(body)}; give a function from inputs to features`);
  }
  requireWord("boostHead", "task", task, ["classification", "regression"]);
  const features = await (await body(x)).host();
  const boosted =
    task === "classification"
      ? await fitClassifier(features, y as ArrayLike<number | string>, options)
      : await fitRegressor(features, y as TensorLike, options);
  return { ...boosted, head: (chosen) => toNetwork(boosted.model, chosen), features: body };
}
