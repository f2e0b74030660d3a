import { breathing } from "@offprint/solvers";
import { UnsupportedError, ValueError } from "@offprint/tensor-core";
import { subNetwork } from "./feed-forward.js";
import { type BoundFigures, boundOf, type LipschitzOptions } from "./lipschitz-bound.js";
import type { CheckedNetwork } from "./network.js";
import { groupLipschitz } from "./neuron-group.js";
import { productParts } from "./product-bound.js";
import type { ProgrammeSession } from "./programme-session.js";
import { roundedUp } from "./proven-norm.js";

/**
 * @internal The product of the bounds of parts of `splitSize` linear layers, times the constants of the activations
 * between the parts: cheap for very deep networks, and between the product bound and the bound of the whole.
 */
export async function splitBound(
  checked: CheckedNetwork,
  options: LipschitzOptions,
  session: ProgrammeSession,
): Promise<BoundFigures> {
  const { splitSize = 1, norm = "l2" } = options;
  if (!Number.isInteger(splitSize) || splitSize < 1) {
    throw new ValueError(`lipschitzBound: splitSize must be an integer >= 1, got ${splitSize}`);
  }
  if (checked.kind !== "feedforward" || norm !== "l2") {
    throw new UnsupportedError("lipschitzBound: splitSize is for feed-forward networks in l2");
  }
  let value = 1;
  let objective = 1;
  let certified = true;
  for (let from = 0; from < checked.weights.length; from += splitSize) {
    const to = Math.min(from + splitSize, checked.weights.length);
    const own = subNetwork(checked, from, to);
    const part =
      to - from === 1 ? await normOf(own) : await boundOf(own, { ...options, splitSize: undefined }, session);
    const between = to < checked.weights.length ? activationConstant(checked, to - 1) : 1;
    value = roundedUp(value * part.value * between, 4);
    objective *= part.objective * between;
    certified &&= part.certified;
  }
  return {
    value,
    certified,
    source: "split",
    objective,
    gap: value / objective - 1,
    certificate: undefined,
  };
}

/** Of one matrix the norm is known. */
async function normOf(part: CheckedNetwork): Promise<Pick<BoundFigures, "value" | "objective" | "certified">> {
  const value = await breathing(productParts(part, "l2"));
  return { value, objective: value, certified: true };
}

function activationConstant({ groups }: CheckedNetwork, layer: number): number {
  return groups.reduce((most, group) => (group.layer === layer ? Math.max(most, groupLipschitz(group)) : most), 0);
}
