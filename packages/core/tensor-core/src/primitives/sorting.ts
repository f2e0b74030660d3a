import { allocate, type TypedArray } from "../dtype.js";
import { ShapeError } from "../errors.js";
import { bindOne, definePrimitive, type Primitive } from "../primitive.js";
import { formatShape, sizeOf } from "../shape.js";
import { contiguousData, hostTensor } from "../tensor.js";
import { mergeOrder, radixOrder, selectOrder, sortKeys } from "./sort-order.js";

/** How many of the first in order, along which axis, from the largest or the smallest. */
export interface TopKParams {
  readonly k: number;
  readonly axis: number;
  readonly largest: boolean;
}

/** Below this length merging is faster than counting digits. */
const RADIX_FROM = 1024;
/** A heap of k wins while k is at most this part of the length. */
const SELECT_UP_TO = 1 / 8;

/**
 * The indices of the k largest or smallest along an axis, in order; equal values by increasing index, NaN after
 * everything else in either direction. A whole sort is k = the extent.
 */
export const topKIndicesP: Primitive<TopKParams> = definePrimitive<TopKParams>({
  name: "topKIndices",
  outputs([x], { k, axis }) {
    if (k > x.shape[axis]) {
      throw new ShapeError(`topK: k is ${k}, but axis ${axis} of ${formatShape(x.shape)} has extent ${x.shape[axis]}`);
    }
    return [{ shape: x.shape.map((n, i) => (i === axis ? k : n)), dtype: "int32" }];
  },
  host([x], { k, axis, largest }, [spec]) {
    const data = contiguousData(x);
    const out = allocate("int32", sizeOf(spec.shape)) as Int32Array;
    const n = x.shape[axis];
    const inner = sizeOf(x.shape.slice(axis + 1));
    if (out.length > 0) {
      const line = allocate(x.dtype, n);
      for (let start = 0, to = 0; start < data.length; start += n * inner, to += k * inner) {
        for (let i = 0; i < inner; i++) {
          for (let j = 0, p = start + i; j < n; j++, p += inner) line[j] = data[p];
          const order = lineOrder(line, k, largest);
          for (let j = 0, p = to + i; j < k; j++, p += inner) out[p] = order[j];
        }
      }
    }
    return [hostTensor(out, spec.shape, "int32")];
  },
  batch: ([x], _, { k, axis, largest }) => [bindOne(topKIndicesP, [x], { k, axis: axis + 1, largest })],
});

function lineOrder(line: TypedArray, k: number, largest: boolean): Int32Array {
  if (k > line.length * SELECT_UP_TO && line.length >= RADIX_FROM) return radixOrder(line, largest);
  const keys = sortKeys(line, largest);
  return k <= line.length * SELECT_UP_TO ? selectOrder(keys, k) : mergeOrder(keys);
}
