import { checkOptions } from "../check-options.js";
import { full } from "../construct.js";
import { ShapeError, ValueError } from "../errors.js";
import { bindOne } from "../primitive.js";
import { maxPoolP, type PoolParams, pooledExtents } from "../primitives/pooling.js";
import { formatShape, rowMajorStrides, sizeOf } from "../shape.js";
import { hostTensor, type Tensor, type TensorLike } from "../tensor.js";
import { conv } from "./convolution.js";
import { cast, mul } from "./elementwise.js";
import { reshape } from "./movement.js";
import { asFloat } from "./operands.js";
import { mean, type ReduceOptions } from "./reduction.js";
import { type PaddingAmount, type PerAxis, paddingPairs, perAxis, samePadding, spatialRank } from "./window.js";

/** Options of pooling. */
export interface PoolOptions {
  /** Steps of the window. Default: its extents, so that windows do not overlap. */
  strides?: PerAxis;
  /** "same" gives ceil(n / stride) outputs, "valid" (the default) pads nothing. */
  padding?: "same" | "valid" | PaddingAmount;
  /** Distance of neighbouring entries of the window. Default 1. */
  dilation?: PerAxis;
}

/** Options of `averagePool`. */
export interface AveragePoolOptions extends PoolOptions {
  /** Whether the zeros of the padding count in the mean. Default true. */
  countIncludePad?: boolean;
}

const POOL = ["strides", "padding", "dilation"];

function windows(operation: string, x: TensorLike, kernel: PerAxis, options: PoolOptions): [Tensor, PoolParams] {
  const t = asFloat(x);
  const rank = spatialRank(operation, t);
  const window = perAxis(operation, "kernel", kernel, rank, 1);
  const strides = perAxis(operation, "strides", options.strides ?? window, rank, 1);
  const dilation = perAxis(operation, "dilation", options.dilation ?? 1, rank, 1);
  const { padding = "valid" } = options;
  const spatial = t.shape.slice(2);
  const params: PoolParams = {
    kernel: window,
    strides,
    dilation,
    padding:
      padding === "same"
        ? samePadding(spatial, window, strides, dilation)
        : paddingPairs(operation, padding === "valid" ? 0 : padding, rank),
  };
  if (params.padding.some(([low, high], i) => Math.max(low, high) > dilation[i] * (window[i] - 1))) {
    throw new ValueError(`${operation}: a window of ${formatShape(window)} would see padding only; pad less`);
  }
  if (pooledExtents(spatial, params).some((n) => n < 1)) {
    throw new ShapeError(
      `${operation}: a window of ${formatShape(window)} is larger than the padded input ${formatShape(spatial)}`,
    );
  }
  return [t, params];
}

/**
 * The largest value in each window over `x` `[batch, channels, ...spatial]`, 1 to 3 spatial axes; padding never wins.
 * The gradient goes to the first of equal largest values.
 * @param kernel extents of the window, one for all axes or one for each.
 * @throws ShapeError where a window does not fit; ValueError for options.
 */
export function maxPool(x: TensorLike, kernel: PerAxis, options: PoolOptions = {}): Tensor {
  checkOptions("maxPool", options, POOL);
  const [t, params] = windows("maxPool", x, kernel, options);
  return bindOne(maxPoolP, [t], params);
}

/**
 * The mean of each window over `x` `[batch, channels, ...spatial]`, 1 to 3 spatial axes.
 * @param kernel extents of the window, one for all axes or one for each.
 * @throws ShapeError where a window does not fit; ValueError for options.
 */
export function averagePool(x: TensorLike, kernel: PerAxis, options: AveragePoolOptions = {}): Tensor {
  checkOptions("averagePool", options, [...POOL, "countIncludePad"]);
  const [t, params] = windows("averagePool", x, kernel, options);
  const [n, channels, ...spatial] = t.shape;
  const { kernel: window, ...placement } = params;
  const count = sizeOf(window);
  const padded = params.padding.some(([low, high]) => low + high > 0);
  const alone = padded && options.countIncludePad === false;
  const ones = full([1, 1, ...window], alone ? 1 : 1 / count, t.dtype);
  const sums = conv(reshape(t, [n * channels, 1, ...spatial]), ones, placement);
  const averages = alone ? mul(sums, cast(inverseCounts(spatial, params), t.dtype)) : sums;
  return reshape(averages, [n, channels, ...averages.shape.slice(2)]);
}

/** One over the number of places inside the input that each window sees: `[...out]`, float64. */
function inverseCounts(spatial: readonly number[], params: PoolParams): Tensor {
  const out = pooledExtents(spatial, params);
  const perAxisCounts = out.map((places, i) =>
    Array.from({ length: places }, (_, o) => {
      let count = 0;
      for (let k = 0; k < params.kernel[i]; k++) {
        const place = o * params.strides[i] - params.padding[i][0] + k * params.dilation[i];
        if (place >= 0 && place < spatial[i]) count++;
      }
      return count;
    }),
  );
  const strides = rowMajorStrides(out);
  const inverse = Float64Array.from(
    { length: sizeOf(out) },
    (_, p) =>
      1 / perAxisCounts.reduce((product, counts, i) => product * counts[Math.floor(p / strides[i]) % out[i]], 1),
  );
  return hostTensor(inverse, out, "float64");
}

/** The mean of each channel of `[batch, channels, ...spatial]` over all spatial axes: `[batch, channels]`. */
export function globalAveragePool(x: TensorLike, options: Pick<ReduceOptions, "keepDims"> = {}): Tensor {
  checkOptions("globalAveragePool", options, ["keepDims"]);
  const t = asFloat(x);
  const rank = spatialRank("globalAveragePool", t);
  return mean(t, { ...options, axis: Array.from({ length: rank }, (_, i) => i + 2) });
}
