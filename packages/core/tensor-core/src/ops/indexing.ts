import { requireArray } from "../arguments.js";
import { axisOptions } from "../axes.js";
import { arange, asTensor, full } from "../construct.js";
import { type DType, isFloat, promote } from "../dtype.js";
import { DTypeError, IndexError, ShapeError, ValueError } from "../errors.js";
import { bindOne } from "../primitive.js";
import { takeAlongAxisP, takeP } from "../primitives/indexing.js";
import { checkIndices } from "../primitives/indices.js";
import { scatterAddAlongAxisP, scatterAddP, scatterMaxP, scatterProductP, scatterSetP } from "../primitives/scatter.js";
import { broadcastShapes, formatShape, normalizeAxis, type Shape, sizeOf } from "../shape.js";
import { contiguousData, hostTensor, isTensor, type Tensor, type TensorLike } from "../tensor.js";
import { stopGradient } from "../transforms/stop-gradient.js";
import { add, cast, div, equal, exp, isFinite, less, maximum, mul, neg, sub, where } from "./elementwise.js";
import { broadcastTo, expandDims, reshape } from "./movement.js";
import { asFloat } from "./operands.js";

/** Along which axis indices run. */
export interface IndexOptions {
  /** Default: 0 for `take` and `scatterAdd`; the last for those along an axis. */
  axis?: number;
}

/** Options of `oneHot`. */
export interface OneHotOptions {
  /** Where the new axis stands. Default: the last. */
  axis?: number;
  /** Default float32. */
  dtype?: DType;
}

const AXIS = ["axis"];
const ONE_HOT = ["axis", "dtype"];

/**
 * Indices as int32 from 0: plain integers are converted, negative ones count from the end.
 * @param source what they point into, for the message about one that is out of range.
 */
function resolveIndices(operation: string, indices: TensorLike, extent: number, source: string): Tensor {
  const t = integerTensor(operation, indices);
  if (t.storage.kind !== "host") return where(less(t, 0), add(t, extent), t);
  const values = contiguousData(t);
  checkIndices(operation, values, t.shape, -extent, extent, source);
  if (values.every((i) => i >= 0)) return t;
  return hostTensor(
    Int32Array.from(values, (i) => (i < 0 ? i + extent : i)),
    t.shape,
    "int32",
  );
}

function integerTensor(operation: string, values: TensorLike): Tensor {
  const plain = typeof values === "number" || Array.isArray(values);
  const t = asTensor(values);
  if (plain && t.dtype !== "bool") {
    const numbers = contiguousData(asTensor(values, "float64"));
    const wrong = numbers.findIndex((i: number) => !Number.isInteger(i));
    if (wrong >= 0) throw new ValueError(`${operation}: ${numbers[wrong]} is not an integer index`);
    return hostTensor(Int32Array.from(numbers), t.shape, "int32");
  }
  if (t.dtype !== "int32") {
    throw new DTypeError(
      `${operation}: the indices are ${t.dtype}; they must be int32: cast(indices, "int32")` +
        `${t.dtype === "bool" ? ", or choose by a mask with where()" : ""}`,
    );
  }
  return t;
}

/**
 * The entries of `x` at `indices` along an axis (the first unless told): indices of any shape stand in the place of
 * that axis, `[..., n, ...]` becoming `[..., ...indices, ...]`. Negative indices count from the end. The lookup of
 * an embedding is `take(table, tokens)`.
 * @throws IndexError for an index out of range, DTypeError for indices that are not integers.
 * @example take(table, [2, 0]) // rows 2 and 0
 */
export function take(x: TensorLike, indices: TensorLike, axis?: number | IndexOptions): Tensor {
  const t = asTensor(x);
  const along = normalizeAxis("take", axisOptions<IndexOptions>("take", AXIS, axis).axis ?? 0, t.rank);
  return bindOne(takeP, [t, resolveIndices("take", indices, t.shape[along], `axis ${along}`)], { axis: along });
}

/**
 * Per line along an axis (the last unless told), the entries that `indices` name in that line:
 * `out[i, j] = x[i, indices[i, j]]`. Outside the axis, the shapes of `x` and `indices` broadcast. Undoes `argsort`.
 * @throws IndexError for an index out of range, ShapeError where the shapes do not fit.
 */
