import { add, asTensor, mul, type Tensor, ValueError } from "@offprint/tensor-core";
import { type NetworkPart, requireNetwork } from "./network-part.js";
import type { RegularizerKind } from "./weight-rules.js";

/**
 * The regulariser of the loss, summed over the binary layers: `tau mean(sin^2(omega w))`, between 0 and tau for each.
 * It pulls |sin| towards 0, as a periodic weight decay; `cos2` pulls it towards 1.
 * @param tau >= 0: a number, or a scalar tensor where it is an input of a compiled step
 * @throws ValueError for a negative tau.
 * @see the official code; the paper's equation of the training loss
 */
export function sineRegularizer<P>(
  network: NetworkPart<P>,
  params: P,
  tau: number | Tensor,
  kind: RegularizerKind = "sin2",
): Tensor {
  requireNetwork("sineRegularizer", network, ["layers"]);
  if (typeof tau === "number" && !(tau >= 0 && tau < Infinity)) {
    throw new ValueError(`sineRegularizer: tau is ${tau}; it must be a finite number >= 0`);
  }
  const penalties = network.layers(params, "").flatMap(({ rule, weight }) => rule.penalty?.(weight, kind) ?? []);
  return penalties.length === 0
    ? asTensor(0)
    : mul(
        penalties.reduce((a, b) => add(a, b)),
        tau,
      );
}
