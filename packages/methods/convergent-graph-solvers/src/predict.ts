import type { FloatType } from "@offprint/nn";
import {
  type Backend,
  checkOptions,
  hostBackend,
  type Jitted,
  jit,
  requireInteger,
  requireObject,
  slice,
  type Tensor,
  tree,
} from "@offprint/tensor-core";
import { type FilledBatch, filledBatch, type GraphFeatures, inputOf, usualExtents } from "./batches.js";
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

/** Options of {@link predict}. */
export interface PredictOptions {
  /** Graphs that are computed with at once; default all, as one batch. */
  readonly batchSize?: number;
  /** Compiles the model. Default the compiler of tensor-core. */
  readonly backend?: Backend;
}

type Compiled = Jitted<(params: unknown, batch: FilledBatch) => GraphOutput>;

/** By model and backend. */
const compiled = new WeakMap<object, WeakMap<object, Compiled>>();

/**
 * What the model says of some graphs, compiled for graphs of about their size.
 * @returns a prediction for each graph
 */
export async function predict<P>(
  model: GraphModel<P>,
  params: P,
  graphs: readonly GraphFeatures[],
  options: PredictOptions = {},
): Promise<Prediction[]> {
  requireObject("predict", "model", model, "a GraphModel");
  requireObject("predict", "graphs", graphs, "an array");
  checkOptions("predict", options, ["batchSize", "backend"]);
  const { batchSize = Math.max(1, graphs.length), backend = hostBackend } = options;
  requireInteger("predict", "batchSize", batchSize, 1);
  const [leaf] = tree.leaves<Tensor>(params);
  const run = compiledBy(model, backend);
  const usual = graphs.length > batchSize ? usualExtents(graphs, batchSize) : undefined;
  const found: Prediction[] = [];
  // No graphs are a batch too, which says what is wrong.
  for (let first = 0; first < Math.max(1, graphs.length); first += batchSize) {
    const some = graphs.slice(first, first + batchSize);
    const batch = filledBatch("predict", model, some, leaf.dtype as FloatType, usual);
    found.push(...predictionsOf(model, some, await run(params, batch)));
  }
  return found;
}

function compiledBy<P>(model: GraphModel<P>, backend: Backend): Compiled {
  const known = compiled.get(model) ?? new WeakMap<object, Compiled>();
  compiled.set(model, known);
  const run = known.get(backend) ?? jit((p: unknown, b: FilledBatch) => model.apply(p as P, inputOf(b)), { backend });
  known.set(backend, run);
  return run;
}

function predictionsOf(
  model: GraphModel,
  graphs: readonly GraphFeatures[],
  { y, iterations, change, saturated }: GraphOutput,
): Prediction[] {
  const reached = { iterations: iterations.item(), change: change.item(), saturated: saturated.item() };
  let first = 0;
  return graphs.map(({ graph }, i) => {
    if (model.readout !== "none") return { ...reached, y: slice(y, [i]) };
    const start = first;
    first += graph.nodes;
    return { ...reached, y: slice(y, [{ start, stop: first }]) };
  });
}
