import {
  type AttentiveMessagePassingParams,
  attentiveMessagePassing,
  type EdgeList,
  type NodesAndEdges,
  type Reduction,
} from "@offprint/graph";
import type { Activation, ActivationName, FloatType } from "@offprint/nn";
import { type Rng, requireInteger, type Tensor } from "@offprint/tensor-core";

/** Options that all models share. */
export interface EncoderOptions {
  /** Features of a node that come in. */
  readonly nodeInputs: number;
  /** Features of an edge that come in. */
  readonly edgeInputs: number;
  /** Width of nodes and edges between layers. Default 64. */
  readonly hidden?: number;
  /** Widths of the hidden layers of the encoder's perceptrons. Default `[64]`. */
  readonly mlp?: readonly number[];
  /** How messages are put together. Default `sum`. */
  readonly reduction?: Reduction;
  /** Of all perceptrons. Default `leakyRelu`; the paper takes `silu` for the classification of graphs. */
  readonly activation?: ActivationName | Activation;
}

/** @internal Names of {@link EncoderOptions}. */
export const encoderOptionNames = ["nodeInputs", "edgeInputs", "hidden", "mlp", "reduction", "activation"] as const;

/** Layers of message passing, one after the other. */
export interface Encoder {
  init(rng: Rng, dtype?: FloatType): AttentiveMessagePassingParams[];
  apply(params: readonly AttentiveMessagePassingParams[], nodes: Tensor, edges: Tensor, graph: EdgeList): NodesAndEdges;
}

/**
 * `layers` layers of attentive message passing: `hidden` wide between, `outputs` wide at the end, for nodes and for edges.
 * @param linearOutputs whether perceptrons have linear outputs rather than the activation there too
 */
export function encoder(
  owner: string,
  options: EncoderOptions,
  { layers, outputs, linearOutputs }: { layers: number; outputs: number; linearOutputs: boolean },
): Encoder {
  const { nodeInputs, edgeInputs, hidden = 64, mlp = [64], reduction = "sum", activation = "leakyRelu" } = options;
  for (const [name, value] of Object.entries({ nodeInputs, edgeInputs, hidden })) requireInteger(owner, name, value, 1);
  const stack = Array.from({ length: layers }, (_, k) =>
    attentiveMessagePassing({
      nodeInputs: k === 0 ? nodeInputs : hidden,
      edgeInputs: k === 0 ? edgeInputs : hidden,
      nodeOutputs: k === layers - 1 ? outputs : hidden,
      hidden: mlp,
      reduction,
      activation,
      ...(linearOutputs && { outputActivation: "identity" as const }),
    }),
  );
  return {
    init: (rng, dtype) => stack.map((layer) => layer.init(rng, dtype)),
    apply: (params, nodes, edges, graph) =>
      stack.reduce<NodesAndEdges>((state, layer, k) => layer.apply(params[k], state.nodes, state.edges, graph), {
        nodes,
        edges,
      }),
  };
}
