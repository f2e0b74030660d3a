import { onesLike } from "../construct.js";
import { allocate, allocateUnwritten, type DType, type TypedArray } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import type { FloatArray } from "../kernels/arrays.js";
import { maxAxis, minAxis, sum as sumRange } from "../kernels/reduce.js";
import { cast, div, equal, mul } from "../ops/elementwise.js";
import { broadcastTo, concatenate, flip, reshape, slice, transpose } from "../ops/movement.js";
import { cumSum, prod, sum } from "../ops/reduction.js";
import { bindOne, definePrimitive, type Primitive, type Spec } from "../primitive.js";
import { formatShape, type Shape, sizeOf } from "../shape.js";
import { contiguousData, hostTensor, type Tensor } from "../tensor.js";

/** Axes to reduce, sorted and non-negative; they are dropped. */
export interface ReductionParams {
  readonly axes: readonly number[];
}

/** Reduces row-major `[outer, n, inner]` to `[outer, inner]`. */
type Reduce = (x: TypedArray, outer: number, n: number, inner: number, out: TypedArray) => void;

function reducedShape(shape: Shape, axes: readonly number[]): number[] {
  return shape.filter((_, axis) => !axes.includes(axis));
}

/** The values as row-major `[outer, n, inner]` with the reduced axes together in the middle. */
function gather(x: Tensor, axes: readonly number[]): { data: TypedArray; outer: number; n: number; inner: number } {
  const n = sizeOf(axes.map((axis) => x.shape[axis]));
  const adjacent = axes.every((axis, i) => i === 0 || axis === axes[i - 1] + 1);
  if (adjacent && axes.length > 0) {
    const inner = sizeOf(x.shape.slice(axes[axes.length - 1] + 1));
    return { data: contiguousData(x), outer: sizeOf(x.shape.slice(0, axes[0])), n, inner };
  }
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const moved = transpose(x, [...kept, ...axes]);
  return {
    data: contiguousData(moved),
    outer: n === 0 ? sizeOf(kept.map((a) => x.shape[a])) : x.size / n,
    n,
    inner: 1,
  };
}

function reduction(
  name: string,
  takes: readonly DType[],
  reduce: Reduce,
  vjp: Primitive<ReductionParams>["vjp"],
): Primitive<ReductionParams> {
  const primitive: Primitive<ReductionParams> = definePrimitive<ReductionParams>({
    name,
    outputs([x], { axes }) {
      if (!takes.includes(x.dtype))
        throw new DTypeError(`${name}: dtype ${x.dtype} is not supported; cast to ${takes.join(" or ")} first`);
      return [{ shape: reducedShape(x.shape, axes), dtype: x.dtype }];
    },
    host([x], { axes }, [spec]) {
      const out = allocate(spec.dtype, sizeOf(spec.shape));
      const { data, outer, n, inner } = gather(x, axes);
      reduce(data, outer, n, inner, out);
      return [hostTensor(out, spec.shape, spec.dtype)];
    },
    batch: ([x], _, { axes }) => [bindOne(primitive, [x], { axes: axes.map((axis) => axis + 1) })],
    ...(vjp && { vjp }),
  });
  return primitive;
}

/** A reduced tensor with its axes back, of extent 1, stretched to `shape`. */
function spread(y: Tensor, shape: Shape, axes: readonly number[]): Tensor {
  return broadcastTo(
    reshape(
      y,
      shape.map((n, axis) => (axes.includes(axis) ? 1 : n)),
    ),
    shape,
  );
}

export const sumP = reduction(
  "sum",
  ["float32", "float64", "int32"],
  sumLines,
  ([g], { inputs: [x], params: { axes } }) => [() => spread(g, x.shape, axes)],
);

export const prodP = reduction(
  "prod",
  ["float32", "float64", "int32"],
  productLines,
  ([g], { inputs: [x], params: { axes } }) => [() => mul(spread(g, x.shape, axes), productOfOthers(x, axes))],
);

export const maxP = reduction("max", ["float32", "float64", "int32", "bool"], extremeLines(1), extremeVjp);
export const minP = reduction("min", ["float32", "float64", "int32", "bool"], extremeLines(-1), extremeVjp);

/** Equal extremes share the gradient, as the elementwise maximum does. */
function extremeVjp(
  [g]: readonly Tensor[],
  {
    inputs: [x],
    outputs: [y],
    params: { axes },
  }: { inputs: readonly Tensor[]; outputs: readonly Tensor[]; params: ReductionParams },
) {
  return [
    () => {
      const hit = cast(equal(x, spread(y, x.shape, axes)), x.dtype);
      return mul(hit, spread(div(g, sum(hit, { axis: axes })), x.shape, axes));
    },
  ];
}

/** For each element the product of all the others along `axes`: exact at zeros. */
function productOfOthers(x: Tensor, axes: readonly number[]): Tensor {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = [...kept, ...axes];
  const moved = transpose(x, order);
  const n = sizeOf(axes.map((axis) => x.shape[axis]));
  const rows = reshape(moved, [sizeOf(kept.map((axis) => x.shape[axis])), n]);
  const others = exclusiveProducts(rows, n);
  const inverse: number[] = [];
  order.forEach((axis, i) => {
    inverse[axis] = i;
  });
  return transpose(reshape(others, moved.shape), inverse);
}

