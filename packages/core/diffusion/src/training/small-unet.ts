import { type ConvParams, conv2d, type FloatType, type LinearParams, linear } from "@offprint/nn";
import {
  add,
  broadcastTo,
  checkOptions,
  concatenate,
  expandDims,
  mean,
  mul,
  type Rng,
  repeat,
  requireInteger,
  reshape,
  ShapeError,
  sigmoid,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { forEachSample } from "../level.js";
import type { DenoisingNetwork } from "./fit-denoiser.js";
import { sinusoidalFeatures } from "./time-features.js";

/** Options of {@link smallUnet}. */
export interface SmallUnetOptions {
  /** Channels of an image. Default 1. */
  readonly channels?: number;
  /** Channels of the first stage; the second has twice as many. Default 16. */
  readonly width?: number;
  /** Entries of a condition, `[batch, entries]` or `[batch, tokens, entries]`. Default 0: none. */
  readonly conditionSize?: number;
}

/** Parameters of {@link smallUnet}. */
export interface SmallUnetParams {
  /** Into the first stage. */
  readonly enter: ConvParams;
  /** Within the first stage. */
  readonly high: ConvParams;
  /** Down to half the extent. */
  readonly down: ConvParams;
  /** At half the extent. */
  readonly low: ConvParams;
  /** Where both stages meet again. */
  readonly up: ConvParams;
  /** Out of the last stage. */
  readonly leave: ConvParams;
  /** What the time tells the lower stage. */
  readonly time: LinearParams;
  /** What the condition tells it; none without. */
  readonly condition: LinearParams | null;
}

const silu = (x: Tensor) => mul(x, sigmoid(x));

/** A small convolutional U-Net of two stages for images `[batch, channels, height, width]` of even extents. */
export function smallUnet(options: SmallUnetOptions = {}): DenoisingNetwork<SmallUnetParams, Tensor> {
  const owner = "smallUnet";
  checkOptions(owner, options, ["channels", "width", "conditionSize"]);
  const { channels = 1, width = 16, conditionSize = 0 } = options;
  requireInteger(owner, "channels", channels, 1);
  requireInteger(owner, "width", width, 2);
  requireInteger(owner, "conditionSize", conditionSize, 0);
  const convolution = (inputs: number, outputs: number, strides = 1) =>
    conv2d({ inputs, outputs, kernel: 3, padding: 1, strides });
  const enter = convolution(channels, width);
  const high = convolution(width, width);
  const down = convolution(width, 2 * width, 2);
  const low = convolution(2 * width, 2 * width);
  const up = convolution(3 * width, width);
  const leave = convolution(width, channels);
  const timeSize = 2 * width;
  const time = linear({ inputs: timeSize, outputs: 2 * width });
  const told = conditionSize > 0 ? linear({ inputs: conditionSize, outputs: 2 * width }) : undefined;
  return {
    init: (rng: Rng, dtype: FloatType = "float32") => ({
      enter: enter.init(rng, dtype),
      high: high.init(rng, dtype),
      down: down.init(rng, dtype),
      low: low.init(rng, dtype),
      up: up.init(rng, dtype),
      leave: leave.init(rng, dtype),
      time: time.init(rng, dtype),
      condition: told?.init(rng, dtype) ?? null,
    }),
    apply(params, z, level, condition) {
      if (z.rank !== 4 || z.shape[1] !== channels || z.shape[2] % 2 !== 0 || z.shape[3] % 2 !== 0) {
        throw new ShapeError(`${owner}: images have shape [${z.shape}]; they must be [batch, ${channels}, even, even]`);
      }
      if (told === undefined && condition !== undefined) {
        throw new ValueError(
          `${owner}: a condition of shape [${condition.shape}] says nothing here; give conditionSize`,
        );
      }
      let say = time.apply(params.time, sinusoidalFeatures(forEachSample(level.timestep, z), timeSize));
      if (told !== undefined && params.condition !== null && condition !== undefined) {
        const rows =
          condition.rank === 3 ? mean(condition, 1) : condition.rank === 1 ? expandDims(condition, 0) : condition;
        say = add(say, told.apply(params.condition, broadcastTo(rows, [z.shape[0], conditionSize]).cast(z.dtype)));
      }
      const first = silu(high.apply(params.high, silu(enter.apply(params.enter, z))));
      const half = down.apply(params.down, first);
      const second = add(
        half,
        silu(low.apply(params.low, silu(add(half, reshape(say, [z.shape[0], 2 * width, 1, 1]))))),
      );
      const wide = repeat(repeat(second, 2, 2), 2, 3);
      return leave.apply(params.leave, silu(up.apply(params.up, concatenate([first, wide], 1))));
    },
  };
}
