import { ValueError } from "@offprint/tensor-core";
import type { GradientTransformation } from "./transformation.js";

/** The states of the parts of a chain, in order. */
export type ChainState = readonly unknown[];

/**
 * One transformation after the other: each takes as gradients what the one before gave as updates.
 * @example chain(clipByGlobalNorm(1), adam({ learningRate: 3e-4 }))
 * @throws ValueError where nothing is given to chain.
 */
export function chain(...parts: readonly GradientTransformation[]): GradientTransformation<ChainState> {
  if (parts.length === 0) throw new ValueError("chain: no transformations given; give at least one");
  return {
    init: (params) => parts.map((part) => part.init(params)),
    update(gradients, state, params) {
      if (state.length !== parts.length) {
        throw new ValueError(`chain: the state has ${state.length} parts, the chain ${parts.length}; use its own init`);
      }
      let updates = gradients;
      const next = parts.map((part, i) => {
        const result = part.update(updates, state[i], params);
        updates = result.updates;
        return result.state;
      });
      return { updates, state: next };
    },
  };
}
