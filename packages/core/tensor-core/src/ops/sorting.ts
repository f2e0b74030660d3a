import { requireArray } from "../arguments.js";
import { type Axes, axisOptions } from "../axes.js";
import { checkOptions } from "../check-options.js";
import { asTensor, full } from "../construct.js";
import { ShapeError, ValueError } from "../errors.js";
import { bindOne } from "../primitive.js";
import { sortedLines, topKIndicesP } from "../primitives/sorting.js";
import { formatShape, normalizeAxes, normalizeAxis } from "../shape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { add, isNaN, less, lessEqual, logicalAnd, minimum, mul, where } from "./elementwise.js";
import { take, takeAlongAxis } from "./indexing.js";
import { reshape, transpose } from "./movement.js";
import { asFloat, promoteOperands } from "./operands.js";
import { any, type ReduceOptions } from "./reduction.js";

/** Options of `sort` and `argsort`. */
export interface SortOptions {
  /** Default: the last. */
  axis?: number;
  /** Largest first. Default false. */
  descending?: boolean;
}

/** Options of `topK`. */
export interface TopKOptions {
  /** Default: the last. */
  axis?: number;
  /** The largest values, largest first; false for the smallest, smallest first. Default true. */
  largest?: boolean;
}

const SORT = ["axis", "descending"];
const TOP_K = ["axis", "largest"];
const REDUCE = ["axis", "keepDims"];

/**
 * The indices that sort an axis (the last unless told), int32. Stable: equal values keep their order, also when
 * descending; NaN comes last in either direction.
 */
export function argsort(x: TensorLike, axis?: number | SortOptions, options?: Omit<SortOptions, "axis">): Tensor {
  return sortingIndices("argsort", asTensor(x), axisOptions("argsort", SORT, axis, options));
}

function sortingIndices(owner: string, t: Tensor, { axis: along = -1, descending = false }: SortOptions): Tensor {
  const axis = normalizeAxis(owner, along, t.rank);
  return bindOne(topKIndicesP, [t], { k: t.shape[axis], axis, largest: descending });
}

/**
 * The values sorted along an axis (the last unless told); NaN comes last in either direction. Gradients go back to
 * where the values came from.
 */
export function sort(x: TensorLike, axis?: number | SortOptions, options?: Omit<SortOptions, "axis">): Tensor {
  const along = axisOptions<SortOptions>("sort", SORT, axis, options);
  const t = asTensor(x);
  const at = normalizeAxis("sort", along.axis ?? -1, t.rank);
  // Without a gradient to send back nobody needs to know where a value came from.
  if (t.storage.kind === "host" && t.record === null) return sortedLines(t, at, along.descending ?? false);
  return takeAlongAxis(t, sortingIndices("sort", t, along), at);
}

/**
 * The k largest (or smallest) values along an axis, in order, and their indices (int32). Of equal values the one
 * with the lower index comes first; NaN comes after everything else.
 * @throws ValueError for a k that is not an integer from 0, ShapeError for one larger than the axis.
 */
export function topK(
  x: TensorLike,
  k: number,
  axis?: number | TopKOptions,
  options?: Omit<TopKOptions, "axis">,
): { values: Tensor; indices: Tensor } {
  const { axis: along = -1, largest = true } = axisOptions<TopKOptions>("topK", TOP_K, axis, options);
  const t = asTensor(x);
  const at = normalizeAxis("topK", along, t.rank);
  if (!Number.isInteger(k) || k < 0) throw new ValueError(`topK: k is ${k}; give an integer >= 0`);
  const indices = bindOne(topKIndicesP, [t], { k, axis: at, largest });
  return { values: takeAlongAxis(t, indices, { axis: at }), indices };
}

/**
 * The values below which the fraction `q` of the data lies, over axes (all unless told), interpolated linearly
 * between neighbours as NumPy does. A list of fractions gives them along a new first axis. NaN where data are NaN.
 * @throws ValueError for a fraction outside [0, 1], ShapeError for empty axes.
 */
