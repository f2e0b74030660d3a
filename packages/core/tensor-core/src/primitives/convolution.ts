import { requireDType } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import type { FloatArray } from "../kernels/arrays.js";
import * as kernels from "../kernels/convolution.js";
import { moveAxis, reshape } from "../ops/movement.js";
import { bindOne, definePrimitive, type Primitive, type Spec } from "../primitive.js";
import { formatShape, type Shape, sameShape } from "../shape.js";
import { contiguousData, hostTensor, type Tensor } from "../tensor.js";
import { missingPlaces, suitsVectors } from "./convolution-places.js";
import { convByProduct, inputGradByProduct, kernelGradByProduct, padded, split } from "./convolution-products.js";
import { spreadBatch } from "./elementwise.js";

/** How a kernel moves over an input; lists have one entry for each of the 1 to 3 spatial axes. */
export interface ConvParams {
  readonly strides: readonly number[];
  /** Zeros before and after the input. */
  readonly padding: readonly (readonly [low: number, high: number])[];
  /** Distance of neighbouring entries of the kernel in the input. */
  readonly dilation: readonly number[];
  /** Parts into which the channels are divided: each output channel sees the input channels of its part only. */
  readonly groups: number;
}

/** Parameters of `convInputGrad`. */
export interface ConvInputGradParams extends ConvParams {
  readonly inputSpatial: readonly number[];
}

/** Parameters of `convKernelGrad`. */
export interface ConvKernelGradParams extends ConvParams {
  readonly kernelSpatial: readonly number[];
}

/** Spatial extents of the result of a convolution; below 1 where the kernel does not fit. */
export function convolvedExtents(input: Shape, kernel: Shape, { strides, padding, dilation }: ConvParams): number[] {
  return input.map((n, i) => {
    const [low, high] = padding[i];
    return Math.floor((n + low + high - dilation[i] * (kernel[i] - 1) - 1) / strides[i]) + 1;
  });
}

function requireFloats(name: string, a: Spec, b: Spec): void {
  requireDType(name, a.dtype, ["float32", "float64"]);
  if (a.dtype !== b.dtype) throw new DTypeError(`${name}: dtypes ${a.dtype} and ${b.dtype} differ; cast one of them`);
}

function requireResult(name: string, x: Shape, w: Shape, g: Shape, params: ConvParams): void {
  const expected = [x[0], w[0], ...convolvedExtents(x.slice(2), w.slice(2), params)];
  if (!sameShape(g, expected)) {
    throw new ShapeError(
      `${name}: ${formatShape(g)} is not the shape ${formatShape(expected)} of the convolution of ${formatShape(x)} with ${formatShape(w)}`,
    );
  }
}

function geometry(x: Shape, w: Shape, params: ConvParams): kernels.ConvGeometry {
  return {
    batch: x[0],
    inChannels: x[1],
    outChannels: w[0],
    groups: params.groups,
    inSpatial: x.slice(2),
    kernel: w.slice(2),
    strides: params.strides,
    dilation: params.dilation,
    padding: params.padding,
    outSpatial: convolvedExtents(x.slice(2), w.slice(2), params),
  };
}

/** `[batch, n, ...]` as `[batch * n, ...]`. */
function intoFirst(x: Tensor): Tensor {
  return reshape(x, [x.shape[0] * x.shape[1], ...x.shape.slice(2)]);
}

/** `[batch, n, channels, ...]` as `[n, batch * channels, ...]`. */
function intoChannels(x: Tensor): Tensor {
  const [size, n, channels, ...spatial] = x.shape;
  return reshape(moveAxis(x, 0, 1), [n, size * channels, ...spatial]);
}

/** Undoes `intoChannels`. */
function outOfChannels(x: Tensor, size: number): Tensor {
  const [n, channels, ...spatial] = x.shape;
  return moveAxis(reshape(x, [n, size, channels / size, ...spatial]), 1, 0);
}

/** `[size * n, ...]` as `[size, n, ...]`. */
function outOfFirst(x: Tensor, size: number): Tensor {
  return reshape(x, [size, x.shape[0] / size, ...x.shape.slice(1)]);
}

/**
 * Cross-correlation of x `[n, c, ...spatial]` with w `[out, c / groups, ...kernel]`. Its two gradients are primitives
 * too, and the three are closed under differentiation: each is linear in both operands.
 */
export const convP: Primitive<ConvParams> = definePrimitive<ConvParams>({
  name: "conv",
  outputs([x, w], params) {
    requireFloats("conv", x, w);
    return [
      {
        shape: [x.shape[0], w.shape[0], ...convolvedExtents(x.shape.slice(2), w.shape.slice(2), params)],
        dtype: x.dtype,
      },
    ];
  },
  host([x, w], params, [spec]) {
    const out = kernels.convForward(floats(x), floats(w), geometry(x.shape, w.shape, params));
    return [hostTensor(out, spec.shape, spec.dtype)];
  },
  vjp: ([g], { inputs: [x, w], params }) => [
    () => bindOne(convInputGradP, [g, w], { ...params, inputSpatial: x.shape.slice(2) }),
    () => bindOne(convKernelGradP, [x, g], { ...params, kernelSpatial: w.shape.slice(2) }),
  ],
  batch([x, w], [inX, inW], params, size) {
    if (!inW) return [outOfFirst(bindOne(convP, [intoFirst(x), w], params), size)];
    if (!inX && params.groups === 1) return [outOfChannels(bindOne(convP, [x, intoFirst(w)], params), size)];
    const [xs] = spreadBatch([x], [inX], size);
    const y = bindOne(convP, [intoChannels(xs), intoFirst(w)], { ...params, groups: size * params.groups });
    return [outOfChannels(y, size)];
  },
  expand([x, w], params) {
    const out = convolvedExtents(x.shape.slice(2), w.shape.slice(2), params);
    if (!suitsVectors(w.shape[0], [x.shape[0], ...out], w.shape.slice(1), params, x.dtype))
      return listed(convByProduct(x, w, params, out));
    return isUnpadded(params)
      ? undefined
      : [bindOne(convP, [padded(x, ...split(params.padding)), w], unpadded(params))];
  },
});

