import { type Activation, type ActivationName, type FloatType, type LinearParams, mlp } from "@offprint/nn";
import {
  asTensor,
  checkOptions,
  concatenate,
  mul,
  type Rng,
  ShapeError,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";
import type { EdgeList } from "../graph.js";
import { collect, edgeSoftmax, gatherSources, gatherTargets, type Reduction } from "../message-passing.js";
import { requireFeatures, requireWidth } from "./graph-layer.js";

/** Options of `attentiveMessagePassing`. */
export interface AttentiveMessagePassingOptions {
  /** Features of a node that come in. */
  nodeInputs: number;
  /** Features of an edge that come in. */
  edgeInputs: number;
  /** Features of a node that go out. */
  nodeOutputs: number;
  /** Features of an edge that go out. Default as many as of a node. */
  edgeOutputs?: number;
  /** Widths of the hidden layers of the perceptrons. Default `[64]`. */
  hidden?: readonly number[];
  /** How messages are put together. Default `sum`. */
  reduction?: Reduction;
  /** Between the layers of the perceptrons. Default `leakyRelu`. */
  activation?: ActivationName | Activation;
  /** After their last layers. Default that between them. */
  outputActivation?: ActivationName | Activation;
}

/** Parameters of `attentiveMessagePassing`. */
export interface AttentiveMessagePassingParams {
  /** Of the perceptron that gives edges their new features. */
  readonly edge: readonly LinearParams[];
  /** Of the perceptron that weighs messages. */
  readonly attention: readonly LinearParams[];
  /** Of the perceptron that gives nodes their new features. */
  readonly node: readonly LinearParams[];
}

/** Features of nodes and edges. */
export interface NodesAndEdges {
  /** `[nodes, features]` */
  readonly nodes: Tensor;
  /** `[edges, features]` */
  readonly edges: Tensor;
}

/** A layer that takes and gives features of nodes and of edges. */
export interface EdgeGraphLayer<P> {
  /** Draws initial parameters. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): P;
  /** Pure and traceable. */
  apply(params: P, nodes: TensorLike, edges: TensorLike, graph: EdgeList): NodesAndEdges;
}

/**
 * Message passing with edge features and attention: edges become `z' = MLP([z, x_source, x_target])`; nodes become
 * `MLP([sum, mean or largest of alpha z', x])`, where alpha is the softmax, over the edges that enter the node, of a third
 * perceptron of the same inputs.
 * @see Park, Choo and Park, ICLR 2022, arXiv 2106.01680, the encoder.
 */
export function attentiveMessagePassing(
  options: AttentiveMessagePassingOptions,
): EdgeGraphLayer<AttentiveMessagePassingParams> {
  checkOptions("attentiveMessagePassing", options, [
    "nodeInputs",
    "edgeInputs",
    "nodeOutputs",
    "edgeOutputs",
    "hidden",
    "reduction",
    "activation",
    "outputActivation",
  ]);
  const name = "attentiveMessagePassing";
  const { nodeInputs, edgeInputs, nodeOutputs, edgeOutputs = nodeOutputs, hidden = [64], reduction = "sum" } = options;
  for (const [key, width] of Object.entries({ nodeInputs, nodeOutputs, edgeOutputs })) requireWidth(name, key, width);
  const { activation = "leakyRelu", outputActivation = activation } = options;
  const inputs = edgeInputs + 2 * nodeInputs;
  const perceptron = (from: number, to: number) => mlp({ sizes: [from, ...hidden, to], activation, outputActivation });
  const edge = perceptron(inputs, edgeOutputs);
  const attention = perceptron(inputs, 1);
  const node = perceptron(edgeOutputs + nodeInputs, nodeOutputs);
  return {
    init: (rng, dtype = "float32") => ({
      edge: edge.init(rng, dtype),
      attention: attention.init(rng, dtype),
      node: node.init(rng, dtype),
    }),
    apply(params, nodes, edges, graph) {
      const x = asTensor(nodes);
      const z = asTensor(edges);
      requireFeatures(name, x, graph, nodeInputs);
      if (z.rank !== 2 || z.shape[0] !== graph.edges || z.shape[1] !== edgeInputs) {
        throw new ShapeError(`${name}: edges have shape [${z.shape}]; they must be [${graph.edges}, ${edgeInputs}]`);
      }
      const joint = concatenate([z, gatherSources(graph, x), gatherTargets(graph, x)], 1);
      const messages = edge.apply(params.edge, joint);
      const alpha = edgeSoftmax(graph, attention.apply(params.attention, joint));
      const arrived = collect(graph, mul(alpha, messages), reduction);
      return { nodes: node.apply(params.node, concatenate([arrived, x], 1)), edges: messages };
    },
  };
}
