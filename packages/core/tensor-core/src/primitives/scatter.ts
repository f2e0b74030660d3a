import { arange, zeros, zerosLike } from "../construct.js";
import { allocate, requireDType, type TypedArray } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import { cast, div, equal, mul } from "../ops/elementwise.js";
import { scatterAdd, scatterSet, take } from "../ops/indexing.js";
import { moveAxis, reshape, transpose } from "../ops/movement.js";
import { bindOne, definePrimitive, type Primitive, type Spec } from "../primitive.js";
import { formatShape, type Shape, sameShape, sizeOf } from "../shape.js";
import { contiguousData, hostTensor, type Tensor } from "../tensor.js";
import { spreadBatch } from "./elementwise.js";
import { takeAlongAxisP, takeP } from "./indexing.js";
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

function requireUpdates(operation: string, [x, indices, updates]: readonly Spec[], expected: Shape): void {
  requireIndices(operation, indices);
  requireDType(operation, x.dtype, ["float32", "float64", "int32"]);
  if (updates.dtype !== x.dtype) {
    throw new DTypeError(`${operation}: the updates are ${updates.dtype} and the values ${x.dtype}; cast one of them`);
  }
  if (!sameShape(updates.shape, expected)) {
    throw new ShapeError(
      `${operation}: the updates have shape ${formatShape(updates.shape)}; for values ${formatShape(x.shape)} and ` +
        `indices ${formatShape(indices.shape)} they need ${formatShape(expected)}`,
    );
  }
}

/** Writes rows of updates into rows of `out`: `out[index] = combine(out[index], update)`. */
type ScatterRows = (
  out: TypedArray,
  indices: TypedArray,
  updates: TypedArray,
  outer: number,
  extent: number,
  inner: number,
) => void;

const addRows: ScatterRows = (out, indices, updates, outer, extent, inner) => {
  for (let o = 0, p = 0; o < outer; o++) {
    for (let i = 0; i < indices.length; i++) {
      const to = (o * extent + indices[i]) * inner;
      for (let j = 0; j < inner; j++, p++) out[to + j] += updates[p];
    }
  }
};

const setRows: ScatterRows = (out, indices, updates, outer, extent, inner) => {
  for (let o = 0, p = 0; o < outer; o++) {
    for (let i = 0; i < indices.length; i++, p += inner) {
      out.set(updates.subarray(p, p + inner), (o * extent + indices[i]) * inner);
    }
  }
};

const maxRows: ScatterRows = (out, indices, updates, outer, extent, inner) => {
  for (let o = 0, p = 0; o < outer; o++) {
    for (let i = 0; i < indices.length; i++) {
      const to = (o * extent + indices[i]) * inner;
      for (let j = 0; j < inner; j++, p++) {
        const value = updates[p];
        if (value > out[to + j] || value !== value) out[to + j] = value;
      }
    }
  }
};

function scatter(
  name: string,
  rows: ScatterRows,
  vjp: NonNullable<Primitive<IndexingParams>["vjp"]>,
): Primitive<IndexingParams> {
  const primitive: Primitive<IndexingParams> = definePrimitive<IndexingParams>({
    name,
    outputs(inputs, { axis }) {
      const [x, indices] = inputs;
      requireUpdates(name, inputs, indexedShape(x.shape, indices.shape, axis));
      return [{ shape: x.shape, dtype: x.dtype }];
    },
    host([x, indices, updates], { axis }, [spec]) {
      const at = contiguousData(indices);
      const { outer, extent, inner } = around(x.shape, axis);
      checkIndices(name, at, indices.shape, 0, extent, `axis ${axis}`);
      const out = contiguousData(x).slice();
      rows(out, at, contiguousData(updates), outer, extent, inner);
      return [hostTensor(out, spec.shape, spec.dtype)];
    },
    vjp,
    batch([x, indices, updates], [inX, inIndices, inUpdates], { axis }, size) {
      const [base, parts] = spreadBatch([x, updates], [inX, inUpdates], size);
      if (!inIndices) return [bindOne(primitive, [base, indices, parts], { axis: axis + 1 })];
      const front = moveAxis(base, axis + 1, 1);
      const [, extent, ...rest] = front.shape;
      // From [batch, before, indices, after] to [batch, indices, before, after].
      const k = indices.rank - 1;
      const order = [0, ...range(axis + 1, axis + 1 + k), ...range(1, axis + 1), ...range(axis + 1 + k, parts.rank)];
      const flat = bindOne(
        primitive,
        [reshape(front, [size * extent, ...rest]), intoBatch(name, indices, extent, size), transpose(parts, order)],
        { axis: 0 },
      );
      return [moveAxis(reshape(flat, front.shape), 1, axis + 1)];
    },
  });
  return primitive;
}

