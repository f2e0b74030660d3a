import { contextualBlockModel, nodeSplit } from "@offprint/graph";
import { random } from "@offprint/tensor-core";
import type { TestedTask } from "./trained.js";

function blockModel(seed: string, nodes: number, within: number, between: number): TestedTask {
  const rng = random.rng(seed);
  const data = contextualBlockModel({ nodes, classes: 4, features: 32, within, between, noise: 1.5, rng });
  return { ...data, ...nodeSplit(nodes, { rng }) };
}

/** The graph on which depth is compared: 300 nodes in 4 classes. */
export function depthTask(seed: number, run: number): TestedTask {
  return blockModel(`${seed}/depth/${run}`, 300, 0.06, 0.012);
}

/** The graph on which variants are compared: 300 nodes in 4 classes. */
export function variantTask(seed: number, run: number): TestedTask {
  return blockModel(`${seed}/variants/${run}`, 300, 0.06, 0.012);
}
