import { allocate, allocateUnwritten } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import { broadcastTo, concatenate, pad, reshape, transpose } from "../ops/movement.js";
import { sum } from "../ops/reduction.js";
import { bindOne, definePrimitive, type Primitive } from "../primitive.js";
import { formatShape, rowMajorStrides, type Shape, sizeOf } from "../shape.js";
import type { HostStorage } from "../storage.js";
import { contiguousData, hostTensor, isContiguous, Tensor } from "../tensor.js";

/** The host view of `x` with other strides and offset over the same values. */
function view(x: Tensor, shape: Shape, strides: readonly number[], offset: number): Tensor {
  const { data } = x.storage as HostStorage;
  return new Tensor(shape, x.dtype, { kind: "host", data, strides, offset });
}

export const reshapeP: Primitive<{ shape: Shape }> = definePrimitive<{ shape: Shape }>({
  name: "reshape",
  outputs([x], { shape }) {
    if (sizeOf(shape) !== sizeOf(x.shape)) {
      throw new ShapeError(
        `reshape: ${formatShape(x.shape)} has ${sizeOf(x.shape)} elements and cannot become ${formatShape(shape)}`,
      );
    }
    return [{ shape, dtype: x.dtype }];
  },
  host([x], { shape }) {
    const { strides, offset } = x.storage as HostStorage;
    if (isContiguous(x.shape, strides)) return [view(x, shape, rowMajorStrides(shape), offset)];
    if (strides.every((step, axis) => step === 0 || x.shape[axis] === 1))
      return [
        view(
          x,
          shape,
          shape.map(() => 0),
          offset,
        ),
      ];
    return [hostTensor(contiguousData(x), shape, x.dtype)];
  },
  vjp: ([g], { inputs: [x] }) => [() => reshape(g, x.shape)],
  batch: ([x], _, { shape }, size) => [reshape(x, [size, ...shape])],
});

export const transposeP: Primitive<{ permutation: readonly number[] }> = definePrimitive<{
  permutation: readonly number[];
}>({
  name: "transpose",
  outputs: ([x], { permutation }) => [{ shape: permutation.map((axis) => x.shape[axis]), dtype: x.dtype }],
  host([x], { permutation }, [spec]) {
    const { strides, offset } = x.storage as HostStorage;
    return [
      view(
        x,
        spec.shape,
        permutation.map((axis) => strides[axis]),
        offset,
      ),
    ];
  },
  vjp: ([g], { params: { permutation } }) => [
    () => {
      const inverse: number[] = [];
      permutation.forEach((axis, i) => {
        inverse[axis] = i;
      });
      return transpose(g, inverse);
    },
  ],
  batch: ([x], _, { permutation }) => [transpose(x, [0, ...permutation.map((axis) => axis + 1)])],
});

export const broadcastToP: Primitive<{ shape: Shape }> = definePrimitive<{ shape: Shape }>({
  name: "broadcastTo",
  outputs([x], { shape }) {
    const lead = shape.length - x.shape.length;
    if (lead < 0 || x.shape.some((extent, axis) => extent !== 1 && extent !== shape[axis + lead])) {
      throw new ShapeError(`broadcastTo: ${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}`);
    }
    return [{ shape, dtype: x.dtype }];
  },
  host([x], { shape }) {
    const { strides, offset } = x.storage as HostStorage;
    const lead = shape.length - x.shape.length;
    return [
      view(
        x,
        shape,
        shape.map((_, axis) => (axis < lead || x.shape[axis - lead] === 1 ? 0 : strides[axis - lead])),
        offset,
      ),
    ];
  },
  vjp: ([g], { inputs: [x], params: { shape } }) => [() => sumTo(g, shape, x.shape)],
  batch([x], _, { shape }, size) {
    const aligned = [size, ...new Array<number>(shape.length - x.shape.length + 1).fill(1), ...x.shape.slice(1)];
    return [broadcastTo(reshape(x, aligned), [size, ...shape])];
  },
});

