import { type Activation, type ActivationName, activation, type FloatType, type LinearParams, mlp } from "@offprint/nn";
import {
  add,
  asTensor,
  checkOptions,
  concatenate,
  matmul,
  mul,
  type Rng,
  requireInteger,
  ShapeError,
  slice,
  type Tensor,
  type TensorLike,
} from "@offprint/tensor-core";
import type { EdgeList } from "../graph.js";
import { collect, edgeSoftmax, gatherSources, gatherTargets, type Reduction } from "../message-passing.js";
import { requireFeatures } from "./graph-layer.js";

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
  checkOptions(
    "attentiveMessagePassing",
    options,
    ["nodeInputs", "edgeInputs", "nodeOutputs", "edgeOutputs", "hidden", "reduction", "activation", "outputActivation"],
    ["nodeInputs", "edgeInputs", "nodeOutputs"],
  );
  const name = "attentiveMessagePassing";
  const { nodeInputs, edgeInputs, nodeOutputs, edgeOutputs = nodeOutputs, hidden = [64], reduction = "sum" } = options;
  for (const [key, width] of Object.entries({ nodeInputs, nodeOutputs, edgeOutputs }))
    requireInteger(name, key, width, 1);
  const { activation: between = "leakyRelu", outputActivation = between } = options;
  const inputs = edgeInputs + 2 * nodeInputs;
  const perceptron = (...sizes: number[]) => mlp({ sizes, activation: between, outputActivation });
  const edge = perceptron(inputs, ...hidden, edgeOutputs);
  const attention = perceptron(inputs, ...hidden, 1);
  const behindFirst = (to: number): Pick<ReturnType<typeof mlp>, "apply"> =>
    hidden.length > 0 ? perceptron(...hidden, to) : { apply: (_, x) => asTensor(x) };
  const [edgeRest, attentionRest] = [behindFirst(edgeOutputs), behindFirst(1)];
  const act = activation(hidden.length > 0 ? between : outputActivation);
  const node = perceptron(edgeOutputs + nodeInputs, ...hidden, nodeOutputs);
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
      const first = (layer: LinearParams) => act(ofEnds(layer, z, x, graph));
      const messages = edgeRest.apply(params.edge.slice(1), first(params.edge[0]));
      const alpha = edgeSoftmax(graph, attentionRest.apply(params.attention.slice(1), first(params.attention[0])));
      const arrived = collect(graph, mul(alpha, messages), reduction);
      return { nodes: node.apply(params.node, concatenate([arrived, x], 1)), edges: messages };
    },
  };
}

/**
 * `[z, x_source, x_target] W + b`. What nodes contribute is worked out once for each node and fetched by the edges, of which
 * there are many more.
 */
function ofEnds({ weight, bias }: LinearParams, z: Tensor, x: Tensor, graph: EdgeList): Tensor {
  const [edgeInputs, nodeInputs] = [z.shape[1], x.shape[1]];
  const rows = (start: number, count: number) => slice(weight, [{ start, stop: start + count }]);
  const fromSource = gatherSources(graph, matmul(x, rows(edgeInputs, nodeInputs)));
  const fromTarget = gatherTargets(graph, matmul(x, rows(edgeInputs + nodeInputs, nodeInputs)));
  const y = add(add(matmul(z, rows(0, edgeInputs)), fromSource), fromTarget);
  return bias === undefined ? y : add(y, bias);
}
