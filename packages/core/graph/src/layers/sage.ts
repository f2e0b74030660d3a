import { initializers } from "@offprint/nn";
import { add, checkOptions, matmul, type Tensor } from "@offprint/tensor-core";
import { meanAdjacency, propagate } from "../propagation.js";
import { type GraphLayer, type GraphLayerOptions, readWidths, requireFeatures } from "./graph-layer.js";

/** Parameters of `sage`, all uniform on +-1 / sqrt(inputs) at first. */
export interface SageParams {
  /** `[inputs, outputs]`, of the neighbours. */
  readonly neighbourWeight: Tensor;
  /** `[inputs, outputs]`, of the node itself. */
  readonly ownWeight: Tensor;
  /** `[outputs]`. */
  readonly bias: Tensor;
}

/** The parts of `sage` without parameters. */
export interface SageAggregate {
  /** `[nodes, inputs]` means over incoming edges. */
  readonly neighbours: Tensor;
  /** `[nodes, inputs]` the features themselves. */
  readonly own: Tensor;
}

/**
 * GraphSAGE with means: `mean over j -> i of x_j W_neighbours + b + x_i W_own`; the mean of no neighbours is 0.
 * @see Hamilton, Ying and Leskovec, NeurIPS 2017, arXiv 1706.02216.
 */
export function sage(options: GraphLayerOptions): GraphLayer<SageParams, SageAggregate> {
  checkOptions("sage", options, ["inputs", "outputs"], ["inputs", "outputs"]);
  const fans = readWidths("sage", options);
  const { inputs, outputs } = fans;
  return {
    init: (rng, dtype = "float32") => ({
      neighbourWeight: initializers.uniformFanIn(rng, [inputs, outputs], fans, dtype),
      ownWeight: initializers.uniformFanIn(rng, [inputs, outputs], fans, dtype),
      bias: initializers.uniformFanIn(rng, [outputs], fans, dtype),
    }),
    apply({ neighbourWeight, ownWeight, bias }, x, graph) {
      requireFeatures("sage", x, graph, inputs);
      const operator = meanAdjacency(graph);
      const messages =
        outputs < inputs
          ? propagate(operator, matmul(x, neighbourWeight))
          : matmul(propagate(operator, x), neighbourWeight);
      return add(add(messages, bias), matmul(x, ownWeight));
    },
    aggregate(x, graph) {
      requireFeatures("sage", x, graph, inputs);
      return { neighbours: propagate(meanAdjacency(graph), x), own: x };
    },
    transform: ({ neighbourWeight, ownWeight, bias }, { neighbours, own }) =>
      add(add(matmul(neighbours, neighbourWeight), bias), matmul(own, ownWeight)),
  };
}
