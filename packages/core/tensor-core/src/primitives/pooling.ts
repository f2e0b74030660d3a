import { zerosLike } from "../construct.js";
import { requireDType } from "../dtype.js";
import { ShapeError } from "../errors.js";
import type { FloatArray } from "../kernels/arrays.js";
import * as kernels from "../kernels/pooling.js";
import { reshape } from "../ops/movement.js";
import { bind, bindOne, definePrimitive, type Primitive } from "../primitive.js";
import { formatShape, type Shape, sizeOf } from "../shape.js";
import { contiguousData, hostTensor, type Tensor } from "../tensor.js";
import { type ConvParams, convolvedExtents } from "./convolution.js";
import { scatterAddAlongAxisP } from "./indexing.js";

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
});
