import { normalizedAdjacency, propagate } from "@offprint/graph";
import {
  add,
  ConvergenceError,
  checkOptions,
  mul,
  requireDecayRate,
  requireNonNegative,
  requireObject,
  type Tensor,
} from "@offprint/tensor-core";
import { checkNodeTask, chosenNodes, type NodeTask, targetMatrix } from "./node-task.js";

/** Options of `labelPropagation`. */
export interface LabelPropagationOptions {
  /** How much of a node's scores comes from its neighbours, in [0, 1). Default 0.9. */
  alpha?: number;
  /** Largest change of a score at which to stop. Default 1e-10. */
  tolerance?: number;
}

/**
 * Label propagation, which needs no features and no training: `F = (1 - alpha) (I - alpha A_hat)^-1 Y` with the
 * one-hot classes of training nodes in Y, by iteration.
 * @returns `[nodes, C]` scores (float64)
 * @see Zhou et al., NeurIPS 2003.
 */
export function labelPropagation(task: NodeTask, options: LabelPropagationOptions = {}): Tensor {
  requireObject("labelPropagation", "task", task, "{ graph, features, labels, train }");
  checkOptions("labelPropagation", options, ["alpha", "tolerance"]);
  const { alpha = 0.9, tolerance = 1e-10 } = options;
  requireDecayRate("labelPropagation", "alpha", alpha);
  requireNonNegative("labelPropagation", "tolerance", tolerance);
  const classes = checkNodeTask("labelPropagation", task);
  const start = targetMatrix(task.labels, chosenNodes(task.train), classes, 1 - alpha, "float64");
  const operator = normalizedAdjacency(task.graph);
  let scores = start;
  for (let iteration = 0; iteration < 10_000; iteration++) {
    const next = add(mul(propagate(operator, scores), alpha), start);
    const [a, b] = [scores.data(), next.data()];
    let change = 0;
    for (let i = 0; i < a.length; i++) change = Math.max(change, Math.abs(a[i] - b[i]));
    scores = next;
    if (change <= tolerance) return scores;
  }
  throw new ConvergenceError("labelPropagation: scores still change after 10000 iterations; are weights finite?");
}
