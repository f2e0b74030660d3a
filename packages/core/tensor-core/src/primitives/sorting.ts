import { allocate, type TypedArray } from "../dtype.js";
import { ShapeError } from "../errors.js";
import { bindOne, definePrimitive, type Primitive } from "../primitive.js";
import { formatShape, sizeOf } from "../shape.js";
import { contiguousData, hostTensor, type Tensor } from "../tensor.js";
import { mergeOrder, packedOrder, radixOrder, selectOrder, sortKeys } from "./sort-order.js";

/** How many of the first in order, along which axis, from the largest or the smallest. */
export interface TopKParams {
  readonly k: number;
  readonly axis: number;
  readonly largest: boolean;
}

/** Below this length merging is faster than counting digits. */
const RADIX_FROM = 1024;
/** Below this length the engine's own sort is. */
const RADIX_SORT_FROM = 16384;
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
      const lineOrder = orderOfLines(line, k, largest);
      for (let start = 0, to = 0; start < data.length; start += n * inner, to += k * inner) {
        for (let i = 0; i < inner; i++) {
          for (let j = 0, p = start + i; j < n; j++, p += inner) line[j] = data[p];
          const order = lineOrder();
          for (let j = 0, p = to + i; j < k; j++, p += inner) out[p] = order[j];
        }
      }
    }
    return [hostTensor(out, spec.shape, "int32")];
  },
  batch: ([x], _, { k, axis, largest }) => [bindOne(topKIndicesP, [x], { k, axis: axis + 1, largest })],
});

/** The values of a host tensor sorted along an axis, NaN last in either direction. */
export function sortedLines(x: Tensor, axis: number, descending: boolean): Tensor {
  const data = contiguousData(x);
  const out = data.slice();
  const n = x.shape[axis];
  const inner = sizeOf(x.shape.slice(axis + 1));
  const line = inner === 1 ? undefined : allocate(x.dtype, n);
  for (let start = 0; start < out.length; start += n * inner) {
    for (let i = 0; i < inner; i++) {
      if (line === undefined) {
        sortLine(out.subarray(start, start + n), descending);
        continue;
      }
      for (let j = 0, p = start + i; j < n; j++, p += inner) line[j] = data[p];
      sortLine(line, descending);
      for (let j = 0, p = start + i; j < n; j++, p += inner) out[p] = line[j];
    }
  }
  return hostTensor(out, x.shape, x.dtype);
}

function sortLine(line: TypedArray, descending: boolean): void {
  if (line.length >= RADIX_SORT_FROM && !(line instanceof Uint8Array)) {
    const values = line.slice();
    const order = radixOrder(line, descending);
    for (let i = 0; i < line.length; i++) line[i] = values[order[i]];
    return;
  }
  line.sort();
  if (!descending) return;
  let numbers = line.length;
  while (numbers > 0 && Number.isNaN(line[numbers - 1])) numbers--;
  line.subarray(0, numbers).reverse();
}

/** The order of what stands in `line`, which is filled anew before each call. */
function orderOfLines(line: TypedArray, k: number, largest: boolean): () => Int32Array {
  const few = k <= line.length * SELECT_UP_TO;
  if (!few && line.length >= RADIX_FROM) return () => radixOrder(line, largest);
  if (few) return () => selectOrder(sortKeys(line, largest), k);
  if (!(line instanceof Float64Array)) return packedOrder(line, largest);
  return () => mergeOrder(sortKeys(line, largest));
}
