import { isTensor, type Tensor } from "@offprint/tensor-core";
import type { FeedForward } from "../feed-forward.js";
import { Chain } from "./chain.js";
import { chainOperators } from "./chain-operators.js";
import type { FileGraph } from "./file-graph.js";
import { foldConstants } from "./fold-constants.js";
import { LayerStack } from "./neurons.js";
import { operators } from "./operators.js";
import { countOf } from "./shapes.js";

/**
 * Reads a graph that is a chain of layers, layer by layer, so that convolutions stay convolutions. Gives nothing for any
 * other graph, which may still be a network whose activations are written in several operators.
 *
 * @throws UnsupportedError for layers that do not fit each other
 */
export function chainOfLayers({ shape, input, output, constants, nodes }: FileGraph): FeedForward | undefined {
  if (shape.length < 2 || shape.length > 5) return undefined;
  const chain = new Chain(input, shape);
  const known = new Map<string, Tensor>(constants);
  // Shapes and slices that exporters compute; nothing of the network's input is in them.
  const context = { stack: new LayerStack(1) };
  for (const { node, where, run } of nodes) {
    if (node.inputs.length === 0) return undefined;
    const given = node.inputs.map((name) => (name === chain.head ? chain.head : known.get(name)));
    if (given.includes(chain.head)) {
      if (node.operator === "Shape") {
        const [own] = run(() => operators.Shape([{ shape: chain.shape, neurons: [] }], { ...context, node, where }));
        known.set(node.outputs[0], own as Tensor);
        continue;
      }
      const operator = Object.hasOwn(chainOperators, node.operator) ? chainOperators[node.operator] : undefined;
      if (operator === undefined || !run(() => operator(chain, node, where, known))) return undefined;
      continue;
    }
    // Neither the head nor constants: a value from before it, so that this is no chain.
    if (node.inputs.some((name, k) => name !== "" && given[k] === undefined)) return undefined;
    const folded = run(() => foldConstants(operators[node.operator], given as Tensor[], { ...context, node, where }));
    for (const [k, name] of node.outputs.entries()) {
      const value = folded[k];
      if (name !== "" && isTensor(value)) known.set(name, value);
    }
  }
  if (output !== chain.head || chain.layers.length === 0 || countOf(chain.shape) === 0) return undefined;
  return { inputShape: shape.slice(1), layers: chain.layers };
}
