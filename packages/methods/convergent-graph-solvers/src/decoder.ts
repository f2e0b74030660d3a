import { readout } from "@offprint/graph";
import { type Activation, type ActivationName, type FloatType, type LinearParams, mlp } from "@offprint/nn";
import { expandDims, mul, type Rng, type Tensor } from "@offprint/tensor-core";
import type { GraphInput, Readout } from "./model.js";

/** From the states of nodes to outputs: for each node, or for each graph after its nodes were put together. */
export interface Decoder {
  init(rng: Rng, dtype?: FloatType): readonly LinearParams[];
  apply(params: readonly LinearParams[], states: Tensor, input: GraphInput): Tensor;
}

/** @param sizes width of a state, of the hidden layers, number of outputs */
export function decoder(sizes: readonly number[], activation: ActivationName | Activation, reading: Readout): Decoder {
  const network = mlp({ sizes, activation });
  return {
    init: (rng, dtype) => network.init(rng, dtype),
    apply(params, states, { graph, masks }) {
      if (reading === "none") return network.apply(params, states);
      const counted = masks === undefined || reading !== "sum" ? states : mul(states, expandDims(masks.nodes, 1));
      return network.apply(params, readout(graph, counted, reading));
    },
  };
}
