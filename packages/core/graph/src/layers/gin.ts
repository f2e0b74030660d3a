import { type Layer, type LinearParams, mlp } from "@offprint/nn";
import { add, asTensor, checkOptions, mul, type Tensor, tensor } from "@offprint/tensor-core";
import { adjacency, propagate } from "../propagation.js";
import { type GraphLayer, type GraphLayerOptions, readWidths, requireFeatures } from "./graph-layer.js";

/** Options of `gin`. */
export interface GinOptions extends GraphLayerOptions {
  /** Widths of the hidden layers of the perceptron. Default one, as wide as the output. */
  hidden?: readonly number[];
  /** Whether epsilon is learned; else it stays 0. Default true. */
  learnEpsilon?: boolean;
}

/** Parameters of `gin`. */
export interface GinParams {
  /** Of the perceptron. */
  readonly network: readonly LinearParams[];
  /** Scalar, 0 at first; absent where it is not learned. */
  readonly epsilon?: Tensor;
}

/**
 * Graph isomorphism layer: `MLP((1 + epsilon) x_i + sum over j -> i of x_j)`.
 * @see Xu et al., ICLR 2019, arXiv 1810.00826.
 */
export function gin(options: GinOptions): GraphLayer<GinParams, { own: Tensor; neighbours: Tensor }> {
  checkOptions("gin", options, ["hidden", "learnEpsilon", "inputs", "outputs"], ["inputs", "outputs"]);
  const { inputs, outputs } = readWidths("gin", options);
  const { hidden = [outputs], learnEpsilon = true } = options;
  const network: Layer<readonly LinearParams[]> = mlp({ sizes: [inputs, ...hidden, outputs] });
  const transform = (params: GinParams, { own, neighbours }: { own: Tensor; neighbours: Tensor }) => {
    const self = params.epsilon === undefined ? own : mul(own, add(params.epsilon, 1));
    return network.apply(params.network, add(self, neighbours));
  };
  const aggregate = (x: Tensor, graph: Parameters<typeof adjacency>[0]) => {
    requireFeatures("gin", x, graph, inputs);
    return { own: asTensor(x), neighbours: propagate(adjacency(graph), x) };
  };
  return {
    init(rng, dtype = "float32") {
      const params = { network: network.init(rng, dtype) };
      return learnEpsilon ? { ...params, epsilon: tensor(0, { dtype }) } : params;
    },
    apply: (params, x, graph) => transform(params, aggregate(x, graph)),
    aggregate,
    transform,
  };
}
