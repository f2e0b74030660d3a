import {
  concatenate,
  conv,
  flip,
  matmul,
  type PrimitiveParams,
  pad,
  reshape,
  type Spec,
  swapAxes,
  type Tensor,
  transpose,
} from "@offprint/tensor-core";
import { composed } from "./composed.js";
import { byDevice, type Lowering } from "./lowering.js";

type ConvParams = PrimitiveParams<"conv">;
type InputGradient = PrimitiveParams<"convInputGrad">;
type KernelGradient = PrimitiveParams<"convKernelGrad">;

/** `x` along one axis, from `start` on, `count` long; zeros where there is nothing. */
function window(x: Tensor, axis: number, start: number, count: number): Tensor {
  const widths = x.shape.map((n, i): [number, number] => (i === axis ? [-start, start + count - n] : [0, 0]));
  return pad(x, widths);
}

/** `x` and its shifts along one axis, one behind the other along axis 0. */
function shifts(x: Tensor, axis: number, starts: readonly number[], count: number): Tensor {
  const parts = starts.map((start) => window(x, axis, start, count));
  return parts.length === 1 ? parts[0] : concatenate(parts, 0);
}

function multiples(count: number, step: number): number[] {
  return Array.from({ length: count }, (_, k) => k * step);
}

/**
 * The kernel's gradient for strides 1 as one matrix product: shifts of the input along the last axis by shifts of the
 * output's gradient along the others, which gives all places of the kernel at once.
 */
function kernelGradient(x: Tensor, g: Tensor, { padding, dilation }: ConvParams, kernel: readonly number[]): Tensor {
  const rank = kernel.length;
  const [channels, outputs] = [x.shape[1], g.shape[1]];
  const last = rank - 1;
  const taps = multiples(kernel[last], dilation[last]).map((at) => at - padding[last][0]);
  const columns = shifts(swapAxes(x, 0, 1), rank + 1, taps, g.shape[rank + 1]);
  let rows = swapAxes(g, 0, 1);
  for (let axis = last - 1; axis >= 0; axis--) {
    const places = multiples(kernel[axis], dilation[axis]).map((at) => padding[axis][0] - at);
    rows = shifts(rows, axis + 2, places, x.shape[axis + 2]);
  }
  const depth = columns.size / columns.shape[0];
  const product = matmul(reshape(rows, [-1, depth]), transpose(reshape(columns, [-1, depth])));
  const split = reshape(product, [...kernel.slice(0, last), outputs, kernel[last], channels]);
  const spatial = kernel.map((_, i) => (i < last ? i : rank));
  return transpose(split, [last, rank + 1, ...spatial]);
}

/** The padding of the convolution that is the input's gradient, where strides are 1; undefined where it would cut. */
function fullPadding(g: Spec, kernel: readonly number[], params: InputGradient) {
  const { padding, dilation, inputSpatial } = params;
  const pairs = kernel.map((k, i): [number, number] => {
    const low = dilation[i] * (k - 1) - padding[i][0];
    return [low, inputSpatial[i] - g.shape[i + 2] + padding[i][0]];
  });
  return pairs.every(([low, high]) => low >= 0 && high >= 0) ? pairs : undefined;
}

function plain({ strides, groups }: ConvParams): boolean {
  return groups === 1 && strides.every((n) => n === 1);
}

/** Whether a strided convolution is one of strides 1 over its input's phases: places that are a stride apart. */
function inPhases({ strides, dilation, groups }: ConvParams, kernel: readonly number[]): boolean {
  return groups === 1 && dilation.every((d) => d === 1) && kernel.every((k, i) => k % strides[i] === 0);
}

/** `[a, b, ...s q]` to `[a, s... b, ...q]`: the phases of each axis as further channels. */
function toPhases(x: Tensor, strides: readonly number[]): Tensor {
  const [a, b, ...extents] = x.shape;
  const split = reshape(x, [a, b, ...extents.flatMap((n, i) => [n / strides[i], strides[i]])]);
  const axes = strides.map((_, i) => 2 + 2 * i);
  const turned = transpose(split, [0, ...axes.map((axis) => axis + 1), 1, ...axes]);
  return reshape(turned, [a, -1, ...extents.map((n, i) => n / strides[i])]);
}