/** `x` with updates added at the rows that the indices name; the transpose of `take`. Inputs x, indices, updates. */
export const scatterAddP = scatter("scatterAdd", addRows, ([g], { inputs: [, indices], params: { axis } }) => [
  () => g,
  null,
  () => bindOne(takeP, [g, indices], { axis }),
]);

/** `x` with the rows that the indices name replaced; of several updates for one row the last stands. */
// Pure: bundles that do not scatter leave it out.
export const scatterSetP = /* @__PURE__ */ scatter(
  "scatterSet",
  setRows,
  ([g], { inputs: [x, indices, updates], params: { axis } }) => [
    () => scatterSet(g, indices, zerosLike(updates), axis),
    null,
    () => {
      const order = reshape(arange(0, sizeOf(indices.shape), 1, "int32"), indices.shape);
      const stands = equal(take(scatterSet(zeros([x.shape[axis]], "int32"), indices, order), indices), order);
      const after = new Array<number>(x.shape.length - axis - 1).fill(1);
      return mul(take(g, indices, axis), cast(reshape(stands, [...indices.shape, ...after]), g.dtype));
    },
  ],
);

/** `x` with each row the largest of itself and the updates for it. Equal largest values share the gradient. */
export const scatterMaxP = /* @__PURE__ */ scatter("scatterMax", maxRows, ([g], context) => {
  const { inputs, outputs, params } = context;
  const [x, indices, updates] = inputs;
  const kept = () => cast(equal(x, outputs[0]), x.dtype);
  const won = () => cast(equal(updates, take(outputs[0], indices, params)), x.dtype);
  const share = () => div(g, scatterAdd(kept(), indices, won(), params));
  return [() => mul(kept(), share()), null, () => mul(won(), take(share(), indices, params))];
});

/** `out[.., indices[.., j, ..], ..] += updates[.., j, ..]`; the transpose of `takeAlongAxis`. */
export const scatterAddAlongAxisP: Primitive<IndexingParams> = definePrimitive<IndexingParams>({
  name: "scatterAddAlongAxis",
  outputs(inputs, { axis }) {
    const [x, indices] = inputs;
    requireAligned("scatterAddAlongAxis", x.shape, indices.shape, axis);
    requireUpdates("scatterAddAlongAxis", inputs, indices.shape);
    return [{ shape: x.shape, dtype: x.dtype }];
  },
  host([x, indices, updates], { axis }, [spec]) {
    const at = contiguousData(indices);
    const { outer, extent, inner } = around(x.shape, axis);
    checkIndices("scatterAddAlongAxis", at, indices.shape, 0, extent, `axis ${axis}`);
    const parts = contiguousData(updates);
    const out = contiguousData(x).slice();
    const count = indices.shape[axis];
    for (let o = 0, p = 0; o < outer; o++) {
      const start = o * extent * inner;
      for (let j = 0; j < count; j++) for (let i = 0; i < inner; i++, p++) out[start + at[p] * inner + i] += parts[p];
    }
    return [hostTensor(out, spec.shape, spec.dtype)];
  },
  vjp: ([g], { inputs: [, indices], params: { axis } }) => [
    () => g,
    null,
    () => bindOne(takeAlongAxisP, [g, indices], { axis }),
  ],
  batch: (inputs, batched, { axis }, size) => [
    bindOne(scatterAddAlongAxisP, spreadBatch(inputs, batched, size), { axis: axis + 1 }),
  ],
});

