import type { FloatType } from "@offprint/nn";
import { type Rng, requireInteger, ShapeError, type Tensor } from "@offprint/tensor-core";
import type { EdgeList, Graph } from "../graph.js";

/** Widths of a layer. */
export interface GraphLayerOptions {
  /** Features that come in. */
  inputs: number;
  /** Features that go out. */
  outputs: number;
}

/**
 * A layer on graphs: how to make its parameters, and what it computes with them from node features. It holds no state.
 */
export interface GraphLayer<P = unknown, A = unknown> {
  /** Draws initial parameters. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): P;
  /** Features `[nodes, outputs]` from x `[nodes, inputs]`; pure and traceable. */
  apply(params: P, x: Tensor, graph: Graph): Tensor;
  /**
   * The part of the layer that needs no parameters, a tree of tensors, where there is one: then
   * `apply(params, x, graph)` is `transform(params, aggregate(x, graph))`, and for features that stay the same
   * the first can be computed once.
   */
  aggregate?(x: Tensor, graph: Graph): A;
  /** The rest of the layer. Present where `aggregate` is. */
  transform?(params: P, aggregated: A): Tensor;
}

/** Throws unless x is `[nodes of the graph, inputs]`. */
export function requireFeatures(owner: string, x: Tensor, graph: EdgeList, inputs: number): void {
  if (x.rank !== 2 || x.shape[0] !== graph.nodes || x.shape[1] !== inputs) {
    throw new ShapeError(
      `${owner}: x has shape [${x.shape}]; it must be [${graph.nodes}, ${inputs}]: the nodes of the graph and the ` +
        "inputs of the layer",
    );
  }
}

/** The widths of a layer. @throws ValueError unless they are positive integers. */
export function readWidths(owner: string, { inputs, outputs }: GraphLayerOptions): GraphLayerOptions {
  requireInteger(owner, "inputs", inputs, 1);
  requireInteger(owner, "outputs", outputs, 1);
  return { inputs, outputs };
}
