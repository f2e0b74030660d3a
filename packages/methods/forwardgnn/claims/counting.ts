import { type Graph, gcn, normalizedAdjacency, propagate } from "@offprint/graph";
import { customVjp, type Tensor } from "@offprint/tensor-core";
import type { ConvolutionFactory } from "../src/index.js";

/** A graph convolution that counts its passes, and its sparse products forward and backward. */
export interface CountingConvolution {
  readonly convolution: ConvolutionFactory;
  /** Convolutions carried out. */
  passes: number;
  /** Sparse products carried out. */
  products: number;
}

/** Counts as it runs: not for compiled steps, which run what was traced once. */
export function countingConvolution(): CountingConvolution {
  const counted: CountingConvolution = {
    passes: 0,
    products: 0,
    convolution: (inputs, outputs) => {
      const layer = gcn({ inputs, outputs });
      // A_hat of an undirected graph is symmetric: its gradient is the same product.
      const product = (x: Tensor, graph: Graph): Tensor => {
        counted.products++;
        return propagate(normalizedAdjacency(graph), x);
      };
      const aggregate = (x: Tensor, graph: Graph) =>
        customVjp(
          (z: Tensor) => product(z, graph),
          (z: Tensor) => [product(z, graph), null],
          (_: null, g: Tensor) => [product(g, graph)],
        )(x);
      const transform = (params: any, aggregated: Tensor) => {
        counted.passes++;
        return layer.transform?.(params, aggregated) as Tensor;
      };
      return {
        init: (rng, dtype) => layer.init(rng, dtype),
        apply: (params, x, graph) => transform(params, aggregate(x, graph)),
        aggregate,
        transform,
      };
    },
  };
  return counted;
}
