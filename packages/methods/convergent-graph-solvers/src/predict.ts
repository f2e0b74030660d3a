import type { FloatType } from "@offprint/nn";
import { type Jitted, jit, requireObject, slice, type Tensor, tree } from "@offprint/tensor-core";
import { type FilledBatch, filledBatch, type GraphFeatures, inputOf } from "./batches.js";
import type { GraphModel, GraphOutput } from "./model.js";

/** Predictions for a graph, and how the fixed point was reached. */
export interface Prediction {
  /** `[nodes, outputs]`, or `[outputs]` where the model reads graphs out. */
  readonly y: Tensor;
  /** Iterations to the fixed point of the batch. */
  readonly iterations: number;
  /** Norm of the last change. */
  readonly change: number;
  /** Share of the weights that a clip leaves without a gradient. */
  readonly saturated: number;
}

type Compiled = Jitted<(params: unknown, batch: FilledBatch) => GraphOutput>;

const compiled = new WeakMap<object, Compiled>();

/**
 * What the model says of some graphs, all of them as one batch, compiled for graphs of about their size.
 * @returns a prediction for each graph
 */
export async function predict<P>(
  model: GraphModel<P>,
  params: P,
  graphs: readonly GraphFeatures[],
): Promise<Prediction[]> {
  requireObject("predict", "model", model, "a GraphModel");
  requireObject("predict", "graphs", graphs, "an array");
  const [leaf] = tree.leaves<Tensor>(params);
  const batch = filledBatch("predict", model, graphs, leaf.dtype as FloatType);
  let run = compiled.get(model);
  if (run === undefined) {
    run = jit((p: unknown, b: FilledBatch) => model.apply(p as P, inputOf(b)));
    compiled.set(model, run);
  }
  const { y, iterations, change, saturated } = await run(params, batch);
  const reached = { iterations: iterations.item(), change: change.item(), saturated: saturated.item() };
  let first = 0;
  return graphs.map(({ graph }, i) => {
    if (model.readout !== "none") return { ...reached, y: slice(y, [i]) };
    const start = first;
    first += graph.nodes;
    return { ...reached, y: slice(y, [{ start, stop: first }]) };
  });
}
