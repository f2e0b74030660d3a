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

/** Convolutions of strides 1 in one group have gradients that ONNX Runtime's CPU computes about twice as fast. */
export function quickKernelGradient(other: Lowering<KernelGradient>): Lowering<KernelGradient> {
  return byDevice((c, equation) => {
    const quick = plain(equation.params) && equation.outputs[0].shape.every((n) => n > 0);
    (quick ? kernelGradientByShifts : other)(c, equation);
  }, other);
}

/** See `quickKernelGradient`. */
export function quickInputGradient(other: Lowering<InputGradient>): Lowering<InputGradient> {
  return byDevice((c, equation) => {
    const [g, w] = equation.inputs;
    const quick = plain(equation.params) && fullPadding(g, w.shape.slice(2), equation.params) !== undefined;
    (quick ? inputGradientByConvolution : other)(c, equation);
  }, other);
}
