import { type FloatType, type Initializer, initializers } from "@offprint/nn";
import {
  checkOptions,
  conv,
  matmul,
  mul,
  pad,
  type Rng,
  reshape,
  ShapeError,
  type Tensor,
  transpose,
  ValueError,
} from "@offprint/tensor-core";
import { binarizeActivation, binarizeScaled } from "./binary-activation.js";
import { type Geometry, type Pair, resolveGeometry, type WindowOptions, windowOptionNames } from "./geometry.js";
import type { Mode, NetworkPart } from "./network-part.js";
import { packedLayer } from "./pack/pack-layer.js";
import type { PadValue } from "./pack/packed-part.js";
import { periodic, type WeightRule } from "./weight-rules.js";

/** What binary layers have in common. */
interface BinaryOptions {
  /** Channels (features) of the input. */
  inputs: number;
  /** Channels (features) of the output. */
  outputs: number;
  /** Angular frequency of the square wave, > 0. Default 20. */
  omega?: number;
  /** How latent weights are used; takes the place of `omega`. Default `periodic({ omega })`. */
  weights?: WeightRule;
  /** Whether activations are binarised too; false gives the 1w/32a variant. Default true. */
  binaryActivations?: boolean;
  /** Of the latent weights. Default `initializers.heNormal`, Kaiming's normal. */
  weightInit?: Initializer;
}

/** Options of `binaryConv`. */
export interface BinaryConvOptions extends BinaryOptions, WindowOptions {
  /** Extents of the window. */
  kernel: Pair;
  /** What activations are outside the image: 0 (the default, and the paper's), -1 or 1. */
  padValue?: PadValue;
}

/** Options of `binaryLinear`. */
export interface BinaryLinearOptions extends BinaryOptions {}

const names = ["inputs", "outputs", "omega", "weights", "binaryActivations", "weightInit"];

/** Parameters of a binary layer. */
export interface BinaryParams {
  /** Latent weights `[outputs, inputs / groups, height, width]`, or `[outputs, inputs]` of `binaryLinear`. */
  readonly weight: Tensor;
  /** Scale of each output channel `[outputs]`, uniform on [0, 1) at the start; absent where the rule computes it. */
  readonly alpha?: Tensor;
}

function binaryLayer(
  owner: string,
  options: BinaryOptions,
  shape: readonly number[],
  geometry: Geometry,
  padValue: PadValue,
  multiply: (x: Tensor, w: Tensor) => Tensor,
): NetworkPart<BinaryParams, null> {
  const { outputs, omega, binaryActivations = true, weightInit = initializers.heNormal } = options;
  const rule = options.weights ?? periodic(omega === undefined ? {} : { omega });
  const window = shape.slice(1).reduce((a, b) => a * b, 1);
  const spread = shape.length - 2;
  return {
    init(rng: Rng, dtype: FloatType = "float32") {
      const weight = weightInit(rng, [...shape], { inputs: window, outputs: (window / shape[1]) * outputs }, dtype);
      return rule.scale === undefined ? { weight, alpha: rng.uniform([outputs], { dtype }) } : { weight };
    },
    initState: () => null,
    run({ weight, alpha }, state, input, { training, stage }: Mode) {
      if (input.rank !== shape.length || input.shape[1] !== options.inputs) {
        throw new ShapeError(
          `${owner}: the input has shape [${input.shape}]; it must be [batch, ${options.inputs}${spread > 0 ? ", height, width" : ""}]`,
        );
      }
      const binarize = training ? binarizeScaled : binarizeActivation;
      const a = binaryActivations ? binarize(input) : input;
      const w = rule.weights(weight, stage);
      const scale = rule.scale === undefined ? (alpha as Tensor) : rule.scale(weight);
      const perChannel = (axes: number) => reshape(scale, [outputs, ...new Array<number>(axes).fill(1)]);
      // Scaling the weights is the same and cheaper; scaling the results keeps their sums exact integers.
      if (training) return [multiply(a, mul(w, perChannel(spread + 1))), state];
      return [mul(multiply(a, w), perChannel(spread)), state];
    },
    layers: ({ weight }, path) => [{ path, rule, weight }],
    pack: (params, _, path) => [packedLayer(path, params, rule, geometry, { binaryActivations, padValue })],
  };
}

/**
 * A convolution with binary activations and weights, `[batch, inputs, height, width]` to `[batch, outputs, height', width']`:
 * `conv(sgn(a), sgn(sin(omega w))) alpha` in stage 2, with `sin(omega w)` in stage 1. Zero padding, no bias.
 * @throws ValueError for options out of range; when run, ShapeError.
 * @see Vargas et al., CVPR 2024, section 3
 * @example binaryConv({ inputs: 16, outputs: 32, kernel: 3, strides: 2, padding: 1, omega: 20 })
 */
export function binaryConv(options: BinaryConvOptions): NetworkPart<BinaryParams, null> {
  checkOptions(
    "binaryConv",
    options,
    [...names, "kernel", "padValue", ...windowOptionNames],
    ["kernel", "inputs", "outputs"],
  );
  const { inputs, outputs, kernel, padValue = 0, binaryActivations = true } = options;
  if (![-1, 0, 1].includes(padValue) || (padValue !== 0 && !binaryActivations)) {
    throw new ValueError(
      `binaryConv: padValue is ${String(padValue)}; it must be 0, or -1 or 1 where activations are binary`,
    );
  }
  const geometry = resolveGeometry("binaryConv", kernel, options, { inputs, outputs });
  const { strides, padding, dilation, groups } = geometry;
  const pairs = padding.map((n) => [n, n] as [number, number]);
  const shape = [outputs, inputs / groups, ...geometry.kernel];
  const multiply = (x: Tensor, w: Tensor) => {
    if (padValue === 0) return conv(x, w, { strides, padding: pairs, dilation, groups });
    return conv(pad(x, [[0, 0], [0, 0], ...pairs], padValue), w, { strides, dilation, groups });
  };
  return binaryLayer("binaryConv", options, shape, geometry, padValue, multiply);
}

/**
 * A linear layer with binary activations and weights, `[batch, inputs]` to `[batch, outputs]`; otherwise as `binaryConv`.
 * @throws ValueError for options out of range; when run, ShapeError.
 */
export function binaryLinear(options: BinaryLinearOptions): NetworkPart<BinaryParams, null> {
  checkOptions("binaryLinear", options, names, ["inputs", "outputs"]);
  const { inputs, outputs } = options;
  const geometry = resolveGeometry("binaryLinear", 1, {}, { inputs, outputs });
  return binaryLayer("binaryLinear", options, [outputs, inputs], geometry, 0, (x, w) => matmul(x, transpose(w)));
}