/** Divide and conquer: the others of an element are the others in its half times the product of the other half. */
function exclusiveProducts(rows: Tensor, n: number): Tensor {
  if (n <= 1) return onesLike(rows);
  const half = n >> 1;
  const left = slice(rows, [null, { stop: half }]);
  const right = slice(rows, [null, { start: half }]);
  const productLeft = reshape(prod(left, { axis: 1 }), [rows.shape[0], 1]);
  const productRight = reshape(prod(right, { axis: 1 }), [rows.shape[0], 1]);
  return concatenate(
    [mul(exclusiveProducts(left, half), productRight), mul(exclusiveProducts(right, n - half), productLeft)],
    1,
  );
}

export const argMaxP = argExtreme("argMax", 1);
export const argMinP = argExtreme("argMin", -1);

function argExtreme(name: string, direction: 1 | -1): Primitive<{ axis: number }> {
  const primitive: Primitive<{ axis: number }> = definePrimitive<{ axis: number }>({
    name,
    outputs([x], { axis }) {
      if (x.shape[axis] === 0)
        throw new ShapeError(`${name}: axis ${axis} of ${formatShape(x.shape)} is empty and has no extreme`);
      return [{ shape: reducedShape(x.shape, [axis]), dtype: "int32" }];
    },
    host([x], { axis }, [spec]) {
      const out = allocate("int32", sizeOf(spec.shape));
      const { data, outer, n, inner } = gather(x, [axis]);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          let p = o * n * inner + i;
          let best = data[p];
          let at = 0;
          for (let k = 1; k < n && best === best; k++) {
            p += inner;
            // A NaN wins, as in NumPy.
            if ((data[p] - best) * direction > 0 || data[p] !== data[p] || isBeyond(data[p], best, direction)) {
              best = data[p];
              at = k;
            }
          }
          out[o * inner + i] = at;
        }
      }
      return [hostTensor(out, spec.shape, "int32")];
    },
    batch: ([x], _, { axis }) => [bindOne(primitive, [x], { axis: axis + 1 })],
  });
  return primitive;
}

function isBeyond(value: number, best: number, direction: 1 | -1): boolean {
  return direction === 1 ? value > best : value < best;
}

export const cumSumP: Primitive<{ axis: number }> = definePrimitive<{ axis: number }>({
  name: "cumSum",
  outputs: ([x]: readonly Spec[]) => [{ shape: x.shape, dtype: x.dtype }],
  host([x], { axis }, [spec]) {
    const data = contiguousData(x);
    const out = allocateUnwritten(spec.dtype, data.length);
    const n = spec.shape[axis];
    const inner = sizeOf(spec.shape.slice(axis + 1));
    for (let start = 0; start < data.length; start += n * inner) {
      for (let i = 0; i < inner; i++) {
        let total = 0;
        for (let k = 0, p = start + i; k < n; k++, p += inner) {
          total += data[p];
          out[p] = total;
        }
      }
    }
    return [hostTensor(out, spec.shape, spec.dtype)];
  },
  vjp: ([g], { params: { axis } }) => [() => flip(cumSum(flip(g, axis), axis), axis)],
  batch: ([x], _, { axis }) => [bindOne(cumSumP, [x], { axis: axis + 1 })],
});

/** Sums are accumulated in float64. */
function sumLines(x: TypedArray, outer: number, n: number, inner: number, out: TypedArray): void {
  if (inner === 1) {
    const range = isFloatArray(x) ? (from: number, to: number) => sumRange(x, from, to) : integerSum(x);
    for (let o = 0; o < outer; o++) out[o] = range(o * n, (o + 1) * n);
    return;
  }
  const line = new Float64Array(inner);
  for (let o = 0, p = 0; o < outer; o++) {
    line.fill(0);
    let k = 0;
    // Four rows a turn: a quarter of the traffic to the running sums, and less rounding.
    for (; k + 3 < n; k += 4, p += 4 * inner) {
      const [q, r, s] = [p + inner, p + 2 * inner, p + 3 * inner];
      for (let i = 0; i < inner; i++) line[i] += x[p + i] + x[q + i] + (x[r + i] + x[s + i]);
    }
    for (; k < n; k++, p += inner) for (let i = 0; i < inner; i++) line[i] += x[p + i];
    out.set(line, o * inner);
  }
}

function isFloatArray(x: TypedArray): x is FloatArray {
  return x instanceof Float64Array || x instanceof Float32Array;
}

function integerSum(x: TypedArray): (from: number, to: number) => number {
  return (from, to) => {
    let total = 0;
    for (let i = from; i < to; i++) total = (total + x[i]) | 0;
    return total;
  };
}

/** Products of integers are those modulo 2^32, as their sums are. */
function productLines(x: TypedArray, outer: number, n: number, inner: number, out: TypedArray): void {
  const times = x instanceof Int32Array ? Math.imul : (a: number, b: number) => a * b;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let product = 1;
      for (let k = 0, p = o * n * inner + i; k < n; k++, p += inner) product = times(product, x[p]);
      out[o * inner + i] = product;
    }
  }
}

function extremeLines(direction: 1 | -1): Reduce {
  return (x, outer, n, inner, out) => {
    const start =
      x instanceof Int32Array
        ? direction === 1
          ? -2147483648
          : 2147483647
        : x instanceof Uint8Array
          ? direction === 1
            ? 0
            : 1
          : -direction * Number.POSITIVE_INFINITY;
    if (inner === 1 && n > 0 && isFloatArray(x)) {
      (direction === 1 ? maxAxis : minAxis)(x, outer, n, 1, out as FloatArray);
      return;
    }
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let best = start;
        for (let k = 0, p = o * n * inner + i; k < n; k++, p += inner) {
          const value = x[p];
          if (direction === 1 ? value > best : value < best) best = value;
          else if (value !== value) {
            best = value;
            break;
          }
        }
        out[o * inner + i] = best;
      }
    }
  };
}
