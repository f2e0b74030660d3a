import { type Axes, axisOptions } from "../axes.js";
import { asTensor } from "../construct.js";
import { ShapeError } from "../errors.js";
import { bindOne, type Primitive } from "../primitive.js";
import { argMaxP, argMinP, cumSumP, maxP, minP, prodP, type ReductionParams, sumP } from "../primitives/reduction.js";
import { logSoftmaxP, softmaxP } from "../primitives/softmax.js";
import { extentOf, formatShape, normalizeAxes, normalizeAxis } from "../shape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { stopGradient } from "../transforms/stop-gradient.js";
import { add, cast, div, equal, exp, isFinite, log, mul, sqrt, sub, where } from "./elementwise.js";
import { concatenate, flip, reshape, slice } from "./movement.js";
import { asFloat } from "./operands.js";

/** Which axes a reduction runs over. */
export interface ReduceOptions {
  /** One axis or several; all unless given. */
  axis?: Axes;
  /** Keep reduced axes with extent 1. Default false. */
  keepDims?: boolean;
}

/** Options of `argMax` and `argMin`. */
export interface ArgExtremeOptions {
  /** Default: the last. */
  axis?: number;
  /** Keep the axis with extent 1. Default false. */
  keepDims?: boolean;
}

/** Options of `cumSum` and `cumProd`. */
export interface CumulativeOptions {
  /** Default: the last. */
  axis?: number;
  /** Run from the end to the start. Default false. */
  reverse?: boolean;
}

/** Options of `softmax` and `logSoftmax`. */
export interface SoftmaxOptions {
  /** Default: the last. */
  axis?: number;
}

type Rest<O> = Omit<O, "axis">;

const AXIS = ["axis"];
const REDUCE = ["axis", "keepDims"];
const VARIANCE = ["axis", "keepDims", "ddof"];
const CUMULATIVE = ["axis", "reverse"];

function reduce(owner: string, primitive: Primitive<ReductionParams>, x: Tensor, options: ReduceOptions): Tensor {
  const axes = normalizeAxes(owner, options.axis, x.rank);
  if (axes.length === 0) return x;
  return restore(bindOne(primitive, [x], { axes }), x, axes, options);
}

function restore(y: Tensor, x: Tensor, axes: readonly number[], { keepDims }: ReduceOptions): Tensor {
  return keepDims
    ? reshape(
        y,
        x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)),
      )
    : y;
}

function countable(x: TensorLike): Tensor {
  const t = asTensor(x);
  return t.dtype === "bool" ? cast(t, "int32") : t;
}

/**
 * The sum over axes; booleans are counted. 0 for empty axes.
 * @example sum(x, 1); // as sum(x, { axis: 1 })
 */
export function sum(x: TensorLike, axis?: Axes | ReduceOptions, options?: Rest<ReduceOptions>): Tensor {
  return reduce("sum", sumP, countable(x), axisOptions("sum", REDUCE, axis, options));
}

/** The product over axes; 1 for empty axes. Its gradient is exact where factors are 0. */
export function prod(x: TensorLike, axis?: Axes | ReduceOptions, options?: Rest<ReduceOptions>): Tensor {
  return reduce("prod", prodP, countable(x), axisOptions("prod", REDUCE, axis, options));
}

/** The mean over axes; NaN for empty axes. */
export function mean(x: TensorLike, axis?: Axes | ReduceOptions, options?: Rest<ReduceOptions>): Tensor {
  const over = axisOptions<ReduceOptions>("mean", REDUCE, axis, options);
  const t = asFloat(x);
  return div(sum(t, over), extentOf(t.shape, normalizeAxes("mean", over.axis, t.rank)));
}

/** Spread around the mean. */
export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the count in the denominator: 0 for the population, 1 for a sample. Default 0. */
  ddof?: number;
}

/** The variance over axes. */
export function variance(x: TensorLike, axis?: Axes | VarianceOptions, options?: Rest<VarianceOptions>): Tensor {
  return spread("variance", x, axisOptions("variance", VARIANCE, axis, options));
}

/** The standard deviation over axes; its gradient is 0 where nothing varies. */
export function std(x: TensorLike, axis?: Axes | VarianceOptions, options?: Rest<VarianceOptions>): Tensor {
  const squared = spread("std", x, axisOptions("std", VARIANCE, axis, options));
  const constant = equal(squared, 0);
  return where(constant, 0, sqrt(where(constant, 1, squared)));
}

function spread(owner: string, x: TensorLike, { axis, keepDims, ddof = 0 }: VarianceOptions): Tensor {
  const t = asFloat(x);
  const count = extentOf(t.shape, normalizeAxes(owner, axis, t.rank)) - ddof;
  const centred = sub(t, mean(t, { axis, keepDims: true }));
  return div(sum(mul(centred, centred), { axis, keepDims }), count);
}

function requireNonEmpty(name: string, x: Tensor, options: ReduceOptions): void {
  const axes = normalizeAxes(name, options.axis, x.rank);
  if (extentOf(x.shape, axes) === 0) {
    throw new ShapeError(`${name}: ${formatShape(x.shape)} is empty along the reduced axes and has no ${name}`);
  }
}

/** The largest value over axes; NaN if one is. Equal largest values share the gradient. */
export function max(x: TensorLike, axis?: Axes | ReduceOptions, options?: Rest<ReduceOptions>): Tensor {
  const over = axisOptions<ReduceOptions>("max", REDUCE, axis, options);
  const t = asTensor(x);
  requireNonEmpty("max", t, over);
  return reduce("max", maxP, t, over);
}

