import { type Activation, type ActivationName, activation as activationOf, initializers } from "@offprint/nn";
import { add, asTensor, checkOptions, expandDims, matmul, type Tensor, ValueError } from "@offprint/tensor-core";
import { type GridLayer, requireChannels } from "./spectral-convolution.js";

/** Options of {@link pointwise}. */
export interface PointwiseOptions {
  /** Channels of the input. */
  readonly inputs: number;
  /** Channels of the output. */
  readonly outputs: number;
  /** Whether to add a bias. Default true. */
  readonly bias?: boolean;
}

/** Parameters of {@link pointwise}. */
export interface PointwiseParams {
  /** `[inputs, outputs]`. */
  readonly weight: Tensor;
  /** `[outputs]`; absent without a bias. */
  readonly bias?: Tensor;
}

/** The same linear map of the channels at every point of the grid: `[batch, inputs, ...grid]` to `[batch, outputs, ...grid]`. */
export function pointwise(options: PointwiseOptions): GridLayer<PointwiseParams> {
  checkOptions("pointwise", options, ["inputs", "outputs", "bias"], ["inputs", "outputs"]);
  const { inputs, outputs, bias = true } = options;
  requireChannels("pointwise", inputs, outputs);
  const fans = { inputs, outputs };
  return {
    init(rng, dtype = "float32") {
      const weight = initializers.uniformFanIn(rng, [inputs, outputs], fans, dtype);
      return bias ? { weight, bias: initializers.uniformFanIn(rng, [outputs], fans, dtype) } : { weight };
    },
    apply({ weight, bias: offset }, input) {
      const x = asTensor(input);
      if (x.rank < 2 || x.shape[1] !== inputs) {
        throw new ValueError(`pointwise: the input has shape [${x.shape}]; it must be [batch, ${inputs}, ...grid]`);
      }
      const [batch, , ...grid] = x.shape;
      const y = matmul(weight.transpose(), x.reshape([batch, inputs, -1]));
      const shifted = offset === undefined ? y : add(y, expandDims(offset, 1));
      return shifted.reshape([batch, outputs, ...grid]);
    },
  };
}

/** Options of {@link fourierLayer}. */
export interface FourierLayerOptions<P> {
  /** The convolution: `spectralConvolution`, `axisConvolution` or `lowRankConvolution` from `channels` to `channels`. */
  readonly convolution: GridLayer<P>;
  /** Channels of input and output. */
  readonly channels: number;
  /** Default "gelu"; "identity" for the last layer. */
  readonly activation?: ActivationName | Activation;
}

/** Parameters of {@link fourierLayer}. */
export interface FourierLayerParams<P> {
  /** Of the convolution. */
  readonly convolution: P;
  /** Of the pointwise path. */
  readonly skip: PointwiseParams;
}

/**
 * activation(convolution(x) + pointwise(x)), the layer of Fourier neural operators. With another number of output points the
 * pointwise path has nothing to add to, and is left out.
 */
export function fourierLayer<P>(options: FourierLayerOptions<P>): GridLayer<FourierLayerParams<P>> {
  checkOptions("fourierLayer", options, ["convolution", "channels", "activation"], ["convolution", "channels"]);
  const { convolution, channels, activation = "gelu" } = options;
  const skip = pointwise({ inputs: channels, outputs: channels });
  const activate = typeof activation === "function" ? activation : activationOf(activation);
  return {
    init: (rng, dtype = "float32") => ({
      convolution: convolution.init(rng.fork("convolution"), dtype),
      skip: skip.init(rng.fork("skip"), dtype),
    }),
    apply(params, input, points) {
      const x = asTensor(input);
      const y = convolution.apply(params.convolution, x, points);
      const same = points === undefined || points.every((n, axis) => n === x.shape[axis + 2]);
      return activate(same ? add(y, skip.apply(params.skip, x)) : y);
    },
  };
}
