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

/** Larger matrices of patches, of which a program keeps one a layer from the loss to its gradient, take too much memory. */
const MOST_ELEMENTS = 1 << 22;
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

/** `x` with zeros before and after along its spatial axes. */
export function padded(x: Tensor, low: readonly number[], high: readonly number[]): Tensor {
  if ([...low, ...high].every((n) => n === 0)) return x;
  const zero = [0, 0];
  return bindOne(padP, [x], {
    low: [...zero, ...low],
    high: [...zero, ...high],
    interior: x.shape.map(() => 0),
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

/** Zeros before, and zeros after. */
export function split(padding: ConvParams["padding"]): [low: number[], high: number[]] {
  return [padding.map(([low]) => low), padding.map(([, high]) => high)];
}

/** `conv` of x `[n, c, ...]` with w, to `[n, o, ...out]`. */
export function convByProduct(x: Tensor, w: Tensor, params: ConvParams, out: Shape): Tensor | undefined {
  const kernel = w.shape.slice(2);
  if (!isModest(x.shape[1], x.shape[0], kernel, out)) return undefined;
  return product(padded(x, ...split(params.padding)), w, params, out);
}

function product(x: Tensor, w: Tensor, params: Omit<ConvParams, "padding">, out: Shape): Tensor {
  const [o, c, ...kernel] = w.shape;
  const { groups } = params;
  const weights = reshape(w, [groups, o / groups, c * sizeOf(kernel)]);
  const y = bindOne(matmulP, [weights, patchesOf(x, kernel, params, out)], null);
  return transpose(reshape(y, [o, x.shape[0], ...out]), [1, 0, ...out.map((_, i) => i + 2)]);
}

/**
 * The gradient in the input. Each block of places, as many as the strides, is what a convolution of strides 1 gives at one
 * place: of g with the reversed kernel, whose entries a stride apart belong to the same place of blocks.
 */
export function inputGradByProduct(g: Tensor, w: Tensor, params: ConvInputGradParams): Tensor | undefined {
  const { strides, dilation, padding, groups, inputSpatial } = params;
  const [o, c, ...kernel] = w.shape;
  const axes = strides.map((_, i) => i);
  const taps = axes.map((i) => Math.ceil(kernel[i] / strides[i]));
  const first = axes.map((i) => Math.floor(padding[i][0] / strides[i]));
  const blocks = axes.map((i) => Math.ceil((padding[i][0] + inputSpatial[i]) / strides[i]) - first[i]);
  if (!isModest(g.shape[1], g.shape[0], taps, blocks) || sizeOf(g.shape) === 0) return undefined;
  if (axes.some((i) => strides[i] > 1 && dilation[i] > 1)) return undefined;
  const reach = axes.map((i) => dilation[i] * (taps[i] - 1));
  const seen = padded(
    g,
    axes.map((i) => reach[i] - first[i]),
    axes.map((i) => blocks[i] + first[i] - g.shape[i + 2]),
  );
  const whole = padded(
    w,
    axes.map(() => 0),
    axes.map((i) => taps[i] * strides[i] - kernel[i]),
  );
  const split = reshape(whole, [groups, o / groups, c, ...axes.flatMap((i) => [taps[i], strides[i]])]);
  const reversed = flip(
    split,
    axes.map((i) => 3 + 2 * i),
  );
  const byInput = transpose(reversed, [0, 2, ...axes.map((i) => 4 + 2 * i), 1, ...axes.map((i) => 3 + 2 * i)]);
  const channels = groups * c;
  const weights = reshape(byInput, [channels * sizeOf(strides), o / groups, ...taps]);
  const places = product(seen, weights, { strides: strides.map(() => 1), dilation, groups }, blocks);
  const apart = reshape(places, [g.shape[0], channels, ...strides, ...blocks]);
  const joined = transpose(apart, [0, 1, ...axes.flatMap((i) => [2 + axes.length + i, 2 + i])]);
  const low = axes.map((i) => first[i] * strides[i] - padding[i][0]);
  return padded(
    reshape(joined, [g.shape[0], channels, ...axes.map((i) => blocks[i] * strides[i])]),
    low,
    axes.map((i) => inputSpatial[i] - blocks[i] * strides[i] - low[i]),
  );
}

/** The gradient in the kernel: the products of g with the patches. */
export function kernelGradByProduct(x: Tensor, g: Tensor, params: ConvKernelGradParams): Tensor | undefined {
  const { padding, groups, kernelSpatial } = params;
  const [n, o, ...out] = g.shape;
  const c = x.shape[1];
  if (!isModest(c, n, kernelSpatial, out)) return undefined;
  const patches = patchesOf(padded(x, ...split(padding)), kernelSpatial, params, out);
  const byChannel = transpose(g, [1, 0, ...out.map((_, i) => i + 2)]);
  const incoming = reshape(byChannel, [groups, o / groups, n * sizeOf(out)]);
  const y = bindOne(matmulP, [incoming, swapAxes(patches, 1, 2)], null);
  return reshape(y, [o, c / groups, ...kernelSpatial]);
}
