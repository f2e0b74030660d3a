import {
  add,
  asTensor,
  type ConvOptions,
  type ConvTransposeOptions,
  checkOptions,
  conv,
  convTranspose,
  requireInteger,
  reshape,
  ShapeError,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { type Initializer, initializers } from "./initializers.js";
import type { Layer } from "./layer.js";

interface ChannelOptions {
  /** Channels of the input. */
  inputs: number;
  /** Channels of the output. */
  outputs: number;
  /** Extents of the kernel, one for all spatial axes or one for each. */
  kernel: number | readonly number[];
  /** Whether to add a bias. Default true. */
  bias?: boolean;
  /** Of the weight. Default `initializers.uniformFanIn`. */
  weightInit?: Initializer;
  /** Of the bias. Default `initializers.uniformFanIn`. */
  biasInit?: Initializer;
}

/** Options of the convolution layers. */
export interface ConvLayerOptions extends ChannelOptions, ConvOptions {}

/** Options of the transposed convolution layers. */
export interface ConvTransposeLayerOptions extends ChannelOptions, ConvTransposeOptions {}

/** Parameters of a convolution layer. */
export interface ConvParams {
  /** `[outputs, inputs / groups, ...kernel]`; transposed layers `[inputs, outputs / groups, ...kernel]`. */
  readonly weight: Tensor;
  /** `[outputs]`; absent without a bias. */
  readonly bias?: Tensor;
}

const required = ["inputs", "outputs", "kernel"];

const convLayerNames = [...required, "bias", "weightInit", "biasInit", "strides", "padding", "dilation", "groups"];

const convTransposeLayerNames = [...convLayerNames, "outputPadding"];

/** Convolution over one axis: `[batch, inputs, length]` to `[batch, outputs, length']`. */
export function conv1d(options: ConvLayerOptions): Layer<ConvParams> {
  return convLayer("conv1d", 1, options);
}

/** Convolution over two axes: `[batch, inputs, height, width]` to `[batch, outputs, height', width']`. */
export function conv2d(options: ConvLayerOptions): Layer<ConvParams> {
  return convLayer("conv2d", 2, options);
}

/** Convolution over three axes: `[batch, inputs, depth, height, width]` to `[batch, outputs, ...]`. */
export function conv3d(options: ConvLayerOptions): Layer<ConvParams> {
  return convLayer("conv3d", 3, options);
}

/** Transposed convolution over one axis. */
export function convTranspose1d(options: ConvTransposeLayerOptions): Layer<ConvParams> {
  return convTransposeLayer("convTranspose1d", 1, options);
}

/** Transposed convolution over two axes. */
export function convTranspose2d(options: ConvTransposeLayerOptions): Layer<ConvParams> {
  return convTransposeLayer("convTranspose2d", 2, options);
}

/** Transposed convolution over three axes. */
export function convTranspose3d(options: ConvTransposeLayerOptions): Layer<ConvParams> {
  return convTransposeLayer("convTranspose3d", 3, options);
}

function kernelExtents(owner: string, axes: number, kernel: number | readonly number[]): readonly number[] {
  const extents = typeof kernel === "number" ? new Array<number>(axes).fill(kernel) : kernel;
  if (extents.length !== axes) {
    throw new ValueError(`${owner}: kernel has ${extents.length} extents; give one, or ${axes}`);
  }
  for (const extent of extents) requireInteger(owner, "an extent of the kernel", extent, 1);
  return extents;
}

function spatialInput(owner: string, axes: number, input: TensorLike): Tensor {
  const x = asTensor(input);
  if (x.rank !== axes + 2) {
    throw new ShapeError(
      `${owner}: the input has shape [${x.shape}]; it must be [batch, channels, ...] with ${axes} spatial axes`,
    );
  }
  return x;
}

function withBias(y: Tensor, bias: Tensor | undefined): Tensor {
  if (bias === undefined) return y;
  return add(y, reshape(bias, [bias.size, ...new Array<number>(y.rank - 2).fill(1)]));
}

function channelLayer(
  owner: string,
  axes: number,
  options: ChannelOptions & { groups?: number },
  weightChannels: readonly [number, number],
  compute: (x: Tensor, weight: Tensor) => Tensor,
): Layer<ConvParams> {
  const { inputs, outputs, bias = true, groups = 1 } = options;
  const { weightInit = initializers.uniformFanIn, biasInit = initializers.uniformFanIn } = options;
  requireInteger(owner, "inputs", inputs, 1);
  requireInteger(owner, "outputs", outputs, 1);
  requireInteger(owner, "groups", groups, 1);
  if (inputs % groups !== 0 || outputs % groups !== 0) {
    throw new ValueError(`${owner}: groups is ${groups}; it must divide inputs ${inputs} and outputs ${outputs}`);
  }
  const kernel = kernelExtents(owner, axes, options.kernel);
  const window = kernel.reduce((a, b) => a * b, 1);
  // As in PyTorch, the second axis of the weight counts as inputs in transposed layers too.
  const fans = { inputs: weightChannels[1] * window, outputs: weightChannels[0] * window };
  return {
    init(rng, dtype = "float32") {
      const weight = weightInit(rng, [...weightChannels, ...kernel], fans, dtype);
      return bias ? { weight, bias: biasInit(rng, [outputs], fans, dtype) } : { weight };
    },
    apply: (params, input) => withBias(compute(spatialInput(owner, axes, input), params.weight), params.bias),
  };
}

function convLayer(owner: string, axes: number, options: ConvLayerOptions): Layer<ConvParams> {
  checkOptions(owner, options, convLayerNames, required);
  const { inputs, outputs, strides = 1, padding = "valid", dilation = 1, groups = 1 } = options;
  const how = { strides, padding, dilation, groups };
  return channelLayer(owner, axes, options, [outputs, inputs / groups], (x, weight) => conv(x, weight, how));
}

function convTransposeLayer(owner: string, axes: number, options: ConvTransposeLayerOptions): Layer<ConvParams> {
  checkOptions(owner, options, convTransposeLayerNames, required);
  const { inputs, outputs, strides = 1, padding = 0, dilation = 1, groups = 1, outputPadding = 0 } = options;
  const how = { strides, padding, dilation, groups, outputPadding };
  return channelLayer(owner, axes, options, [inputs, outputs / groups], (x, weight) => convTranspose(x, weight, how));
}