export function takeAlongAxis(x: TensorLike, indices: TensorLike, axis?: number | IndexOptions): Tensor {
  const t = asTensor(x);
  const named = axisOptions<IndexOptions>("takeAlongAxis", AXIS, axis).axis ?? -1;
  const along = normalizeAxis("takeAlongAxis", named, t.rank);
  const at = resolveIndices("takeAlongAxis", indices, t.shape[along], `axis ${along}`);
  if (at.rank !== t.rank) {
    throw new ShapeError(
      `takeAlongAxis: indices of rank ${at.rank} for values of rank ${t.rank}; give one index axis for each axis (expandDims)`,
    );
  }
  const ignoring = (shape: Shape, extent: number) => shape.map((n, i) => (i === along ? extent : n));
  const common = broadcastShapes("takeAlongAxis", ignoring(t.shape, 1), ignoring(at.shape, 1));
  return bindOne(
    takeAlongAxisP,
    [broadcastTo(t, ignoring(common, t.shape[along])), broadcastTo(at, ignoring(common, at.shape[along]))],
    { axis: along },
  );
}

/**
 * `x` with `updates` added at `indices` along an axis (the first unless told); repeated indices add up. The transpose
 * of `take`: updates have the shape of x with the shape of the indices in the place of the axis, or broadcast to it.
 * @throws IndexError for an index out of range, ShapeError for updates that do not fit.
 * @example scatterAdd(zeros([4]), [1, 1, 3], [10, 20, 30]) // [0, 30, 0, 30]
 */
export function scatterAdd(
  x: TensorLike,
  indices: TensorLike,
  updates: TensorLike,
  axis?: number | IndexOptions,
): Tensor {
  return bindOne(scatterAddP, ...rowsOperands("scatterAdd", x, indices, updates, axis));
}

/**
 * `x` with the rows at `indices` along an axis (the first unless told) replaced by `updates`, shaped as for `scatterAdd`; of
 * several updates for one row the last stands.
 * @throws IndexError for an index out of range, ShapeError for updates that do not fit.
 * @example scatterSet(zeros([4]), [1, 3], [10, 20]) // [0, 10, 0, 20]
 */
export function scatterSet(
  x: TensorLike,
  indices: TensorLike,
  updates: TensorLike,
  axis?: number | IndexOptions,
): Tensor {
  return bindOne(scatterSetP, ...rowsOperands("scatterSet", x, indices, updates, axis));
}

/**
 * `x` with `updates` added, per line along an axis (the last unless told), at the places that `indices` name:
 * `x[i, indices[i, j]] += updates[i, j]`. The transpose of `takeAlongAxis`; indices and updates have one shape.
 * @throws IndexError for an index out of range, ShapeError where the shapes do not fit.
 */
export function scatterAddAlongAxis(
  x: TensorLike,
  indices: TensorLike,
  updates: TensorLike,
  axis?: number | IndexOptions,
): Tensor {
  const [t, parts] = operands(x, updates);
  const named = axisOptions<IndexOptions>("scatterAddAlongAxis", AXIS, axis).axis ?? -1;
  const along = normalizeAxis("scatterAddAlongAxis", named, t.rank);
  const at = resolveIndices("scatterAddAlongAxis", indices, t.shape[along], `axis ${along}`);
  return bindOne(scatterAddAlongAxisP, [t, at, fitted("scatterAddAlongAxis", parts, at.shape)], { axis: along });
}

/** The operands of a scatter of rows along an axis, and its parameters. */
function rowsOperands(
  operation: string,
  x: TensorLike,
  indices: TensorLike,
  updates: TensorLike,
  axis: number | IndexOptions | undefined,
): [inputs: Tensor[], params: { axis: number }] {
  const [t, parts] = operands(x, updates);
  const named = axisOptions<IndexOptions>(operation, AXIS, axis).axis ?? 0;
  const along = normalizeAxis(operation, named, t.rank);
  const at = resolveIndices(operation, indices, t.shape[along], `axis ${along}`);
  const shape = [...t.shape.slice(0, along), ...at.shape, ...t.shape.slice(along + 1)];
  return [[t, at, fitted(operation, parts, shape)], { axis: along }];
}

function operands(x: TensorLike, updates: TensorLike): [x: Tensor, updates: Tensor] {
  const t = asTensor(x);
  if (!isTensor(updates) && (typeof updates === "number" || Array.isArray(updates))) {
    return [t, asTensor(updates, t.dtype)];
  }
  const parts = asTensor(updates);
  const dtype = promote(t.dtype, parts.dtype);
  return [cast(t, dtype), cast(parts, dtype)];
}

