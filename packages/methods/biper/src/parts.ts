import * as nn from "@offprint/nn";
import {
  averagePool as averagePoolOf,
  cast,
  checkOptions,
  clip,
  customVjp,
  equal,
  globalAveragePool as globalAveragePoolOf,
  maxPool as maxPoolOf,
  relu as reluOf,
  requireInteger,
  requireObject,
  reshape,
  type Tensor,
  where,
} from "@offprint/tensor-core";
import { type Pair, resolveGeometry, type WindowOptions, windowOptionNames } from "./geometry.js";
import { type NetworkPart, plainPart } from "./network-part.js";
import { withZeroChannels } from "./zero-channels.js";

/** In float32, in which packed networks run. */
function single(x: Tensor): Tensor {
  return cast(x, "float32");
}

/** Options of `parts.conv`. */
export interface ConvPartOptions extends WindowOptions {
  /** Channels of the input. */
  inputs: number;
  /** Channels of the output. */
  outputs: number;
  /** Extents of the window. */
  kernel: Pair;
  /** Whether to add a bias. Default false: a normalisation follows. */
  bias?: boolean;
  /** Of the weight. Default `initializers.heNormal`. */
  weightInit?: nn.Initializer;
}

/** A convolution with real weights, `[batch, inputs, height, width]` to `[batch, outputs, height', width']`. */
export function conv(options: ConvPartOptions): NetworkPart<nn.ConvParams, null> {
  checkOptions(
    "parts.conv",
    options,
    ["inputs", "outputs", "kernel", "bias", "weightInit", ...windowOptionNames],
    ["inputs", "outputs", "kernel"],
  );
  const { inputs, outputs, bias = false, weightInit = nn.initializers.heNormal } = options;
  const geometry = resolveGeometry("parts.conv", options.kernel, options, { inputs, outputs });
  const { kernel, strides, dilation, groups } = geometry;
  const padding = geometry.padding.map((n) => [n, n] as [number, number]);
  const layer = nn.conv2d({ inputs, outputs, kernel, strides, dilation, groups, padding, bias, weightInit });
  return {
    init: (rng, dtype) => layer.init(rng, dtype),
    initState: () => null,
    run: (params, state, x) => [layer.apply(params, x), state],
    layers: () => [],
    pack: ({ weight, bias: b }) => [{ kind: "conv", weight: single(weight), bias: b ? single(b) : null, geometry }],
  };
}

/** A linear layer with real weights, `[batch, inputs]` to `[batch, outputs]`. */
export function linear(options: nn.LinearOptions): NetworkPart<nn.LinearParams, null> {
  requireObject("parts.linear", "options", options, "{ inputs, outputs }");
  const layer = nn.linear(options);
  return {
    init: (rng, dtype) => layer.init(rng, dtype),
    initState: () => null,
    run: (params, state, x) => [layer.apply(params, x), state],
    layers: () => [],
    pack: ({ weight, bias }) => [{ kind: "linear", weight: single(weight), bias: bias ? single(bias) : null }],
  };
}

/** Options of `parts.batchNorm`. */
export interface BatchNormPartOptions {
  /** Added to the variance, > 0. Default 1e-5. */
  epsilon?: number;
  /** Weight of a new batch in the running statistics, in (0, 1]. Default 0.1. */
  momentum?: number;
  /** Of the scale, at the start. Default 1. */
  scale?: number;
}

/** Batch normalisation over axis 1 of `[batch, channels, ...]`. */
export function batchNorm(
  channels: number,
  options: BatchNormPartOptions = {},
): NetworkPart<nn.NormParams, nn.BatchNormState> {
  checkOptions("parts.batchNorm", options, ["epsilon", "momentum", "scale"]);
  const { epsilon = 1e-5, momentum = 0.1, scale = 1 } = options;
  const layer = nn.batchNorm({ channels, epsilon, momentum });
  return {
    init(_, dtype) {
      const params = layer.init(dtype);
      return { ...params, scale: params.scale.mul(scale) };
    },
    initState: (dtype) => layer.initState(dtype),
    run: (params, state, x, { training }) =>
      training ? layer.train(params, state, x) : [layer.apply(params, state, x), state],
    layers: () => [],
    pack(params, { mean, variance }) {
      const [gamma, beta, m, v] = [params.scale, params.bias, mean, variance].map((x) => x.data());
      const factor = Float64Array.from(gamma, (g, i) => g / Math.sqrt(v[i] + epsilon));
      return [{ kind: "affine", scale: factor, shift: Float64Array.from(beta, (b, i) => b - m[i] * factor[i]) }];
    },
  };
}

/** `clamp(x, -1, 1)`, whose gradient passes where nothing is clamped. */
const clamped = customVjp(
  (x: Tensor) => clip(x, -1, 1),
  (x: Tensor) => {
    const y = clip(x, -1, 1);
    return [y, { x, y }];
  },
  ({ x, y }, g: Tensor) => [where(equal(x, y), g, 0)],
);

/** `clamp(x, -1, 1)`. */
export const hardtanh: NetworkPart<null, null> = plainPart(clamped, { kind: "hardtanh" });

/** `max(x, 0)`. */
export const relu: NetworkPart<null, null> = plainPart((x) => reluOf(x), { kind: "relu" });

/** The mean of each channel: `[batch, channels, height, width]` to `[batch, channels]`. */
export const globalAveragePool: NetworkPart<null, null> = plainPart((x) => globalAveragePoolOf(x), {
  kind: "globalAveragePool",
});

/** `[batch, ...]` to `[batch, features]`. */
export const flatten: NetworkPart<null, null> = plainPart((x) => reshape(x, [x.shape[0], x.size / x.shape[0]]), {
  kind: "flatten",
});

/** Options of the poolings. */
export interface PoolPartOptions {
  /** Steps of the window. Default: its extent. */
  strides?: number;
  /** Rows and columns added on each side; the largest value never comes from there. Default 0. */
  padding?: number;
}

function pool(kind: "maxPool" | "averagePool", kernel: number, options: PoolPartOptions): NetworkPart<null, null> {
  checkOptions(`parts.${kind}`, options, ["strides", "padding"]);
  const { strides = kernel, padding = 0 } = options;
  requireInteger(`parts.${kind}`, "kernel", kernel, 1);
  requireInteger(`parts.${kind}`, "strides", strides, 1);
  requireInteger(`parts.${kind}`, "padding", padding, 0);
  const of = kind === "maxPool" ? maxPoolOf : averagePoolOf;
  return plainPart((x) => of(x, kernel, { strides, padding }), { kind, kernel, strides, padding });
}

/** The largest value of each window. */
export function maxPool(kernel: number, options: PoolPartOptions = {}): NetworkPart<null, null> {
  return pool("maxPool", kernel, options);
}

/** The mean of each window. */
export function averagePool(kernel: number, options: PoolPartOptions = {}): NetworkPart<null, null> {
  return pool("averagePool", kernel, options);
}

/** `channels` channels of zeros in front and as many behind. */
export function padChannels(channels: number): NetworkPart<null, null> {
  requireInteger("parts.padChannels", "channels", channels, 1);
  return plainPart((x) => withZeroChannels(x, channels), { kind: "padChannels", channels });
}
