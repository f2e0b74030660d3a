import {
  averagePool,
  clip,
  conv,
  globalAveragePool,
  matmul,
  maxPool,
  relu,
  reshape,
  ShapeError,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { outputExtents } from "../geometry.js";
import { withZeroChannels } from "../zero-channels.js";
import { unpackWeights } from "./bits.js";
import type { ConvolutionEngine, Finish } from "./convolution-job.js";
import type { PackedLayer, PackedPart, ResidualPart } from "./packed-part.js";

/** Real weights of layers whose activations are real. */
const realWeights = new WeakMap<PackedLayer, Tensor>();

function floats(x: Tensor): Float32Array {
  return x.data() as Float32Array;
}

/**
 * `scale x + shift` per channel of `x[batch, channels, ...]`, then clamped where asked for. A loop, as `summed`: in one pass
 * over the values it takes a seventh to a fourteenth of the time of eager tensor operations, and packed networks run eagerly.
 */
function affine(x: Tensor, scale: ArrayLike<number>, shift: ArrayLike<number>, clamp: boolean): Tensor {
  const values = floats(x);
  const [batch, channels] = x.shape;
  const plane = values.length / (batch * channels);
  const out = new Float32Array(values.length);
  for (let k = 0, i = 0; k < batch * channels; k++) {
    const [s, t] = [scale[k % channels], shift[k % channels]];
    for (const end = i + plane; i < end; i++) {
      const y = s * values[i] + t;
      out[i] = clamp ? Math.min(1, Math.max(-1, y)) : y;
    }
  }
  return tensor(out, { shape: x.shape });
}

/** `[batch, features]` as an image with the batch along its height, so that one pass serves all of it. */
function asColumn(x: Tensor): Tensor {
  const [batch, features] = x.shape;
  const values = floats(x);
  const out = new Float32Array(values.length);
  for (let n = 0; n < batch; n++) for (let c = 0; c < features; c++) out[c * batch + n] = values[n * features + c];
  return tensor(out, { shape: [1, features, batch, 1] });
}

function fromColumn(x: Tensor): Tensor {
  const [, features, batch] = x.shape;
  const values = floats(x);
  const out = new Float32Array(values.length);
  for (let c = 0; c < features; c++) for (let n = 0; n < batch; n++) out[n * features + c] = values[c * batch + n];
  return tensor(out, { shape: [batch, features] });
}

function binary(layer: PackedLayer, x: Tensor, engine: ConvolutionEngine, add?: Tensor, clamp = layer.clamp): Tensor {
  if (x.rank === 2) {
    const y = fromColumn(binary(layer, asColumn(x), engine, undefined, add === undefined && clamp));
    return add === undefined ? y : summed(y, add, clamp);
  }
  const { weights, geometry, padValue, scale, shift } = layer;
  const [outputs, channels] = weights.shape;
  if (x.rank !== 4 || x.shape[1] !== channels * geometry.groups) {
    throw new ShapeError(
      `PackedModel: ${layer.name} gets [${x.shape}]; it needs [batch, ${channels * geometry.groups}, height, width]`,
    );
  }
  if (!layer.binaryActivations) {
    const y = affine(realConvolution(layer, x), scale, layer.shift, add === undefined && clamp);
    return add === undefined ? y : summed(y, add, clamp);
  }
  const extents = outputExtents(`PackedModel: ${layer.name}`, geometry, x.shape[2], x.shape[3]);
  const shape = [x.shape[0], outputs, ...extents];
  if (add !== undefined) requireEqual(shape, add.shape);
  const finish: Finish = { scale, shift, clamp, ...(add && { add: floats(add) }) };
  const input = { shape: x.shape as unknown as [number, number, number, number], values: floats(x) };
  const y = engine({ input, weights, geometry, extents, padValue, finish }) as Float32Array;
  return tensor(y, { shape });
}

function realConvolution(layer: PackedLayer, x: Tensor): Tensor {
  const weight = realWeights.get(layer) ?? unpackWeights(layer.weights);
  realWeights.set(layer, weight);
  const { strides, padding, dilation, groups } = layer.geometry;
  return conv(x, weight, { strides, padding: padding.map((n) => [n, n] as [number, number]), dilation, groups });
}

function requireEqual(a: readonly number[], b: readonly number[]): void {
  if (a.join() !== b.join()) {
    throw new ShapeError(`PackedModel: a body gives [${a}] and its shortcut [${b}]; the images do not fit the network`);
  }
}

function summed(a: Tensor, b: Tensor, clamp: boolean): Tensor {
  requireEqual(a.shape, b.shape);
  const [x, y] = [floats(a), floats(b)];
  const out = new Float32Array(x.length);
  for (let i = 0; i < out.length; i++) {
    const z = x[i] + y[i];
    out[i] = clamp ? Math.min(1, Math.max(-1, z)) : z;
  }
  return tensor(out, { shape: a.shape });
}

function residual({ body, shortcut, clamp = false }: ResidualPart, x: Tensor, engine: ConvolutionEngine): Tensor {
  const side = runParts(shortcut, x, engine);
  const last = body[body.length - 1];
  if (last?.kind !== "binary" || last.clamp) return summed(runParts(body, x, engine), side, clamp);
  // The sum is the last step of the kernel.
  return binary(last, runParts(body.slice(0, -1), x, engine), engine, side, clamp);
}

function step(part: PackedPart, x: Tensor, engine: ConvolutionEngine): Tensor {
  switch (part.kind) {
    case "binary":
      return binary(part, x, engine);
    case "affine":
      return affine(x, part.scale, part.shift, false);
    case "conv": {
      const { strides, padding, dilation, groups } = part.geometry;
      const pairs = padding.map((n) => [n, n] as [number, number]);
      const y = conv(x, part.weight, { strides, padding: pairs, dilation, groups });
      return part.bias === null ? y : y.add(reshape(part.bias, [part.bias.size, 1, 1]));
    }
    case "linear": {
      const y = matmul(x, part.weight);
      return part.bias === null ? y : y.add(part.bias);
    }
    case "maxPool":
      return maxPool(x, part.kernel, { strides: part.strides, padding: part.padding });
    case "averagePool":
      return averagePool(x, part.kernel, { strides: part.strides, padding: part.padding });
    case "hardtanh":
      return clip(x, -1, 1);
    case "relu":
      return relu(x);
    case "globalAveragePool":
      return globalAveragePool(x);
    case "flatten":
      return reshape(x, [x.shape[0], x.size / x.shape[0]]);
    case "padChannels":
      return withZeroChannels(x, part.channels);
    case "residual":
      return residual(part, x, engine);
    case "function":
      return part.apply(x);
  }
}

/** Runs one part after the other on float32 values in memory. */
export function runParts(parts: readonly PackedPart[], x: Tensor, engine: ConvolutionEngine): Tensor {
  return parts.reduce((value, part) => step(part, value, engine), x);
}
