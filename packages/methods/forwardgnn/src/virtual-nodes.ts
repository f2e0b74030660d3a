import { augment, type Graph } from "@offprint/graph";
import {
  concatenate,
  IndexError,
  type Rng,
  requireInteger,
  requireObject,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** `bidirection`: edges between a node and its class both ways; `unidirection`: only from the node to its class. */
export type Direction = "bidirection" | "unidirection";

/**
 * The graph with a virtual node for each class, numbered `nodes, ..., nodes + classes - 1`, linked with the chosen nodes
 * of that class.
 * @param labels `[nodes]` classes of the chosen nodes
 * @param chosen `[nodes]` mask
 */
export function augmentWithVirtualNodes(
  graph: Graph,
  labels: ArrayLike<number>,
  chosen: ArrayLike<number>,
  classes: number,
  direction: Direction = "bidirection",
): Graph {
  requireObject("augmentWithVirtualNodes", "graph", graph, "a Graph");
  requireObject("augmentWithVirtualNodes", "labels", labels, "an array of numbers");
  requireObject("augmentWithVirtualNodes", "chosen", chosen, "an array of numbers");
  requireInteger("augmentWithVirtualNodes", "classes", classes, 1);
  for (const [name, each] of Object.entries({ labels, chosen })) {
    if (each.length === graph.nodes) continue;
    throw new ShapeError(
      `augmentWithVirtualNodes: ${name} has ${each.length} entries for ${graph.nodes} nodes; give one for each`,
    );
  }
  if (direction !== "bidirection" && direction !== "unidirection") {
    throw new ValueError(`direction is ${String(direction)}; it must be bidirection or unidirection`);
  }
  const pairs: number[] = [];
  for (let i = 0; i < graph.nodes; i++) {
    if (!chosen[i]) continue;
    if (!(Number.isInteger(labels[i]) && labels[i] >= 0 && labels[i] < classes)) {
      throw new IndexError(`node ${i} has label ${labels[i]}; labels must be in 0, ..., ${classes - 1}`);
    }
    pairs.push(i, graph.nodes + labels[i]);
    if (direction === "bidirection") pairs.push(graph.nodes + labels[i], i);
  }
  return augment(graph, classes, tensor(Int32Array.from(pairs), { shape: [pairs.length / 2, 2] }));
}

/** Features of the virtual nodes, drawn once from the normal distribution and never trained: `[classes, features]`. */
export function drawVirtualFeatures(rng: Rng, classes: number, features: number, dtype: "float32" | "float64"): Tensor {
  return rng.normal([classes, features], { dtype });
}

/** `[X; V]`: the features of the nodes, then of the virtual nodes. */
export function withVirtualFeatures(features: Tensor, virtualFeatures: Tensor): Tensor {
  return concatenate([features, virtualFeatures]);
}