/** Sums a gradient of `from` over the axes that broadcasting from `to` added or stretched. */
function sumTo(g: Tensor, from: Shape, to: Shape): Tensor {
  const lead = from.length - to.length;
  const axes: number[] = [];
  from.forEach((extent, axis) => {
    if (axis < lead || (to[axis - lead] === 1 && extent !== 1)) axes.push(axis);
  });
  return reshape(sum(g, { axis: axes }), to);
}

/** Parameters of a strided slice: per axis the first index, the number of indices, and the (possibly negative) step. */
export interface SliceParams {
  readonly starts: readonly number[];
  readonly counts: readonly number[];
  readonly steps: readonly number[];
}

export const sliceP: Primitive<SliceParams> = definePrimitive<SliceParams>({
  name: "slice",
  outputs: ([x], { counts }) => [{ shape: counts, dtype: x.dtype }],
  host([x], { starts, counts, steps }) {
    const { strides, offset } = x.storage as HostStorage;
    const first = starts.reduce((sum, start, axis) => sum + start * strides[axis], offset);
    return [
      view(
        x,
        counts,
        strides.map((step, axis) => step * steps[axis]),
        first,
      ),
    ];
  },
  vjp: ([g], { inputs: [x], params }) => [() => sliceTranspose(g, x.shape, params)],
  batch: ([x], _, { starts, counts, steps }, size) => [
    bindOne(sliceP, [x], { starts: [0, ...starts], counts: [size, ...counts], steps: [1, ...steps] }),
  ],
});

/** Puts `g` back where a slice of a tensor of `shape` took it from, zeros elsewhere. */
function sliceTranspose(g: Tensor, shape: Shape, { starts, counts, steps }: SliceParams): Tensor {
  if (counts.includes(0)) return broadcastTo(sum(g), shape);
  const forward = steps.some((step) => step < 0)
    ? bindOne(sliceP, [g], {
        starts: counts.map((count, axis) => (steps[axis] < 0 ? count - 1 : 0)),
        counts,
        steps: steps.map((step) => (step < 0 ? -1 : 1)),
      })
    : g;
  const low = starts.map((start, axis) => (steps[axis] < 0 ? start + (counts[axis] - 1) * steps[axis] : start));
  const interior = steps.map((step) => Math.abs(step) - 1);
  const high = shape.map((extent, axis) => extent - low[axis] - ((counts[axis] - 1) * (interior[axis] + 1) + 1));
  return bindOne(padP, [forward], { low, high, interior, value: 0 });
}

/** Parameters of padding: per axis the counts before, after and between the elements; negative ones before or after cut. */
export interface PadParams {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly interior: readonly number[];
  readonly value: number;
}

export const padP: Primitive<PadParams> = definePrimitive<PadParams>({
  name: "pad",
  outputs([x], { low, high, interior }) {
    const shape = x.shape.map((n, axis) => low[axis] + high[axis] + n + Math.max(0, n - 1) * interior[axis]);
    if (shape.some((extent) => extent < 0)) {
      throw new ShapeError(`pad: cutting leaves a negative extent ${formatShape(shape)} of ${formatShape(x.shape)}`);
    }
    return [{ shape, dtype: x.dtype }];
  },
  host([x], { low, interior, value }, [spec]) {
    const out = allocate(x.dtype, sizeOf(spec.shape));
    if (!Object.is(value, 0)) out.fill(value);
    const strides = rowMajorStrides(spec.shape);
    // The part of x that lands inside the result, axis by axis.
    const first: number[] = [];
    const count: number[] = [];
    for (let axis = 0; axis < x.rank; axis++) {
      const step = interior[axis] + 1;
      first[axis] = low[axis] < 0 ? Math.ceil(-low[axis] / step) : 0;
      const last = Math.min(x.shape[axis] - 1, Math.floor((spec.shape[axis] - 1 - low[axis]) / step));
      count[axis] = Math.max(0, last - first[axis] + 1);
    }
    if (sizeOf(count) > 0) {
      const source = x.storage as HostStorage;
      const from = first.reduce((sum, i, axis) => sum + i * source.strides[axis], source.offset);
      const to = first.reduce((sum, i, axis) => sum + (low[axis] + i * (interior[axis] + 1)) * strides[axis], 0);
      scatterWindow(
        source.data,
        from,
        source.strides,
        count,
        out,
        to,
        strides.map((s, axis) => s * (interior[axis] + 1)),
      );
    }
    return [hostTensor(out, spec.shape, x.dtype)];
  },
  vjp: ([g], { inputs: [x], params }) => [() => padTranspose(g, x.shape, params)],
  batch: ([x], _, { low, high, interior, value }) => [
    bindOne(padP, [x], { low: [0, ...low], high: [0, ...high], interior: [0, ...interior], value }),
  ],
});

