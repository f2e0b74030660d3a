/*
 * Convolutions as matrix products of the patches that the kernel sees, in other operations: for compilers, which fuse
 * the copies and plan their memory. Large ones are left to the kernels, which work patch by patch.
 */
import { concatenate, flip, reshape, swapAxes, transpose } from "../ops/movement.js";
import { bindOne } from "../primitive.js";
import { type Shape, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { matmulP } from "./contraction.js";
import type { ConvInputGradParams, ConvKernelGradParams, ConvParams } from "./convolution.js";
import { padP, sliceP } from "./movement.js";

/** Larger matrices of patches do not stay in the cache. */
const MOST_ELEMENTS = 1 << 20;
const MOST_OFFSETS = 64;

/** All index vectors below the extents, in row-major order. */
function indicesBelow(extents: Shape): number[][] {
  return extents.reduce<number[][]>(
    (all, n) => all.flatMap((index) => Array.from({ length: n }, (_, i) => [...index, i])),
    [[]],
  );
}

/** Whether the patches of n images with so many channels are few enough. */
function isModest(channels: number, n: number, kernel: Shape, out: Shape): boolean {
  const offsets = sizeOf(kernel);
  const elements = channels * offsets * n * sizeOf(out);
  return elements > 0 && elements <= MOST_ELEMENTS && offsets <= MOST_OFFSETS;
}

function padded(x: Tensor, low: readonly number[], high: readonly number[], interior: readonly number[]): Tensor {
  if ([...low, ...high, ...interior].every((n) => n === 0)) return x;
  const zero = [0, 0];
  return bindOne(padP, [x], {
    low: [...zero, ...low],
    high: [...zero, ...high],
    interior: [...zero, ...interior],
    value: 0,
  });
}

/** What the kernel sees of x `[n, c, ...]`, already padded: `[groups, c / groups * offsets, n * positions]`. */
function patchesOf(x: Tensor, kernel: Shape, params: Omit<ConvParams, "padding">, out: Shape): Tensor {
  const { strides, dilation, groups } = params;
  const [n, c] = x.shape;
  const byChannel = transpose(x, [1, 0, ...out.map((_, i) => i + 2)]);
  const seen = indicesBelow(kernel).map((offset) => {
    const part = bindOne(sliceP, [byChannel], {
      starts: [0, 0, ...offset.map((o, i) => o * dilation[i])],
      counts: [c, n, ...out],
      steps: [1, 1, ...strides],
    });
    return reshape(part, [c, 1, n, ...out]);
  });
  return reshape(concatenate(seen, 1), [groups, (c / groups) * seen.length, n * sizeOf(out)]);
}

function split(padding: ConvParams["padding"]): [low: number[], high: number[]] {
  return [padding.map(([low]) => low), padding.map(([, high]) => high)];
}

const none = (shape: Shape) => shape.map(() => 0);

/** `conv` of x `[n, c, ...]` with w, to `[n, o, ...out]`. */
export function convByProduct(x: Tensor, w: Tensor, params: ConvParams, out: Shape): Tensor | undefined {
  const kernel = w.shape.slice(2);
  if (!isModest(x.shape[1], x.shape[0], kernel, out)) return undefined;
  return product(padded(x, ...split(params.padding), none(out)), w, params, out);
}

function product(x: Tensor, w: Tensor, params: Omit<ConvParams, "padding">, out: Shape): Tensor {
  const [o, c, ...kernel] = w.shape;
  const { groups } = params;
  const weights = reshape(w, [groups, o / groups, c * sizeOf(kernel)]);
  const y = bindOne(matmulP, [weights, patchesOf(x, kernel, params, out)], null);
  return transpose(reshape(y, [o, x.shape[0], ...out]), [1, 0, ...out.map((_, i) => i + 2)]);
}

/** The gradient in the input as a convolution of g, spread by the strides, with the reversed kernel. */
export function inputGradByProduct(g: Tensor, w: Tensor, params: ConvInputGradParams): Tensor | undefined {
  const { strides, dilation, padding, groups, inputSpatial } = params;
  const [o, c, ...kernel] = w.shape;
  if (!isModest(g.shape[1], g.shape[0], kernel, inputSpatial) || sizeOf(g.shape) === 0) return undefined;
  const axes = kernel.map((_, i) => i);
  const reach = axes.map((i) => dilation[i] * (kernel[i] - 1));
  const low = axes.map((i) => reach[i] - padding[i][0]);
  const spread = axes.map((i) => (g.shape[i + 2] - 1) * strides[i] + 1);
  const high = axes.map((i) => inputSpatial[i] + reach[i] - low[i] - spread[i]);
  const wide = padded(
    g,
    low,
    high,
    strides.map((s) => s - 1),
  );
  const reversed = flip(
    w,
    axes.map((i) => i + 2),
  );
  const byInput = swapAxes(reshape(reversed, [groups, o / groups, c, ...kernel]), 1, 2);
  const weights = reshape(byInput, [groups * c, o / groups, ...kernel]);
  return product(wide, weights, { strides: strides.map(() => 1), dilation, groups }, inputSpatial);
}

/** The gradient in the kernel: the products of g with the patches. */
export function kernelGradByProduct(x: Tensor, g: Tensor, params: ConvKernelGradParams): Tensor | undefined {
  const { padding, groups, kernelSpatial } = params;
  const [n, o, ...out] = g.shape;
  const c = x.shape[1];
  if (!isModest(c, n, kernelSpatial, out)) return undefined;
  const patches = patchesOf(padded(x, ...split(padding), none(out)), kernelSpatial, params, out);
  const byChannel = transpose(g, [1, 0, ...out.map((_, i) => i + 2)]);
  const incoming = reshape(byChannel, [groups, o / groups, n * sizeOf(out)]);
  const y = bindOne(matmulP, [incoming, swapAxes(patches, 1, 2)], null);
  return reshape(y, [o, c / groups, ...kernelSpatial]);
}
