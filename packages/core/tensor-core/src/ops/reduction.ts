import { asTensor } from "../construct.js";
import { ShapeError } from "../errors.js";
import { bindOne, type Primitive } from "../primitive.js";
import { argMaxP, argMinP, cumSumP, maxP, minP, prodP, type ReductionParams, sumP } from "../primitives/reduction.js";
import { logSoftmaxP, softmaxP } from "../primitives/softmax.js";
import { extentOf, formatShape, normalizeAxes, normalizeAxis } from "../shape.js";
import type { Tensor, TensorLike } from "../tensor.js";
import { stopGradient } from "../transforms/stop-gradient.js";
import { add, asFloat, cast, div, exp, isFinite, log, mul, sqrt, sub, where } from "./elementwise.js";
import { concatenate, flip, reshape, slice } from "./movement.js";

/** Which axes a reduction runs over. */
export interface ReduceOptions {
  /** One axis or several; all unless given. */
  axis?: number | readonly number[];
  /** Keep reduced axes with extent 1. Default false. */
  keepDims?: boolean;
}

function reduce(primitive: Primitive<ReductionParams>, x: Tensor, options: ReduceOptions): Tensor {
  const axes = normalizeAxes(primitive.name, options.axis, x.rank);
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

/** The sum over axes; booleans are counted. 0 for empty axes. */
export function sum(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return reduce(sumP, countable(x), options);
}

/** The product over axes; 1 for empty axes. Its gradient is exact where factors are 0. */
export function prod(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return reduce(prodP, countable(x), options);
}

/** The mean over axes; NaN for empty axes. */
export function mean(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const t = asFloat(x);
  return div(sum(t, options), extentOf(t.shape, normalizeAxes("mean", options.axis, t.rank)));
}

/** Spread around the mean. */
export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the count in the denominator: 0 for the population, 1 for a sample. Default 0. */
  ddof?: number;
}

/** The variance over axes. */
export function variance(x: TensorLike, options: VarianceOptions = {}): Tensor {
  const t = asFloat(x);
  const count = extentOf(t.shape, normalizeAxes("variance", options.axis, t.rank)) - (options.ddof ?? 0);
  const centred = sub(t, mean(t, { ...options, keepDims: true }));
  return div(sum(mul(centred, centred), options), count);
}

/** The standard deviation over axes. */
export function std(x: TensorLike, options: VarianceOptions = {}): Tensor {
  return sqrt(variance(x, options));
}

function requireNonEmpty(name: string, x: Tensor, options: ReduceOptions): void {
  const axes = normalizeAxes(name, options.axis, x.rank);
  if (extentOf(x.shape, axes) === 0) {
    throw new ShapeError(`${name}: ${formatShape(x.shape)} is empty along the reduced axes and has no ${name}`);
  }
}

/** The largest value over axes; NaN if one is. Equal largest values share the gradient. */
export function max(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const t = asTensor(x);
  requireNonEmpty("max", t, options);
  return reduce(maxP, t, options);
}

/** The smallest value over axes; NaN if one is. Equal smallest values share the gradient. */
export function min(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const t = asTensor(x);
  requireNonEmpty("min", t, options);
  return reduce(minP, t, options);
}

/** Whether any value is true (not 0) over axes; bool. */
export function any(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return reduce(maxP, cast(asTensor(x), "bool"), options);
}

/** Whether all values are true (not 0) over axes; bool. */
export function all(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return reduce(minP, cast(asTensor(x), "bool"), options);
}

function argExtreme(primitive: Primitive<{ axis: number }>, x: TensorLike, axis: number, keepDims: boolean): Tensor {
  const t = asTensor(x);
  const at = normalizeAxis(primitive.name, axis, t.rank);
  return restore(bindOne(primitive, [t], { axis: at }), t, [at], { keepDims });
}

/** The index of the largest value along an axis (the last unless told), the first of equal ones; int32. */
export function argMax(x: TensorLike, options: { axis?: number; keepDims?: boolean } = {}): Tensor {
  return argExtreme(argMaxP, x, options.axis ?? -1, options.keepDims ?? false);
}

/** The index of the smallest value along an axis (the last unless told), the first of equal ones; int32. */
export function argMin(x: TensorLike, options: { axis?: number; keepDims?: boolean } = {}): Tensor {
  return argExtreme(argMinP, x, options.axis ?? -1, options.keepDims ?? false);
}

/** Running sums along an axis (the last unless told). */
export function cumSum(x: TensorLike, axis = -1, options: { reverse?: boolean } = {}): Tensor {
  const t = countable(x);
  const at = normalizeAxis("cumSum", axis, t.rank);
  if (options.reverse) return flip(cumSum(flip(t, at), at), at);
  return bindOne(cumSumP, [t], { axis: at });
}

/** Running products along an axis (the last unless told). Its gradient is exact where factors are 0. */
export function cumProd(x: TensorLike, axis = -1): Tensor {
  let product = countable(x);
  const at = normalizeAxis("cumProd", axis, product.rank);
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
export function logSumExp(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const t = asFloat(x);
  const axes = normalizeAxes("logSumExp", options.axis, t.rank);
  if (extentOf(t.shape, axes) === 0) return log(sum(t, options));
  const peak = stopGradient(max(t, { axis: axes, keepDims: true }));
  const shift = where(isFinite(peak), peak, 0);
  const total = add(log(sum(exp(sub(t, shift)), { axis: axes, keepDims: true })), shift);
  return options.keepDims
    ? total
    : reshape(
        total,
        t.shape.filter((_, axis) => !axes.includes(axis)),
      );
}

/** `e^x / sum(e^x)` along an axis (the last unless told), without overflow. */
export function softmax(x: TensorLike, axis = -1): Tensor {
  const t = asFloat(x);
  return bindOne(softmaxP, [t], { axis: normalizeAxis("softmax", axis, t.rank) });
}

/** `ln(softmax(x))` along an axis (the last unless told), without overflow. */
export function logSoftmax(x: TensorLike, axis = -1): Tensor {
  const t = asFloat(x);
  return bindOne(logSoftmaxP, [t], { axis: normalizeAxis("logSoftmax", axis, t.rank) });
}