function scatterWindow(
  data: HostStorage["data"],
  from: number,
  fromStrides: readonly number[],
  shape: Shape,
  out: HostStorage["data"],
  to: number,
  toStrides: readonly number[],
): void {
  const last = shape.length - 1;
  if (last < 0) {
    out[to] = data[from];
    return;
  }
  const walk = (axis: number, p: number, q: number): void => {
    const n = shape[axis];
    const sp = fromStrides[axis];
    const sq = toStrides[axis];
    if (axis === last) for (let i = 0; i < n; i++, p += sp, q += sq) out[q] = data[p];
    else for (let i = 0; i < n; i++, p += sp, q += sq) walk(axis + 1, p, q);
  };
  walk(0, from, to);
}

function padTranspose(g: Tensor, shape: Shape, { low, high, interior }: PadParams): Tensor {
  // Undo cuts first, so that every element of x has a place; then read them back with steps.
  const cut = low.some((n) => n < 0) || high.some((n) => n < 0);
  const whole = cut
    ? pad(
        g,
        low.map((n, axis) => [Math.max(0, -n), Math.max(0, -high[axis])]),
      )
    : g;
  if (shape.includes(0)) return broadcastTo(sum(g), shape);
  return bindOne(sliceP, [whole], {
    starts: low.map((n) => Math.max(0, n)),
    counts: shape,
    steps: interior.map((n) => n + 1),
  });
}

export const concatenateP: Primitive<{ axis: number }> = definePrimitive<{ axis: number }>({
  name: "concatenate",
  outputs(inputs, { axis }) {
    const [first] = inputs;
    let extent = 0;
    for (const x of inputs) {
      if (x.dtype !== first.dtype) throw new DTypeError(`concatenate: dtypes ${first.dtype} and ${x.dtype} differ`);
      if (x.shape.length !== first.shape.length || x.shape.some((n, i) => i !== axis && n !== first.shape[i])) {
        throw new ShapeError(
          `concatenate: shapes ${formatShape(first.shape)} and ${formatShape(x.shape)} differ outside axis ${axis}`,
        );
      }
      extent += x.shape[axis];
    }
    return [{ shape: first.shape.map((n, i) => (i === axis ? extent : n)), dtype: first.dtype }];
  },
  host(inputs, { axis }, [spec]) {
    const out = allocateUnwritten(spec.dtype, sizeOf(spec.shape));
    const inner = sizeOf(spec.shape.slice(axis));
    let start = 0;
    for (const x of inputs) {
      const data = contiguousData(x);
      const run = sizeOf(x.shape.slice(axis));
      for (let from = 0, to = start; from < data.length; from += run, to += inner) {
        if (run > 24) out.set(data.subarray(from, from + run), to);
        else for (let j = 0; j < run; j++) out[to + j] = data[from + j];
      }
      start += run;
    }
    return [hostTensor(out, spec.shape, spec.dtype)];
  },
  vjp([g], { inputs, params: { axis } }) {
    let start = 0;
    return inputs.map((x) => {
      const from = start;
      start += x.shape[axis];
      return () =>
        bindOne(sliceP, [g], {
          starts: g.shape.map((_, i) => (i === axis ? from : 0)),
          counts: x.shape,
          steps: g.shape.map(() => 1),
        });
    });
  },
  batch: (inputs, batched, { axis }, size) => [
    concatenate(
      inputs.map((x, i) => (batched[i] ? x : broadcastTo(x, [size, ...x.shape]))),
      axis + 1,
    ),
  ],
});
