import { zerosLike } from "../construct.js";
import { allocateUnwritten, type TypedArray } from "../dtype.js";
import { take } from "../ops/indexing.js";
import { moveAxis, reshape, transpose } from "../ops/movement.js";
import { bindOne, definePrimitive, type Primitive } from "../primitive.js";
import { sizeOf } from "../shape.js";
import { contiguousData, hostTensor } from "../tensor.js";
import { spreadBatch } from "./elementwise.js";
import {
  around,
  checkIndices,
  type IndexingParams,
  indexedShape,
  intoBatch,
  range,
  requireAligned,
  requireIndices,
} from "./indices.js";
import { scatterAddAlongAxisP, scatterAddP } from "./scatter.js";

/** `x[..., indices, ...]`: the indices, of any shape, stand in the place of one axis. */
export const takeP: Primitive<IndexingParams> = definePrimitive<IndexingParams>({
  name: "take",
  outputs([x, indices], { axis }) {
    requireIndices("take", indices);
    return [{ shape: indexedShape(x.shape, indices.shape, axis), dtype: x.dtype }];
  },
  host([x, indices], { axis }, [spec]) {
    const at = contiguousData(indices);
    const { outer, extent, inner } = around(x.shape, axis);
    checkIndices("take", at, indices.shape, 0, extent, `axis ${axis}`);
    const out = allocateUnwritten(spec.dtype, sizeOf(spec.shape));
    if (out.length > 0) takeRows(contiguousData(x), at, outer, extent, inner, out);
    return [hostTensor(out, spec.shape, spec.dtype)];
  },
  vjp: ([g], { inputs: [x, indices], params: { axis } }) => [
    () => bindOne(scatterAddP, [zerosLike(x), indices, g], { axis }),
    null,
  ],
  batch([x, indices], [inX, inIndices], { axis }, size) {
    if (!inIndices) return [bindOne(takeP, [x, indices], { axis: axis + 1 })];
    if (!inX) return [moveAxis(bindOne(takeP, [x, indices], { axis }), axis, 0)];
    const front = moveAxis(x, axis + 1, 1);
    const [, extent, ...rest] = front.shape;
    const rows = take(reshape(front, [size * extent, ...rest]), intoBatch("take", indices, extent, size));
    // From [batch, indices, before, after] to [batch, before, indices, after].
    const k = indices.rank - 1;
    return [transpose(rows, [0, ...range(1 + k, 1 + k + axis), ...range(1, 1 + k), ...range(1 + k + axis, rows.rank)])];
  },
});

function takeRows(
  x: TypedArray,
  indices: TypedArray,
  outer: number,
  extent: number,
  inner: number,
  out: TypedArray,
): void {
  const count = indices.length;
  for (let o = 0, to = 0; o < outer; o++) {
    const start = o * extent;
    if (inner === 1) for (let i = 0; i < count; i++) out[to++] = x[start + indices[i]];
    else {
      for (let i = 0; i < count; i++, to += inner) {
        const from = (start + indices[i]) * inner;
        if (inner > 24) out.set(x.subarray(from, from + inner), to);
        else for (let j = 0; j < inner; j++) out[to + j] = x[from + j];
      }
    }
  }
}

/** `out[.., j, ..] = x[.., indices[.., j, ..], ..]`: indices of the shape of x, but for the axis. */
export const takeAlongAxisP: Primitive<IndexingParams> = definePrimitive<IndexingParams>({
  name: "takeAlongAxis",
  outputs([x, indices], { axis }) {
    requireIndices("takeAlongAxis", indices);
    requireAligned("takeAlongAxis", x.shape, indices.shape, axis);
    return [{ shape: indices.shape, dtype: x.dtype }];
  },
  host([x, indices], { axis }, [spec]) {
    const at = contiguousData(indices);
    const { outer, extent, inner } = around(x.shape, axis);
    checkIndices("takeAlongAxis", at, indices.shape, 0, extent, `axis ${axis}`);
    const data = contiguousData(x);
    const out = allocateUnwritten(spec.dtype, at.length);
    const count = indices.shape[axis];
    for (let o = 0, p = 0; o < outer; o++) {
      const start = o * extent * inner;
      for (let j = 0; j < count; j++) for (let i = 0; i < inner; i++, p++) out[p] = data[start + at[p] * inner + i];
    }
    return [hostTensor(out, spec.shape, spec.dtype)];
  },
  vjp: ([g], { inputs: [x, indices], params: { axis } }) => [
    () => bindOne(scatterAddAlongAxisP, [zerosLike(x), indices, g], { axis }),
    null,
  ],
  batch: (inputs, batched, { axis }, size) => [
    bindOne(takeAlongAxisP, spreadBatch(inputs, batched, size), { axis: axis + 1 }),
  ],
});