function fitted(operation: string, updates: Tensor, shape: Shape): Tensor {
  const lead = shape.length - updates.rank;
  if (lead < 0 || updates.shape.some((n, i) => n !== 1 && n !== shape[lead + i])) {
    throw new ShapeError(
      `${operation}: updates ${formatShape(updates.shape)} do not broadcast to ${formatShape(shape)}, the shape of the entries named`,
    );
  }
  return broadcastTo(updates, shape);
}

/**
 * Entries of `x` by their coordinates, as `x[i0, i1, ...]` in NumPy: one integer tensor for each of the first axes;
 * they broadcast to one shape `[...indices]` and the result is `[...indices, ...rest]`.
 * @throws IndexError for an index out of range or more indices than axes.
 * @example at(logits, [arange(batch), labels]) // the logit of each label
 */
export function at(x: TensorLike, indices: readonly TensorLike[]): Tensor {
  const t = asTensor(x);
  requireArray("at", indices, "indices, one tensor for each of the first axes");
  if (indices.length === 0 || indices.length > t.rank) {
    throw new IndexError(`at: ${indices.length} indices for a tensor of rank ${t.rank}; give 1 to ${t.rank}`);
  }
  const places = indices.map((index, axis) => {
    const extent = t.shape[axis];
    const place = resolveIndices("at", index, extent, `axis ${axis}`);
    // Together with others, one out of range might be a place in another row.
    return indices.length > 1 ? lookedUp(place, arange(0, extent, 1, "int32")) : place;
  });
  const head = t.shape.slice(0, places.length);
  const flat = places.reduce((sum, place, axis) => add(mul(sum, head[axis]), place));
  return bindOne(takeP, [reshape(t, [sizeOf(head), ...t.shape.slice(places.length)]), flat], { axis: 0 });
}

/**
 * Ones at the places that `indices` name along a new last axis (or that given) of extent `depth`, zeros elsewhere.
 * @throws IndexError for an index outside `[0, depth)`.
 * @example oneHot([0, 2], 3) // [[1, 0, 0], [0, 0, 1]]
 */
export function oneHot(
  indices: TensorLike,
  depth: number,
  axis?: number | OneHotOptions,
  options?: Omit<OneHotOptions, "axis">,
): Tensor {
  const { axis: named = -1, dtype = "float32" } = axisOptions<OneHotOptions>("oneHot", ONE_HOT, axis, options);
  if (!Number.isInteger(depth) || depth < 0) throw new ValueError(`oneHot: depth is ${depth}; give an integer >= 0`);
  const t = integerTensor("oneHot", indices);
  if (t.storage.kind === "host") checkIndices("oneHot", contiguousData(t), t.shape, 0, depth, "the new axis");
  const at = normalizeAxis("oneHot", named, t.rank + 1);
  const numbers = arange(0, depth, 1, "int32");
  const places = reshape(numbers, [depth, ...new Array<number>(t.rank - at).fill(1)]);
  return cast(equal(expandDims(depth === 0 ? t : lookedUp(t, numbers), at), places), dtype);
}

/** Indices from 0 to one less than there are `numbers`: unknown ones are looked up, which fails out of range when they run. */
function lookedUp(indices: Tensor, numbers: Tensor): Tensor {
  return indices.storage.kind === "host" ? indices : bindOne(takeP, [numbers, indices], { axis: 0 });
}

function segments(operation: string, data: TensorLike, ids: TensorLike, count: number): [data: Tensor, ids: Tensor] {
  if (!Number.isInteger(count) || count < 0) {
    throw new ValueError(`${operation}: numSegments is ${count}; give an integer >= 0`);
  }
  const t = asTensor(data);
  const at = integerTensor(operation, ids);
  if (at.rank !== 1 || t.rank === 0 || at.shape[0] !== t.shape[0]) {
    throw new ShapeError(
      `${operation}: data ${formatShape(t.shape)} needs segmentIds [${t.shape[0] ?? 0}], one for each row, not ${formatShape(at.shape)}`,
    );
  }
  if (at.storage.kind === "host") checkIndices(operation, contiguousData(at), at.shape, 0, count, "the segments");
  return [t.dtype === "bool" ? cast(t, "int32") : t, at];
}

/**
 * Sums of the rows of `data` `[n, ...]` that have the same id, `[numSegments, ...]`; 0 for a segment without rows.
 * Ids, `[n]` from 0 to numSegments - 1, need no order. As in message passing over the edges of a graph.
 * @throws IndexError for an id out of range.
 */
