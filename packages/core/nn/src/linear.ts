import { add, asTensor, checkOptions, matmul, requireInteger, type Tensor } from "@offprint/tensor-core";
import { type Initializer, initializers } from "./initializers.js";
import { type Layer, requireExtent } from "./layer.js";

/** Options of `linear`. */
export interface LinearOptions {
  /** Extent of the last axis of the input. */
  inputs: number;
  /** Extent of the last axis of the output. */
  outputs: number;
  /** Whether to add a bias. Default true. */
  bias?: boolean;
  /** Of the weight. Default `initializers.uniformFanIn`. */
  weightInit?: Initializer;
  /** Of the bias. Default `initializers.uniformFanIn`. */
  biasInit?: Initializer;
}

/** Parameters of `linear`. */
export interface LinearParams {
  /** `[inputs, outputs]`. */
  readonly weight: Tensor;
  /** `[outputs]`; absent without a bias. */
  readonly bias?: Tensor;
}

/** `x weight + bias` over the last axis: `[..., inputs]` to `[..., outputs]`. */
export function linear(options: LinearOptions): Layer<LinearParams> {
  checkOptions("linear", options, ["inputs", "outputs", "bias", "weightInit", "biasInit"], ["inputs", "outputs"]);
  const { inputs, outputs, bias = true } = options;
  const { weightInit = initializers.uniformFanIn, biasInit = initializers.uniformFanIn } = options;
  requireInteger("linear", "inputs", inputs, 1);
  requireInteger("linear", "outputs", outputs, 1);
  const fans = { inputs, outputs };
  return {
    init(rng, dtype = "float32") {
      const weight = weightInit(rng, [inputs, outputs], fans, dtype);
      return bias ? { weight, bias: biasInit(rng, [outputs], fans, dtype) } : { weight };
    },
    apply(params, input) {
      const x = asTensor(input);
      requireExtent("linear", x, -1, inputs, "features");
      const y = matmul(x, params.weight);
      return params.bias === undefined ? y : add(y, params.bias);
    },
  };
}
