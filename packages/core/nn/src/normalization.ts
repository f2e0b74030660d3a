import {
  add,
  asTensor,
  cast,
  checkOptions,
  customVjp,
  div,
  mean,
  mul,
  ones,
  requireInteger,
  requirePositive,
  reshape,
  ShapeError,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import { type FloatType, type Layer, requireExtent } from "./layer.js";

/** Parameters of a normalisation: what its result is multiplied by, and what is added. */
export interface NormParams {
  /** `[features]`, ones at the start. */
  readonly scale: Tensor;
  /** `[features]`, zeros at the start. */
  readonly bias: Tensor;
}

/** Options of `layerNorm` and `rmsNorm`. */
export interface NormOptions {
  /** Extent of the last axis. */
  features: number;
  /** Added under the root, > 0. Default 1e-5; 1e-6 for `rmsNorm`. */
  epsilon?: number;
}

function unitParams(features: number, dtype: FloatType): NormParams {
  return { scale: ones([features], dtype), bias: zeros([features], dtype) };
}

function standardised(x: Tensor, axis: readonly number[], epsilon: number): Tensor {
  const centred = sub(x, mean(x, { axis, keepDims: true }));
  return div(centred, sqrt(add(mean(square(centred), { axis, keepDims: true }), epsilon)));
}

/**
 * Batch normalisation over `axis`, and the mean and the variance of the batch (without gradients). The gradient is written
 * out: operation by operation it would pass over the values about three times as often.
 */
function overBatch(x: Tensor, params: NormParams, axis: number[], epsilon: number): [Tensor, Tensor, Tensor] {
  const spread = (v: Tensor) => alongChannels(v, x.rank);
  const count = x.size / params.scale.size;
  const forward = (values: Tensor, scale: Tensor, bias: Tensor) => {
    const m = mean(values, { axis });
    const centred = sub(values, spread(m));
    const v = mean(square(centred), { axis });
    const inverse = div(1, sqrt(add(v, epsilon)));
    const y = add(mul(centred, spread(mul(inverse, scale))), spread(bias));
    return { result: [y, m, v] as [Tensor, Tensor, Tensor], residuals: { centred, inverse, scale } };
  };
  const normalised = customVjp(
    (values: Tensor, scale: Tensor, bias: Tensor) => forward(values, scale, bias).result,
    (values: Tensor, scale: Tensor, bias: Tensor) => {
      const { result, residuals } = forward(values, scale, bias);
      return [result, residuals];
    },
    ({ centred, inverse, scale }, [g]) => {
      const total = sum(g, { axis });
      const along = sum(mul(g, centred), { axis });
      const factor = mul(inverse, scale);
      const back = mul(mul(factor, square(inverse)), div(along, count));
      const toInput = sub(mul(g, spread(factor)), mul(centred, spread(back)));
      return [sub(toInput, spread(mul(factor, div(total, count)))), mul(inverse, along), total];
    },
  );
  const all = [x, params.scale, params.bias];
  const dtype = all.some((t) => t.dtype === "float64") ? "float64" : "float32";
  const [values, scale, bias] = all.map((t) => cast(t, dtype));
  const [y, m, v] = normalised(values, scale, bias);
  return [y, stopGradient(m), stopGradient(v)];
}

/** A vector of channels, to be broadcast along axis 1 of a tensor of the given rank. */
function alongChannels(v: Tensor, rank: number): Tensor {
  return reshape(v, [v.size, ...new Array<number>(rank - 2).fill(1)]);
}

const normNames = ["features", "epsilon"];

/** Mean 0 and variance 1 over the last axis of `[..., features]`, then scale and bias (Ba et al., 2016). */
export function layerNorm(options: NormOptions): Layer<NormParams> {
  checkOptions("layerNorm", options, normNames, ["features"]);
  const { features, epsilon = 1e-5 } = options;
  requireInteger("layerNorm", "features", features, 1);
  requirePositive("layerNorm", "epsilon", epsilon);
  return {
    init: (_, dtype = "float32") => unitParams(features, dtype),
    apply(params, input) {
      const x = asTensor(input);
      requireExtent("layerNorm", x, -1, features, "features");
      return add(mul(standardised(x, [x.rank - 1], epsilon), params.scale), params.bias);
    },
  };
}

/** Root mean square 1 over the last axis of `[..., features]`, then a scale (Zhang and Sennrich, 2019). */
export function rmsNorm(options: NormOptions): Layer<{ readonly scale: Tensor }> {
  checkOptions("rmsNorm", options, normNames, ["features"]);
  const { features, epsilon = 1e-6 } = options;
  requireInteger("rmsNorm", "features", features, 1);
  requirePositive("rmsNorm", "epsilon", epsilon);
  return {
    init: (_, dtype = "float32") => ({ scale: ones([features], dtype) }),
    apply(params, input) {
      const x = asTensor(input);
      requireExtent("rmsNorm", x, -1, features, "features");
      const root = sqrt(add(mean(square(x), { axis: -1, keepDims: true }), epsilon));
      return mul(div(x, root), params.scale);
    },
  };
}

/** Options of `groupNorm`. */
export interface GroupNormOptions {
  /** Extent of axis 1 of the input. */
  channels: number;
  /** Number of groups, a divisor of `channels`. */
  groups: number;
  /** Added under the root, > 0. Default 1e-5. */
  epsilon?: number;
}

/** Mean 0 and variance 1 over each group of channels of `[batch, channels, ...]` (Wu and He, 2018). */
export function groupNorm(options: GroupNormOptions): Layer<NormParams> {
  checkOptions("groupNorm", options, ["channels", "groups", "epsilon"], ["channels", "groups"]);
  const { channels, groups, epsilon = 1e-5 } = options;
  requireInteger("groupNorm", "channels", channels, 1);
  requireInteger("groupNorm", "groups", groups, 1);
  requirePositive("groupNorm", "epsilon", epsilon);
  if (channels % groups !== 0) {
    throw new ValueError(`groupNorm: groups is ${groups}; it must divide the ${channels} channels`);
  }
  return {
    init: (_, dtype = "float32") => unitParams(channels, dtype),
    apply(params, input) {
      const x = asTensor(input);
      requireExtent("groupNorm", x, 1, channels, "channels");
      const [batch, , ...spatial] = x.shape;
      const grouped = reshape(x, [batch, groups, (channels / groups) * spatial.reduce((a, b) => a * b, 1)]);
      const y = reshape(standardised(grouped, [2], epsilon), x.shape);
      return add(mul(y, alongChannels(params.scale, x.rank)), alongChannels(params.bias, x.rank));
    },
  };
}

/** Running statistics of `batchNorm`: kept by the caller, no part of what is trained. */
export interface BatchNormState {
  /** `[channels]`, zeros at the start. */
  readonly mean: Tensor;
  /** `[channels]`, ones at the start. */
  readonly variance: Tensor;
}

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** Extent of axis 1 of the input. */
  channels: number;
  /** Weight in (0, 1] of the newest batch in the running statistics. Default 0.1. */
  momentum?: number;
  /** Added under the root, > 0. Default 1e-5. */
  epsilon?: number;
}

