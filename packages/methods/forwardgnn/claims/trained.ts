import type { ClaimContext } from "@offprint/claims";
import { nodeAccuracy } from "@offprint/graph";
import type { Tensor } from "@offprint/tensor-core";
import {
  type fitNodeClassifier,
  type NodeMethod,
  type NodeOptions,
  type NodeTask,
  predictNodes,
} from "../src/index.js";

/** How a claim trains: the package's function, or a broken one in its place. */
export type Fit = typeof fitNodeClassifier;

/** A task with test nodes. */
export type TestedTask = NodeTask & { readonly features: Tensor; readonly test: Uint8Array };

/** A share in percent with one digit behind the point. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/**
 * Options that a context adds: where steps run, and what stops them. Layers of this size run faster compiled by
 * tensor-core than on the cpu of ONNX Runtime (depth 5.7 and 8.3 s, links 5.3 and 9.5 s), so that only other devices count.
 */
export function runOptions({ backend, signal }: ClaimContext) {
  return { signal, ...(backend && backend.device !== "cpu" && { backend }) };
}

/** Test accuracies of a method at several depths; lower layers of layer-wise methods are models of their own. */
export async function testAccuracies(
  context: ClaimContext,
  train: Fit,
  task: TestedTask,
  method: NodeMethod,
  options: NodeOptions,
  depths: readonly number[],
): Promise<number[]> {
  const greedy = method === "sf" || method === "ff-la" || method === "ff-vn";
  const accuracies: number[] = [];
  const deepest = Math.max(...depths);
  const trainTo = (layers: number) => train(task, method, { ...options, layers, ...runOptions(context) });
  const whole = greedy ? await trainTo(deepest) : undefined;
  for (const layers of depths) {
    const { model } = whole ?? (await trainTo(layers));
    const { classes } = await predictNodes(model, task, whole === undefined ? {} : { layers });
    accuracies.push(nodeAccuracy(classes, task.labels, task.test));
  }
  return accuracies;
}
