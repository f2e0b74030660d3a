import { grad, matmul, mul, pad, reshape, slice, stack, sum, type Tensor, zeros } from "@offprint/tensor-core";
import { composed } from "./composed.js";

interface ConvParams {
  readonly strides: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** All places of a kernel, the last axis fastest. */
function places(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (all, n) => all.flatMap((head) => Array.from({ length: n }, (_, i) => [...head, i])),
    [[]],
  );
}

/** A convolution as one matrix product: for each place of the kernel the part of the input that it sees. */
function convolve(x: Tensor, w: Tensor, { strides, padding, dilation, groups }: ConvParams): Tensor {
  const [n, channels] = x.shape;
  const kernel = w.shape.slice(2);
  const padded = pad(x, [[0, 0], [0, 0], ...padding] as [number, number][]);
  const extents = kernel.map((k, i) => Math.floor((padded.shape[i + 2] - dilation[i] * (k - 1) - 1) / strides[i]) + 1);
  const seen = places(kernel).map((place) => {
    const windows = place.map((k, i) => {
      const start = k * dilation[i];
      return { start, stop: start + (extents[i] - 1) * strides[i] + 1, step: strides[i] };
    });
    return slice(padded, [null, null, ...windows]);
  });
  const columns = reshape(stack(seen, 2), [n, groups, (channels / groups) * seen.length, -1]);
  const rows = reshape(w, [groups, w.shape[0] / groups, w.shape[1] * seen.length]);
  return reshape(matmul(rows, columns), [n, w.shape[0], ...extents]);
}

/** In float64, for which ONNX Runtime has no convolutions; the gradients are those of the product. */
export const convolutionsByProducts = {
  conv: composed(([x, w], params) => [convolve(x, w, params)]),
  convInputGrad: composed(([g, w], params) => {
    const x = zeros([g.shape[0], w.shape[1] * params.groups, ...params.inputSpatial], g.dtype);
    return [grad((v: Tensor) => sum(mul(convolve(v, w, params), g)))(x) as Tensor];
  }),
  convKernelGrad: composed(([x, g], params) => {
    const w = zeros([g.shape[1], x.shape[1] / params.groups, ...params.kernelSpatial], g.dtype);
    return [grad((v: Tensor) => sum(mul(convolve(x, v, params), g)))(w) as Tensor];
  }),
};