/** Batch normalisation: its running statistics go in and come out. */
export interface BatchNorm {
  /** Scale ones, bias zeros. */
  init(dtype?: FloatType): NormParams;
  /** Mean zeros, variance ones. */
  initState(dtype?: FloatType): BatchNormState;
  /** Normalises `[batch, channels, ...]` with the statistics of this batch, and gives the new running ones. */
  train(params: NormParams, state: BatchNormState, input: TensorLike): [output: Tensor, state: BatchNormState];
  /** Normalises with the running statistics. */
  apply(params: NormParams, state: BatchNormState, input: TensorLike): Tensor;
}

/** Mean 0 and variance 1 of each channel over the batch (Ioffe and Szegedy, 2015). */
export function batchNorm(options: BatchNormOptions): BatchNorm {
  checkOptions("batchNorm", options, ["channels", "momentum", "epsilon"], ["channels"]);
  const { channels, momentum = 0.1, epsilon = 1e-5 } = options;
  requireInteger("batchNorm", "channels", channels, 1);
  requirePositive("batchNorm", "epsilon", epsilon);
  if (!(momentum > 0 && momentum <= 1)) {
    throw new ValueError(`batchNorm: momentum is ${momentum}; it must be in (0, 1]`);
  }
  const affine = (x: Tensor, m: Tensor, v: Tensor, params: NormParams) => {
    const spread = (t: Tensor) => alongChannels(t, x.rank);
    const y = div(sub(x, spread(m)), spread(sqrt(add(v, epsilon))));
    return add(mul(y, spread(params.scale)), spread(params.bias));
  };
  const checked = (input: TensorLike) => {
    const x = asTensor(input);
    requireExtent("batchNorm", x, 1, channels, "channels");
    return x;
  };
  return {
    init: (dtype = "float32") => unitParams(channels, dtype),
    initState: (dtype = "float32") => ({ mean: zeros([channels], dtype), variance: ones([channels], dtype) }),
    train(params, state, input) {
      const x = checked(input);
      const axis = x.shape.map((_, i) => i).filter((i) => i !== 1);
      const count = x.size / channels;
      if (count < 2) {
        throw new ShapeError(`batchNorm: the input [${x.shape}] has one value per channel; a variance needs two`);
      }
      const [y, m, v] = overBatch(x, params, axis, epsilon);
      const follow = (old: Tensor, now: Tensor) => add(mul(old, 1 - momentum), mul(now, momentum));
      // The running variance is that of the population, hence the factor.
      const variance = follow(state.variance, mul(v, count / (count - 1)));
      return [y, { mean: follow(state.mean, m), variance }];
    },
    apply: (params, state, input) => affine(checked(input), state.mean, state.variance, params),
  };
}