/** The transpose of `conv` in its input: g `[n, out, ...]` and w to `[n, c, ...inputSpatial]`. */
export const convInputGradP: Primitive<ConvInputGradParams> = definePrimitive<ConvInputGradParams>({
  name: "convInputGrad",
  outputs([g, w], params) {
    requireFloats("convInputGrad", g, w);
    const shape = [g.shape[0], w.shape[1] * params.groups, ...params.inputSpatial];
    requireResult("convInputGrad", shape, w.shape, g.shape, params);
    return [{ shape, dtype: g.dtype }];
  },
  host([g, w], params, [spec]) {
    const out = kernels.convInputGrad(floats(g), floats(w), geometry(spec.shape, w.shape, params));
    return [hostTensor(out, spec.shape, spec.dtype)];
  },
  vjp: ([h], { inputs: [g, w], params: { inputSpatial: _, ...params } }) => [
    () => bindOne(convP, [h, w], params),
    () => bindOne(convKernelGradP, [h, g], { ...params, kernelSpatial: w.shape.slice(2) }),
  ],
  batch([g, w], [inG, inW], params, size) {
    if (!inW) return [outOfFirst(bindOne(convInputGradP, [intoFirst(g), w], params), size)];
    const [gs] = spreadBatch([g], [inG], size);
    const dx = bindOne(convInputGradP, [intoChannels(gs), intoFirst(w)], { ...params, groups: size * params.groups });
    return [outOfChannels(dx, size)];
  },
  expand([g, w], params) {
    const kernel = w.shape.slice(2);
    const channels = w.shape[1] * params.groups;
    if (
      !suitsVectors(
        channels,
        [g.shape[0], ...params.inputSpatial],
        [w.shape[0] / params.groups, ...kernel],
        params,
        g.dtype,
      )
    ) {
      return listed(inputGradByProduct(g, w, params));
    }
    const missing = missingPlaces(g.shape.slice(2), kernel, params);
    if (missing.every(([low, high]) => low + high === 0)) return undefined;
    const { padding, strides } = params;
    const wider = padding.map(([low, high], i): [number, number] => [
      low + strides[i] * missing[i][0],
      high + strides[i] * missing[i][1],
    ]);
    return [bindOne(convInputGradP, [padded(g, ...split(missing)), w], { ...params, padding: wider })];
  },
});

/** The transpose of `conv` in its kernel: x and g `[n, out, ...]` to `[out, c / groups, ...kernelSpatial]`. */
export const convKernelGradP: Primitive<ConvKernelGradParams> = definePrimitive<ConvKernelGradParams>({
  name: "convKernelGrad",
  outputs([x, g], params) {
    requireFloats("convKernelGrad", x, g);
    const shape = [g.shape[1], x.shape[1] / params.groups, ...params.kernelSpatial];
    requireResult("convKernelGrad", x.shape, shape, g.shape, params);
    return [{ shape, dtype: x.dtype }];
  },
  host([x, g], params, [spec]) {
    const out = kernels.convKernelGrad(floats(x), floats(g), geometry(x.shape, spec.shape, params));
    return [hostTensor(out, spec.shape, spec.dtype)];
  },
  vjp: ([k], { inputs: [x, g], params: { kernelSpatial: _, ...params } }) => [
    () => bindOne(convInputGradP, [g, k], { ...params, inputSpatial: x.shape.slice(2) }),
    () => bindOne(convP, [x, k], params),
  ],
  batch(inputs, batched, params, size) {
    const [x, g] = spreadBatch(inputs, batched, size).map(intoChannels);
    const dw = bindOne(convKernelGradP, [x, g], { ...params, groups: size * params.groups });
    return [outOfFirst(dw, size)];
  },
  expand([x, g], params) {
    if (
      !suitsVectors(
        g.shape[1],
        [x.shape[1] / params.groups, ...params.kernelSpatial],
        [g.shape[0], ...g.shape.slice(2)],
        params,
        g.dtype,
      )
    ) {
      return listed(kernelGradByProduct(x, g, params));
    }
    if (isUnpadded(params)) return undefined;
    return [bindOne(convKernelGradP, [padded(x, ...split(params.padding)), g], unpadded(params))];
  },
});

function isUnpadded({ padding }: ConvParams): boolean {
  return padding.every(([low, high]) => low === 0 && high === 0);
}

function unpadded<P extends ConvParams>(params: P): P {
  return { ...params, padding: params.padding.map((): [number, number] => [0, 0]) };
}

function listed(x: Tensor | undefined): Tensor[] | undefined {
  return x && [x];
}

function floats(x: Tensor): FloatArray {
  return contiguousData(x) as FloatArray;
}