/** How many rows the result of `scatterProduct` has. */
export interface ScatterProductParams {
  readonly rows: number;
}

/**
 * `out[into[e]] += values[e] * x[from[e]]`, row by row: inputs values `[terms, width]`, x `[n, width]`, into `[terms]`,
 * from `[terms]`. The product of several sparse matrices of one pattern, a column of x each, without forming the terms.
 */
export const scatterProductP: Primitive<ScatterProductParams> = definePrimitive<ScatterProductParams>({
  name: "scatterProduct",
  outputs([values, x, into, from], { rows }) {
    for (const indices of [into, from]) requireIndices("scatterProduct", indices);
    requireDType("scatterProduct", x.dtype, ["float32", "float64"]);
    const [terms, width] = values.shape;
    const fits = values.shape.length === 2 && x.shape.length === 2 && x.shape[1] === width;
    if (values.dtype !== x.dtype) {
      throw new DTypeError(`scatterProduct: the values are ${values.dtype} and x ${x.dtype}; cast one of them`);
    }
    if (!fits || !sameShape(into.shape, [terms]) || !sameShape(from.shape, [terms])) {
      throw new ShapeError(
        `scatterProduct: values ${formatShape(values.shape)}, x ${formatShape(x.shape)} and indices ` +
          `${formatShape(into.shape)}, ${formatShape(from.shape)} do not fit; give [terms, width], [n, width], [terms], [terms]`,
      );
    }
    return [{ shape: [rows, width], dtype: x.dtype }];
  },
  host([values, x, into, from], { rows }, [spec]) {
    const [to, source] = [contiguousData(into), contiguousData(from)];
    checkIndices("scatterProduct", to, into.shape, 0, rows, "the result");
    checkIndices("scatterProduct", source, from.shape, 0, x.shape[0], "x");
    const out = allocate(spec.dtype, sizeOf(spec.shape));
    addProducts(out, contiguousData(values), contiguousData(x), to, source, spec.shape[1]);
    return [hostTensor(out, spec.shape, spec.dtype)];
  },
  vjp: ([g], { inputs: [values, x, into, from] }) => [
    () => mul(take(g, into), take(x, from)),
    () => bindOne(scatterProductP, [values, g, from, into], { rows: x.shape[0] }),
    null,
    null,
  ],
  batch(inputs, batched, { rows }, size) {
    const [, , inInto, inFrom] = batched;
    const [values, x] = spreadBatch(inputs.slice(0, 2), batched.slice(0, 2), size);
    const [, terms, width] = values.shape;
    if (!inInto && !inFrom) {
      const beside = (t: Tensor) => reshape(transpose(t, [1, 0, 2]), [t.shape[1], size * width]);
      const sums = bindOne(scatterProductP, [beside(values), beside(x), inputs[2], inputs[3]], { rows });
      return [transpose(reshape(sums, [rows, size, width]), [1, 0, 2])];
    }
    const n = x.shape[1];
    const [into, from] = spreadBatch(inputs.slice(2), batched.slice(2), size);
    const below = (t: Tensor) => reshape(t, [size * t.shape[1], width]);
    const ends = [intoBatch("scatterProduct", into, rows, size), intoBatch("scatterProduct", from, n, size)];
    const places = ends.map((t) => reshape(t, [size * terms]));
    const sums = bindOne(scatterProductP, [below(values), below(x), ...places], { rows: size * rows });
    return [reshape(sums, [size, rows, width])];
  },
});

function addProducts(
  out: TypedArray,
  values: TypedArray,
  x: TypedArray,
  into: TypedArray,
  from: TypedArray,
  width: number,
): void {
  for (let e = 0, p = 0; e < into.length; e++) {
    const to = into[e] * width;
    const source = from[e] * width;
    for (let k = 0; k < width; k++, p++) out[to + k] += values[p] * x[source + k];
  }
}
