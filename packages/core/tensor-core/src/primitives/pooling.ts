import { zerosLike } from "../construct.js";
import { requireDType } from "../dtype.js";
import { ShapeError } from "../errors.js";
import type { FloatArray } from "../kernels/arrays.js";
import * as kernels from "../kernels/pooling.js";
import { isNaN, lessEqual, logicalAnd, logicalNot, where } from "../ops/elementwise.js";
import { broadcastTo, reshape } from "../ops/movement.js";
import { bind, bindOne, definePrimitive, type Primitive } from "../primitive.js";
import { formatShape, rowMajorStrides, type Shape, sizeOf } from "../shape.js";
import { contiguousData, hostTensor, type Tensor } from "../tensor.js";
import { type ConvParams, convolvedExtents } from "./convolution.js";
import { sliceP } from "./movement.js";
import { scatterAddAlongAxisP } from "./scatter.js";

/** A window moving over an input; lists have one entry for each of the 1 to 3 spatial axes. */
export interface PoolParams extends Omit<ConvParams, "groups"> {
  readonly kernel: readonly number[];
}

/** Spatial extents after pooling. */
export function pooledExtents(input: Shape, params: PoolParams): number[] {
  return convolvedExtents(input, params.kernel, { ...params, groups: 1 });
}

/** Whether some window along an axis sees padding only: it has no largest value. */
function hasBlindWindow(extent: number, out: number, kernel: number, stride: number, dilation: number, low: number) {
  for (let o = 0; o < out; o++) {
    const from = o * stride - low;
    const first = Math.max(0, Math.ceil(-from / dilation));
    if (first >= kernel || from + first * dilation >= extent) return true;
  }
  return false;
}

/**
 * Largest values of windows over x `[n, c, ...spatial]`; padding never wins. Outputs: values, and int32 indices of
 * them in the flattened spatial plane (the first of equal ones).
 */
export const maxPoolP: Primitive<PoolParams> = definePrimitive<PoolParams>({
  name: "maxPool",
  outputs([x], params) {
    requireDType("maxPool", x.dtype, ["float32", "float64"]);
    const spatial = x.shape.slice(2);
    const out = pooledExtents(spatial, params);
    const { kernel, strides, dilation, padding } = params;
    spatial.forEach((extent, i) => {
      if (hasBlindWindow(extent, out[i], kernel[i], strides[i], dilation[i], padding[i][0])) {
        throw new ShapeError(
          `maxPool: a window along spatial axis ${i} of ${formatShape(x.shape)} sees padding only; pad less than the kernel reaches`,
        );
      }
    });
    const shape = [...x.shape.slice(0, 2), ...out];
    return [
      { shape, dtype: x.dtype },
      { shape, dtype: "int32" },
    ];
  },
  host([x], params, [spec]) {
    const { values, indices } = kernels.maxPool(contiguousData(x) as FloatArray, {
      ...params,
      planes: x.shape[0] * x.shape[1],
      inSpatial: x.shape.slice(2),
      outSpatial: spec.shape.slice(2),
    });
    return [hostTensor(values, spec.shape, spec.dtype), hostTensor(indices, spec.shape, "int32")];
  },
  vjp: ([g], { inputs: [x], outputs: [, indices] }) => [
    () => {
      const planes = (t: Tensor) => reshape(t, [...t.shape.slice(0, 2), sizeOf(t.shape.slice(2))]);
      const places = [planes(zerosLike(x)), planes(indices), planes(g)];
      return reshape(bindOne(scatterAddAlongAxisP, places, { axis: 2 }), x.shape);
    },
  ],
  batch([x], _, params, size) {
    const flat = reshape(x, [x.shape[0] * x.shape[1], ...x.shape.slice(2)]);
    return bind(maxPoolP, [flat], params).map((y) => reshape(y, [size, x.shape[1], ...y.shape.slice(1)]));
  },
  expand: ([x], params) => (isPlain(x.shape, params) ? largestOfSlices(x, params) : undefined),
});

/** Whether all windows lie inside the input, and are small. */
function isPlain(shape: Shape, { kernel, padding }: PoolParams): boolean {
  return sizeOf(kernel) <= 16 && sizeOf(shape) > 0 && padding.every(([low, high]) => low <= 0 && high <= 0);
}

/** The elements at each place of the windows, compared place by place. */
function largestOfSlices(x: Tensor, { kernel, strides, dilation, padding }: PoolParams): Tensor[] {
  const spatial = x.shape.slice(2);
  const counts = pooledExtents(spatial, { kernel, strides, dilation, padding });
  const shape = [...x.shape.slice(0, 2), ...counts];
  const placeSteps = rowMajorStrides(spatial);
  let best: Tensor | undefined;
  let at: Tensor | undefined;
  for (let k = 0; k < sizeOf(kernel); k++) {
    const first = unravel(k, kernel).map((o, i) => o * dilation[i] - padding[i][0]);
    const value = bindOne(sliceP, [x], { starts: [0, 0, ...first], counts: shape, steps: [1, 1, ...strides] });
    const places = Int32Array.from({ length: sizeOf(counts) }, (_, p) =>
      unravel(p, counts).reduce((sum, o, i) => sum + (first[i] + o * strides[i]) * placeSteps[i], 0),
    );
    const place = broadcastTo(hostTensor(places, counts, "int32"), shape);
    if (best === undefined || at === undefined) [best, at] = [value, place];
    else {
      // A NaN wins and stays.
      const better = logicalAnd(logicalNot(isNaN(best)), logicalNot(lessEqual(value, best)));
      [best, at] = [where(better, value, best), where(better, place, at)];
    }
  }
  return [best as Tensor, at as Tensor];
}

/** The index vector of an element in row-major order. */
function unravel(element: number, extents: Shape): number[] {
  const index: number[] = [];
  for (let axis = extents.length - 1, rest = element; axis >= 0; axis--) {
    index.unshift(rest % extents[axis]);
    rest = Math.floor(rest / extents[axis]);
  }
  return index;
}
