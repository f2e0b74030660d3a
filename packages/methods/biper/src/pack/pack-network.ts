import { checkOptions, isTensor, requireFinite, requireObject, type Tensor, tree } from "@offprint/tensor-core";
import { requireNetwork } from "../network-part.js";
import type { TrainedNetwork } from "../trained-network.js";
import { fused } from "./fuse.js";
import { NotBinarizedError } from "./not-binarized-error.js";
import { PackedModel } from "./packed-model.js";

/** Options of `packNetwork`. */
export interface PackOptions {
  /** Texts to keep in the file, such as names of classes. */
  metadata?: Readonly<Record<string, string>>;
}

/**
 * A trained network for inference: binary layers become packed ones, normalisations after them scales, shifts or integer
 * thresholds; the rest runs in float32.
 * @throws NotBinarizedError for a network of stage 1 or with real weights; ValueError for values that are not finite.
 */
export function packNetwork<P, S>(model: TrainedNetwork<P, S>, options: PackOptions = {}): PackedModel {
  requireObject("packNetwork", "model", model, "a TrainedNetwork");
  checkOptions("packNetwork", options, ["metadata"]);
  const { network, params, state, stage } = model;
  if (stage !== 2) {
    throw new NotBinarizedError(
      `packNetwork: weights not binarised: the network is of stage ${stage}, whose weights are real; train stage 2 first`,
    );
  }
  const names = tree.paths(params);
  requireNetwork("packNetwork", network, ["pack"]);
  tree.leaves<Tensor>(params).forEach((leaf, i) => {
    if (isTensor(leaf)) requireFinite("packNetwork", names[i], leaf);
  });
  return new PackedModel(fused(network.pack(params, state, "")), options.metadata);
}
