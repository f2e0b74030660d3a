import { type Graph, type GraphLayer, gat, gcn, sage } from "@offprint/graph";
import { relu, type Tensor, ValueError } from "@offprint/tensor-core";

/** Makes one convolution of the network: any layer of `@offprint/graph`, or one's own. */
export type ConvolutionFactory = (inputs: number, outputs: number) => GraphLayer;

/** The convolution of all layers: one of those of the paper, or one's own. */
export type Convolution = "gcn" | "sage" | "gat" | ConvolutionFactory;

/** A convolution with ReLU, the layer of every forward-learning method. */
export interface LocalLayer {
  /** The convolution. */
  readonly convolution: GraphLayer;
  /** Whether `prepare` aggregates, so that `apply` does not look at the graph. */
  readonly cached: boolean;
  /**
   * What is done once for an input that stays the same, a tree of tensors: where the convolution has a part without
   * parameters, that part (the aggregation of neighbours), so that epochs do not depend on the number of edges.
   */
  prepare(x: Tensor, graph: Graph): unknown;
  /** `relu(convolution(x))` from what `prepare` gave. */
  apply(params: unknown, prepared: unknown, graph: Graph): Tensor;
}

/** Throws unless it is a layer of a graph network. @throws ValueError that says what it must have */
export function requireLayer(name: string, layer: GraphLayer): GraphLayer {
  if (typeof layer?.init === "function" && typeof layer.apply === "function") return layer;
  throw new ValueError(
    `${name} is no layer; give { init, apply }, such as gcn({ inputs, outputs }) of @offprint/graph`,
  );
}

/**
 * The convolution asked for.
 * @param combine how heads of an attention are put together
 */
export function makeConvolution(
  kind: Convolution,
  inputs: number,
  outputs: number,
  heads: number,
  combine: "concat" | "mean" = "concat",
): GraphLayer {
  if (typeof kind === "function") return requireLayer("convolution", kind(inputs, outputs));
  if (kind === "gcn") return gcn({ inputs, outputs });
  if (kind === "sage") return sage({ inputs, outputs });
  if (kind === "gat") return gat({ inputs, outputs, heads, combine });
  throw new ValueError(`convolution is ${String(kind)}; it must be gcn, sage, gat or a function that makes a layer`);
}

/**
 * A convolution with ReLU.
 * @param cache whether to use the convolution's part without parameters once for all. Default true.
 */
export function localLayer(convolution: GraphLayer, cache = true): LocalLayer {
  const { aggregate, transform } = convolution;
  if (cache && aggregate !== undefined && transform !== undefined) {
    return {
      convolution,
      cached: true,
      prepare: (x, graph) => aggregate(x, graph),
      apply: (params, prepared) => relu(transform(params, prepared)),
    };
  }
  return {
    convolution,
    cached: false,
    prepare: (x) => x,
    apply: (params, prepared, graph) => relu(convolution.apply(params, prepared as Tensor, graph)),
  };
}
