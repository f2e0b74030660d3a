import { contextualBlockModel, type Graph, Graph as GraphOf, linkSplit, nodeSplit } from "@offprint/graph";
import { cast, random, type Tensor, take } from "@offprint/tensor-core";
import type { NodeTask } from "../src/index.js";

/** A block model in float64 with a split of its nodes. */
export function smallTask(
  seed = "small",
  nodes = 60,
): NodeTask & { features: Tensor; test: Uint8Array; validation: Uint8Array } {
  const rng = random.rng(seed);
  const data = contextualBlockModel({ nodes, classes: 3, features: 6, within: 0.25, between: 0.04, noise: 1, rng });
  return { ...data, features: cast(data.features, "float64"), ...nodeSplit(nodes, { rng }) };
}

/** Links of a block model. */
export function smallLinks(seed = "links", nodes = 50) {
  const { graph, features } = smallTask(seed, nodes);
  return { features, split: linkSplit(graph, { rng: random.rng(seed) }) };
}

/** The graph with node `i` called `order.indexOf(i)`. */
export function renumber(graph: Graph, order: readonly number[]): Graph {
  const place = new Int32Array(graph.nodes);
  order.forEach((node, i) => {
    place[node] = i;
  });
  return new GraphOf(
    graph.nodes,
    graph.sources.map((s) => place[s]),
    graph.targets.map((t) => place[t]),
  ); // prettier-ignore
}

/** A task with its nodes in another order. */
export function renumberTask(task: NodeTask, order: readonly number[]): NodeTask {
  const pick = <A extends Int32Array | Uint8Array>(a: A): A => a.map((_, i) => a[order[i]]) as A;
  return {
    graph: renumber(task.graph, order),
    features: take(task.features, [...order]),
    labels: pick(task.labels),
    train: pick(task.train),
    ...(task.validation && { validation: pick(task.validation) }),
    ...(task.test && { test: pick(task.test) }),
  };
}

/** Two heads for the convolution that has heads. */
export function headsOf(convolution: unknown): { heads?: number } {
  return convolution === "gat" ? { heads: 2 } : {};
}
