import {
  arange,
  argMax,
  equal,
  expandDims,
  grad,
  matmul,
  max,
  mul,
  type PrimitiveParams,
  pad,
  reshape,
  slice,
  stack,
  sum,
  type Tensor,
  where,
  zeros,
} from "@offprint/tensor-core";
import { composed } from "./composed.js";
import { type Lowering, lowerings } from "./lowering.js";

type ConvParams = PrimitiveParams<"conv">;
type WindowParams = Omit<ConvParams, "groups">;

/** All places of a kernel, the last axis fastest. */
function places(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (all, n) => all.flatMap((head) => Array.from({ length: n }, (_, i) => [...head, i])),
    [[]],
  );
}

/** Spatial extents of the places that a window of a padded input can take. */
function extentsOf(padded: Tensor, kernel: readonly number[], { strides, dilation }: WindowParams): number[] {
  return kernel.map((k, i) => Math.floor((padded.shape[i + 2] - dilation[i] * (k - 1) - 1) / strides[i]) + 1);
}

/** For each place of the kernel the part of the input `[n, c, ...]` that it sees, along a new axis 2. */
function windows(x: Tensor, kernel: readonly number[], params: WindowParams, filling: number): Tensor {
  const { strides, padding, dilation } = params;
  const padded = pad(x, [[0, 0], [0, 0], ...padding] as [number, number][], filling);
  const extents = extentsOf(padded, kernel, params);
  const seen = places(kernel).map((place) => {
    const parts = place.map((k, i) => {
      const start = k * dilation[i];
      return { start, stop: start + (extents[i] - 1) * strides[i] + 1, step: strides[i] };
    });
    return slice(padded, [null, null, ...parts]);
  });
  return stack(seen, 2);
}

/** A convolution as one matrix product over the windows. */
function convolve(x: Tensor, w: Tensor, params: ConvParams): Tensor {
  const { groups } = params;
  const [n, channels] = x.shape;
  const seen = windows(x, w.shape.slice(2), params, 0);
  const [, , area, ...extents] = seen.shape;
  const columns = reshape(seen, [n, groups, (channels / groups) * area, -1]);
  const rows = reshape(w, [groups, w.shape[0] / groups, w.shape[1] * area]);
  return reshape(matmul(rows, columns), [n, w.shape[0], ...extents]);
}

/** For what ONNX Runtime has no convolutions; the gradients are those of the product. */
export const convolutionsByProducts = lowerings({
  conv: composed(([x, w], params) => [convolve(x, w, params)]),
  convInputGrad: composed(([g, w], params) => {
    const x = zeros([g.shape[0], w.shape[1] * params.groups, ...params.inputSpatial], g.dtype);
    return [grad((v) => sum(mul(convolve(v, w, params), g)))(x)];
  }),
  convKernelGrad: composed(([x, g], params) => {
    const w = zeros([g.shape[1], x.shape[1] / params.groups, ...params.kernelSpatial], g.dtype);
    return [grad((v) => sum(mul(convolve(x, v, params), g)))(w)];
  }),
});

/** Largest values of windows and where they are in their plane, where the device gives the values only. */
export const maxPoolByWindows: Lowering<PrimitiveParams<"maxPool">> = composed(([x], params) => {
  const spatial = x.shape.slice(2);
  const seen = windows(x, params.kernel, params, Number.NEGATIVE_INFINITY);
  const order = argMax(seen, { axis: 2 });
  // The flat place that the padded plane's elements have in the plane itself; padding never wins.
  const flat = reshape(arange(0, sizeOf(spatial), 1, "int32"), [1, 1, ...spatial]);
  const sources = windows(flat, params.kernel, params, 0);
  const chosen = equal(
    expandDims(order, 2),
    reshape(arange(0, seen.shape[2], 1, "int32"), [-1, ...spatial.map(() => 1)]),
  );
  return [max(seen, { axis: 2 }), sum(where(chosen, sources, 0), { axis: 2 })];
});

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