export function segmentSum(data: TensorLike, segmentIds: TensorLike, numSegments: number): Tensor {
  const [t, ids] = segments("segmentSum", data, segmentIds, numSegments);
  return bindOne(scatterAddP, [full([numSegments, ...t.shape.slice(1)], 0, t.dtype), ids, t], { axis: 0 });
}

/** Means of the rows of `data` `[n, ...]` that have the same id; 0 for a segment without rows. See `segmentSum`. */
export function segmentMean(data: TensorLike, segmentIds: TensorLike, numSegments: number): Tensor {
  const [t, ids] = segments("segmentMean", asFloat(data), segmentIds, numSegments);
  const counts = segmentSum(full(ids.shape, 1, t.dtype), ids, numSegments);
  const each = reshape(maximum(counts, 1), [numSegments, ...new Array<number>(t.rank - 1).fill(1)]);
  return div(segmentSum(t, ids, numSegments), each);
}

/**
 * Largest values over the rows of `data` `[n, ...]` that have the same id; -Infinity (the least integer for int32)
 * for a segment without rows. Equal largest values share the gradient. See `segmentSum`.
 */
export function segmentMax(data: TensorLike, segmentIds: TensorLike, numSegments: number): Tensor {
  const [t, ids] = segments("segmentMax", data, segmentIds, numSegments);
  const least = t.dtype === "int32" ? -2147483648 : Number.NEGATIVE_INFINITY;
  return bindOne(scatterMaxP, [full([numSegments, ...t.shape.slice(1)], least, t.dtype), ids, t], { axis: 0 });
}

/**
 * Smallest values over the rows that have the same id; Infinity (the largest integer for int32) for a segment without
 * rows. See `segmentMax`.
 */
export function segmentMin(data: TensorLike, segmentIds: TensorLike, numSegments: number): Tensor {
  const t = asTensor(data);
  // -1 - x reverses the order of all integers, where -x has no value for the least of them.
  const reversed = (x: Tensor) => (isFloat(x.dtype) ? neg(x) : sub(-1, x));
  return reversed(segmentMax(reversed(t), segmentIds, numSegments));
}

/** `e^x / sum(e^x)` over the rows that have the same id, without overflow: attention over the edges of a graph. */
export function segmentSoftmax(data: TensorLike, segmentIds: TensorLike, numSegments: number): Tensor {
  const [t, ids] = segments("segmentSoftmax", asFloat(data), segmentIds, numSegments);
  const peak = stopGradient(segmentMax(t, ids, numSegments));
  const e = exp(sub(t, take(where(isFinite(peak), peak, 0), ids)));
  return div(e, take(segmentSum(e, ids, numSegments), ids));
}

/**
 * Sums of products of rows, `out[into[e]] += values[e] * x[from[e]]`, `[rows, ...]`: a sparse matrix times `x`, or several
 * of one pattern at once, one for each column. Differentiable in values and x to any order; nothing of the size of
 * `values` is formed on the way, which makes it quicker than `segmentSum(mul(values, take(x, from)), into, rows)`.
 * @param values `[terms, ...]` float
 * @param x `[n, ...]` with the same further axes
 * @param into `[terms]` rows of the result, from 0 to rows - 1, in any order
 * @param from `[terms]` rows of x
 * @throws IndexError for an index out of range; ShapeError where the shapes do not fit.
 * @example scatterProduct([2, 3], [10, 20], [0, 0], [0, 1], 1) // [80]
 */
export function scatterProduct(
  values: TensorLike,
  x: TensorLike,
  into: TensorLike,
  from: TensorLike,
  rows: number,
): Tensor {
  const operation = "scatterProduct";
  if (!Number.isInteger(rows) || rows < 0) throw new ValueError(`${operation}: rows is ${rows}; give an integer >= 0`);
  const [v, t] = [asFloat(values), asFloat(x)];
  const [terms, ...rest] = v.shape;
  if (v.rank === 0 || t.rank === 0 || t.shape.slice(1).join() !== rest.join()) {
    throw new ShapeError(
      `${operation}: values ${formatShape(v.shape)} and x ${formatShape(t.shape)} must have the same axes after the first`,
    );
  }
  const dtype = promote(v.dtype, t.dtype);
  const width = sizeOf(rest);
  const ends = [integerTensor(operation, into), integerTensor(operation, from)];
  const flat = [reshape(cast(v, dtype), [terms, width]), reshape(cast(t, dtype), [t.shape[0], width])];
  return reshape(bindOne(scatterProductP, [...flat, ...ends], { rows }), [rows, ...rest]);
}
