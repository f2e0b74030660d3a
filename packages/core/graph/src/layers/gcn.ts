import { initializers } from "@offprint/nn";
import { add, checkOptions, matmul, type Tensor } from "@offprint/tensor-core";
import { normalizedAdjacency, propagate } from "../propagation.js";
import { type GraphLayer, type GraphLayerOptions, readWidths, requireFeatures } from "./graph-layer.js";

/** Parameters of `gcn`. */
export interface GcnParams {
  /** `[inputs, outputs]`, Glorot uniform at first. */
  readonly weight: Tensor;
  /** `[outputs]`, zero at first. */
  readonly bias: Tensor;
}

/**
 * Graph convolution: `D^-1/2 (A + I) D^-1/2 x W + b`, with `D` the in-degree including the loop.
 * @see Kipf and Welling, ICLR 2017, arXiv 1609.02907.
 */
export function gcn(options: GraphLayerOptions): GraphLayer<GcnParams, Tensor> {
  checkOptions("gcn", options, ["inputs", "outputs"], ["inputs", "outputs"]);
  const { inputs, outputs } = readWidths("gcn", options);
  return {
    init: (rng, dtype = "float32") => ({
      weight: initializers.glorotUniform(rng, [inputs, outputs], { inputs, outputs }, dtype),
      bias: initializers.zeros(rng, [outputs], { inputs, outputs }, dtype),
    }),
    apply({ weight, bias }, x, graph) {
      requireFeatures("gcn", x, graph, inputs);
      const operator = normalizedAdjacency(graph);
      // The products commute: messages pass where they are narrower.
      if (outputs < inputs) return add(propagate(operator, matmul(x, weight)), bias);
      return add(matmul(propagate(operator, x), weight), bias);
    },
    aggregate(x, graph) {
      requireFeatures("gcn", x, graph, inputs);
      return propagate(normalizedAdjacency(graph), x);
    },
    transform: ({ weight, bias }, aggregated) => add(matmul(aggregated, weight), bias),
  };
}
