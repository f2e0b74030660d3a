import { readout } from "@offprint/graph";
import { type Activation, type ActivationName, type FloatType, type LinearParams, mlp } from "@offprint/nn";
import { expandDims, mul, type Rng, type Tensor } from "@offprint/tensor-core";
import type { GraphInput, Readout } from "./model.js";

/** A decoder of one's own. */
export interface OwnDecoder<D> {
  /** Draws initial parameters, a tree of tensors. */
  init(rng: Rng, dtype?: FloatType): D;
  /** `[rows, outputs]` from `[rows, heads]`, in operations of tensors; a row is a node, or a graph where these are read out. */
  apply(params: D, states: Tensor): Tensor;
}

/** From the states of nodes to outputs: for each node, or for each graph after its nodes were put together. */
export interface Decoder<D = readonly LinearParams[]> {
  init(rng: Rng, dtype?: FloatType): D;
  apply(params: D, states: Tensor, input: GraphInput): Tensor;
}

/** @param sizes width of a state, of the hidden layers, number of outputs */
export function decoder(sizes: readonly number[], activation: ActivationName | Activation, reading: Readout): Decoder {
  return decoderBy<readonly LinearParams[]>(mlp({ sizes, activation }), reading);
}

/** The same by a network of one's own. */
export function decoderBy<D>(network: OwnDecoder<D>, reading: Readout): Decoder<D> {
  return {
    init: (rng, dtype) => network.init(rng, dtype),
    apply(params, states, { graph, masks }) {
      if (reading === "none") return network.apply(params, states);
      const counted = masks === undefined || reading !== "sum" ? states : mul(states, expandDims(masks.nodes, 1));
      return network.apply(params, readout(graph, counted, reading));
    },
  };
}