/** The other way round. */
function fromPhases(x: Tensor, strides: readonly number[]): Tensor {
  const [a, , ...extents] = x.shape;
  const rank = strides.length;
  const split = reshape(x, [a, ...strides, -1, ...extents]);
  const turned = transpose(split, [0, rank + 1, ...strides.flatMap((_, i) => [rank + 2 + i, 1 + i])]);
  return reshape(turned, [a, turned.shape[1], ...extents.map((n, i) => n * strides[i])]);
}

/** What a convolution with these strides sees of each axis. */
function reached(g: Spec, kernel: readonly number[], strides: readonly number[]): number[] {
  return kernel.map((k, i) => strides[i] * (g.shape[i + 2] - 1) + k);
}

const unpadded = (kernel: readonly number[]): Pick<ConvParams, "padding" | "dilation"> => ({
  padding: kernel.map(() => [0, 0]),
  dilation: kernel.map(() => 1),
});

const kernelGradientByPhases = composed<KernelGradient>(([x, g], { strides, padding, kernelSpatial }) => {
  const seen = reached(g, kernelSpatial, strides).reduce(
    (part, count, i) => window(part, i + 2, -padding[i][0], count),
    x,
  );
  const kernel = kernelSpatial.map((k, i) => k / strides[i]);
  const gradient = kernelGradient(toPhases(seen, strides), g, { ...unpadded(kernel), strides, groups: 1 }, kernel);
  return [fromPhases(gradient, strides)];
});

const inputGradientByPhases = composed<InputGradient>(([g, w], { strides, padding, inputSpatial }) => {
  const phases = toPhases(w, strides);
  const axes = strides.map((_, i) => i + 2);
  const kernel = phases.shape.slice(2);
  const full = kernel.map((k): [number, number] => [k - 1, k - 1]);
  const gradient = conv(g, flip(swapAxes(phases, 0, 1), axes), { padding: full });
  return [
    inputSpatial.reduce((part, count, i) => window(part, i + 2, padding[i][0], count), fromPhases(gradient, strides)),
  ];
});

const kernelGradientByShifts = composed<KernelGradient>(([x, g], params) => [
  kernelGradient(x, g, params, params.kernelSpatial),
]);

const inputGradientByConvolution = composed<InputGradient>(([g, w], params) => {
  const kernel = w.shape.slice(2);
  const turned = flip(
    swapAxes(w, 0, 1),
    kernel.map((_, i) => i + 2),
  );
  return [conv(g, turned, { padding: fullPadding(g, kernel, params)!, dilation: params.dilation })];
});

/**
 * Convolutions in one group have gradients that ONNX Runtime's CPU computes about twice as fast: those of strides 1, and
 * those whose kernel is a multiple of the strides, which are of strides 1 over the phases of their input.
 */
export function quickKernelGradient(other: Lowering<KernelGradient>): Lowering<KernelGradient> {
  return byDevice((c, equation) => {
    const { params } = equation;
    if (equation.outputs[0].shape.some((n) => n === 0)) other(c, equation);
    else if (plain(params)) kernelGradientByShifts(c, equation);
    else if (inPhases(params, params.kernelSpatial)) kernelGradientByPhases(c, equation);
    else other(c, equation);
  }, other);
}

/** See `quickKernelGradient`. */
export function quickInputGradient(other: Lowering<InputGradient>): Lowering<InputGradient> {
  return byDevice((c, equation) => {
    const { params } = equation;
    const [g, w] = equation.inputs;
    const kernel = w.shape.slice(2);
    if (equation.outputs[0].shape.some((n) => n === 0)) other(c, equation);
    else if (plain(params) && fullPadding(g, kernel, params) !== undefined) inputGradientByConvolution(c, equation);
    else if (!plain(params) && inPhases(params, kernel)) inputGradientByPhases(c, equation);
    else other(c, equation);
  }, other);
}