/** The smallest value over axes; NaN if one is. Equal smallest values share the gradient. */
export function min(x: TensorLike, axis?: Axes | ReduceOptions, options?: Rest<ReduceOptions>): Tensor {
  const over = axisOptions<ReduceOptions>("min", REDUCE, axis, options);
  const t = asTensor(x);
  requireNonEmpty("min", t, over);
  return reduce("min", minP, t, over);
}

/** Whether any value is true (not 0) over axes; bool. */
export function any(x: TensorLike, axis?: Axes | ReduceOptions, options?: Rest<ReduceOptions>): Tensor {
  return reduce("any", maxP, cast(asTensor(x), "bool"), axisOptions("any", REDUCE, axis, options));
}

/** Whether all values are true (not 0) over axes; bool. */
export function all(x: TensorLike, axis?: Axes | ReduceOptions, options?: Rest<ReduceOptions>): Tensor {
  return reduce("all", minP, cast(asTensor(x), "bool"), axisOptions("all", REDUCE, axis, options));
}

function argExtreme(primitive: Primitive<{ axis: number }>, x: TensorLike, options: ArgExtremeOptions): Tensor {
  const t = asTensor(x);
  const at = normalizeAxis(primitive.name, options.axis ?? -1, t.rank);
  return restore(bindOne(primitive, [t], { axis: at }), t, [at], { keepDims: options.keepDims });
}

/** The index of the largest value along an axis (the last unless told), the first of equal ones; int32. */
export function argMax(x: TensorLike, axis?: number | ArgExtremeOptions, options?: Rest<ArgExtremeOptions>): Tensor {
  return argExtreme(argMaxP, x, axisOptions("argMax", REDUCE, axis, options));
}

/** The index of the smallest value along an axis (the last unless told), the first of equal ones; int32. */
export function argMin(x: TensorLike, axis?: number | ArgExtremeOptions, options?: Rest<ArgExtremeOptions>): Tensor {
  return argExtreme(argMinP, x, axisOptions("argMin", REDUCE, axis, options));
}

/** Running sums along an axis (the last unless told). */
export function cumSum(x: TensorLike, axis?: number | CumulativeOptions, options?: Rest<CumulativeOptions>): Tensor {
  const { axis: along = -1, reverse } = axisOptions<CumulativeOptions>("cumSum", CUMULATIVE, axis, options);
  const t = countable(x);
  const at = normalizeAxis("cumSum", along, t.rank);
  if (reverse) return flip(cumSum(flip(t, at), at), at);
  return bindOne(cumSumP, [t], { axis: at });
}

/** Running products along an axis (the last unless told). Its gradient is exact where factors are 0. */
export function cumProd(x: TensorLike, axis?: number | CumulativeOptions, options?: Rest<CumulativeOptions>): Tensor {
  const { axis: along = -1, reverse } = axisOptions<CumulativeOptions>("cumProd", CUMULATIVE, axis, options);
  let product = countable(x);
  const at = normalizeAxis("cumProd", along, product.rank);
  if (reverse) return flip(cumProd(flip(product, at), at), at);
  const n = product.shape[at];
  const lead = new Array<null>(at).fill(null);
  // Each round doubles the number of factors; no division, so zeros do no harm.
  for (let span = 1; span < n; span *= 2) {
    const kept = slice(product, [...lead, { stop: span }]);
    const earlier = slice(product, [...lead, { stop: n - span }]);
    product = concatenate([kept, mul(slice(product, [...lead, { start: span }]), earlier)], at);
  }
  return product;
}

/** `ln(sum(e^x))` over axes without overflow; -Infinity for empty axes. */
export function logSumExp(x: TensorLike, axis?: Axes | ReduceOptions, options?: Rest<ReduceOptions>): Tensor {
  const over = axisOptions<ReduceOptions>("logSumExp", REDUCE, axis, options);
  const t = asFloat(x);
  const axes = normalizeAxes("logSumExp", over.axis, t.rank);
  if (extentOf(t.shape, axes) === 0) return log(sum(t, over));
  const peak = stopGradient(max(t, { axis: axes, keepDims: true }));
  const shift = where(isFinite(peak), peak, 0);
  const total = add(log(sum(exp(sub(t, shift)), { axis: axes, keepDims: true })), shift);
  return over.keepDims
    ? total
    : reshape(
        total,
        t.shape.filter((_, i) => !axes.includes(i)),
      );
}

/** `e^x / sum(e^x)` along an axis (the last unless told), without overflow. */
export function softmax(x: TensorLike, axis?: number | SoftmaxOptions): Tensor {
  const { axis: along = -1 } = axisOptions<SoftmaxOptions>("softmax", AXIS, axis);
  const t = asFloat(x);
  return bindOne(softmaxP, [t], { axis: normalizeAxis("softmax", along, t.rank) });
}

/** `ln(softmax(x))` along an axis (the last unless told), without overflow. */
export function logSoftmax(x: TensorLike, axis?: number | SoftmaxOptions): Tensor {
  const { axis: along = -1 } = axisOptions<SoftmaxOptions>("logSoftmax", AXIS, axis);
  const t = asFloat(x);
  return bindOne(logSoftmaxP, [t], { axis: normalizeAxis("logSoftmax", along, t.rank) });
}
