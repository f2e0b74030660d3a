import { type Graph, sampledProduct } from "@offprint/graph";
import { add, mean, slice, square, sub, type Tensor } from "@offprint/tensor-core";
import { binaryLosses } from "./objectives.js";

/** What a pair is judged by: the sum of `e = z_u * z_v` (`ce`), or of its squares less theta (`ff`). */
export type LinkLogit = "ce" | "ff";

/** The logit of every pair, `[pairs]`. */
export function linkLogits(kind: LinkLogit, z: Tensor, pairs: Graph, theta: number): Tensor {
  if (kind === "ce") return sampledProduct(pairs, z, z);
  const squares = square(z);
  return sub(sampledProduct(pairs, squares, squares), theta);
}

/**
 * The local loss of a layer. `ce`: mean binary cross-entropy over all pairs; `ff`: its mean over linked pairs plus its
 * mean over the others.
 * @param positives number of linked pairs, which come first
 */
export function linkLoss(kind: LinkLogit, z: Tensor, pairs: Graph, positives: number, theta: number): Tensor {
  const logits = linkLogits(kind, z, pairs, theta);
  const linked = mean(binaryLosses(slice(logits, [{ stop: positives }]), 1));
  const others = mean(binaryLosses(slice(logits, [{ start: positives }]), 0));
  if (kind === "ff") return add(linked, others);
  const share = positives / pairs.edges;
  return add(linked.mul(share), others.mul(1 - share));
}