export function quantile(
  x: TensorLike,
  q: number | readonly number[],
  axis?: Axes | ReduceOptions,
  options?: Omit<ReduceOptions, "axis">,
): Tensor {
  return quantiles("quantile", x, q, axisOptions("quantile", REDUCE, axis, options));
}

function quantiles(owner: string, x: TensorLike, q: number | readonly number[], options: ReduceOptions): Tensor {
  const t = asFloat(x);
  if (typeof q !== "number") requireArray(owner, q, "fractions, or give one");
  const fractions = typeof q === "number" ? [q] : q;
  for (const f of fractions) {
    if (!(f >= 0 && f <= 1)) throw new ValueError(`quantile: q is ${f}; give a fraction from 0 to 1`);
  }
  const axes = normalizeAxes(owner, options.axis, t.rank);
  const kept = t.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const rows = reshape(transpose(t, [...kept, ...axes]), [
    ...kept.map((axis) => t.shape[axis]),
    axes.reduce((n, axis) => n * t.shape[axis], 1),
  ]);
  const n = rows.shape[rows.rank - 1];
  if (n === 0) throw new ShapeError(`${owner}: ${formatShape(t.shape)} is empty along the reduced axes`);
  const positions = fractions.map((f) => f * (n - 1));
  const weights = positions.map((p) => p - Math.floor(p));
  const sorted = sort(rows);
  const low = take(sorted, positions.map(Math.floor), { axis: -1 });
  const high = take(sorted, positions.map(Math.ceil), { axis: -1 });
  const upper = asTensor(weights, t.dtype);
  const lower = asTensor(
    weights.map((w) => 1 - w),
    t.dtype,
  );
  // A neighbour of weight 0 must not spoil the value where it is infinite.
  const between = where(lessEqual(upper, 0), low, add(mul(low, lower), mul(high, upper)));
  const value = where(any(isNaN(rows), { axis: -1, keepDims: true }), Number.NaN, between);
  const moved = transpose(value, [value.rank - 1, ...value.shape.slice(0, -1).map((_, axis) => axis)]);
  const shape = options.keepDims
    ? t.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
    : kept.map((axis) => t.shape[axis]);
  return reshape(moved, typeof q === "number" ? shape : [fractions.length, ...shape]);
}

/** The middle value over axes (all unless told), the mean of the two in the middle for an even count. See `quantile`. */
export function median(x: TensorLike, axis?: Axes | ReduceOptions, options?: Omit<ReduceOptions, "axis">): Tensor {
  return quantiles("median", x, 0.5, axisOptions("median", REDUCE, axis, options));
}

/**
 * Where values would be inserted into the increasing numbers `sorted` `[n]` to keep them in order, int32 in the
 * shape of `values`: the count of numbers below each value, or with side "right" not above it.
 * @throws ShapeError where `sorted` is not a vector.
 */
export function searchSorted(
  sorted: TensorLike,
  values: TensorLike,
  options: { side?: "left" | "right" } = {},
): Tensor {
  checkOptions("searchSorted", options, ["side"]);
  const [s, v] = promoteOperands("searchSorted", [sorted, values]);
  if (s.rank !== 1) throw new ShapeError(`searchSorted: sorted has shape ${formatShape(s.shape)}; give a vector [n]`);
  const n = s.shape[0];
  let position = full(v.shape, 0, "int32");
  if (n === 0) return position;
  const before = options.side === "right" ? lessEqual : less;
  // Powers of two from the largest down build up the count of numbers before each value.
  for (let step = 2 ** Math.floor(Math.log2(n)); step >= 1; step /= 2) {
    const candidate = add(position, step);
    const number = take(s, minimum(add(candidate, -1), n - 1));
    position = where(logicalAnd(lessEqual(candidate, n), before(number, v)), candidate, position);
  }
  return position;
}
