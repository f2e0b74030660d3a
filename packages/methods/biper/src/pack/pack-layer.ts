import type { Tensor } from "@offprint/tensor-core";
import type { BinaryParams } from "../binary-convolution.js";
import type { Geometry } from "../geometry.js";
import type { WeightRule } from "../weight-rules.js";
import { packWeights } from "./bits.js";
import { NotBinarizedError } from "./not-binarized-error.js";
import type { PackedLayer } from "./packed-part.js";

/** A binary layer with its weights packed, as the layer computes in stage 2. */
export function packedLayer(
  path: string,
  { weight, alpha }: BinaryParams,
  rule: WeightRule,
  geometry: Geometry,
  { binaryActivations, padValue }: Pick<PackedLayer, "binaryActivations" | "padValue">,
): PackedLayer {
  if (!rule.binary) {
    throw new NotBinarizedError(
      `packNetwork: weights not binarised: ${path} has weights of the rule "${rule.name}", which are real in stage 2 too`,
    );
  }
  const scale = rule.scale === undefined ? (alpha as Tensor) : rule.scale(weight);
  return {
    kind: "binary",
    name: path,
    weights: packWeights(rule.weights(weight, 2)),
    geometry,
    binaryActivations,
    omega: rule.omega ?? null,
    scale: Float64Array.from(scale.data()),
    shift: new Float64Array(scale.size),
    clamp: false,
    padValue,
  };
}
