import { checkOptions } from "../check-options.js";
import { asTensor } from "../construct.js";
import { ShapeError, ValueError } from "../errors.js";
import { formatShape, type Shape, sizeOf } from "../shape.js";
import { castData, hostTensor, isTensor, type TensorLike } from "../tensor.js";
import { exp } from "./elementary.js";
import { nonNegative, parameter, requireDomain } from "./parameter.js";
import type { Source } from "./source.js";

/** Fisher-Yates: the first `count` entries become a uniform sample without replacement, in random order. */
export function shuffleFront(source: Source, items: Int32Array, count = items.length): void {
  for (let i = 0; i < count && i < items.length - 1; i++) {
    const j = i + source.below(items.length - i);
    const swap = items[i];
    items[i] = items[j];
    items[j] = swap;
  }
}

/** The integers 0, ..., n - 1. */
export function range(n: number): Int32Array {
  const out = new Int32Array(n);
  for (let i = 0; i < n; i++) out[i] = i;
  return out;
}

/** `count` distinct numbers below `n` in random order, in memory of order `count` when that is small. */
export function distinct(source: Source, n: number, count: number): Int32Array {
  if (count * 8 > n) {
    const items = range(n);
    shuffleFront(source, items, count);
    return items.slice(0, count);
  }
  const moved = new Map<number, number>();
  const out = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const j = i + source.below(n - i);
    out[i] = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
  }
  return out;
}

/**
 * Weighted sample without replacement: the `count` smallest exponential clocks of rates `weights`, which is drawing
 * one after another in proportion to the remaining weights (Efraimidis and Spirakis, Inf. Process. Lett. 97, 2006).
 */
export function weightedDistinct(source: Source, weights: Float64Array, count: number): Int32Array {
  const clock = new Float64Array(weights.length);
  for (let i = 0; i < clock.length; i++) clock[i] = weights[i] > 0 ? source.exponential() / weights[i] : Infinity;
  return range(clock.length)
    .sort((a, b) => (clock[a] === clock[b] ? a - b : clock[a] - clock[b]))
    .slice(0, count);
}

/** First position whose running total exceeds `target`, in `totals[start..end)`. */
function search(totals: Float64Array, start: number, end: number, target: number): number {
  let low = start;
  let high = end - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (totals[middle] > target) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Rows of running totals of non-negative weights, from which indices are drawn in proportion. */
export class WeightTable {
  private readonly totals: Float64Array;
  private readonly width: number;

  /** Replaces `weights`, rows of `width`, by their running totals. */
  constructor(operation: string, name: string, weights: Float64Array, width: number) {
    this.totals = weights;
    this.width = width;
    for (let row = 0; row < weights.length; row += width) {
      let total = 0;
      for (let k = row; k < row + width; k++) weights[k] = total += weights[k];
      if (!(total > 0 && total < Infinity)) {
        throw new ValueError(
          `${operation}: the ${name} of row ${row / width} sum to ${total}; at least one must be positive, all finite`,
        );
      }
    }
  }

  draw(source: Source, row: number): number {
    const start = row * this.width;
    const end = start + this.width;
    // A positive target below the total can only stop at an entry that added weight.
    return search(this.totals, start, end, source.uniform() * this.totals[end - 1]) - start;
  }
}

/** What `categorical` draws from: one of the two, with the categories along the last axis. */
export interface CategoricalOptions {
  /** Unnormalised log-probabilities; `-Infinity` excludes a category. */
  logits?: TensorLike;
  /** Probabilities or other non-negative weights; they need not sum to 1. */
  probabilities?: TensorLike;
}

/** Category indices of the given shape, to which the leading axes of the weights broadcast. */
export function categorical(source: Source, shape: Shape, options: CategoricalOptions): Int32Array {
  checkOptions("categorical", options, ["logits", "probabilities"]);
  const { logits, probabilities } = options;
  if ((logits === undefined) === (probabilities === undefined)) {
    throw new ValueError("categorical: give exactly one of logits and probabilities");
  }
  const given = (logits ?? probabilities) as TensorLike;
  const x = isTensor(given) ? given : asTensor(given, "float64");
  const width = x.shape[x.rank - 1];
  if (x.rank === 0 || width === 0) {
    throw new ShapeError(
      `categorical: weights of shape ${formatShape(x.shape)} have no categories along the last axis`,
    );
  }
  const weights = Float64Array.from(castData(x, "float64"));
  if (logits !== undefined) softmaxRows(weights, width);
  else if (weights.some((w) => !(w >= 0 && w < Infinity))) {
    throw new ValueError("categorical: probabilities must be finite and at least 0");
  }
  const table = new WeightTable("categorical", "probabilities", weights, width);
  const out = new Int32Array(sizeOf(shape));
  const batch = x.shape.slice(0, -1);
  if (batch.length === 0) {
    for (let i = 0; i < out.length; i++) out[i] = table.draw(source, 0);
    return out;
  }
  const rows = parameter(
    "categorical",
    "the batch of weights",
    hostTensor(range(sizeOf(batch)), batch, "int32"),
    shape,
  );
  for (let i = 0; i < out.length; i++) out[i] = table.draw(source, rows.values?.[i] ?? rows.constant);
  return out;
}

function softmaxRows(logits: Float64Array, width: number): void {
  for (let row = 0; row < logits.length; row += width) {
    let largest = -Infinity;
    for (let k = row; k < row + width; k++) {
      const value = logits[k];
      if (!(value < Infinity)) throw new ValueError(`categorical: a logit is ${value}; logits must be below Infinity`);
      if (value > largest) largest = value;
    }
    for (let k = row; k < row + width; k++) logits[k] = largest === -Infinity ? 0 : exp(logits[k] - largest);
  }
}

/** Weights of `choice` as numbers of their own, checked. */
export function choiceWeights(weights: TensorLike, n: number): Float64Array {
  const x = isTensor(weights) ? weights : asTensor(weights, "float64");
  if (x.rank !== 1 || x.size !== n) {
    throw new ShapeError(
      `choice: weights have shape ${formatShape(x.shape)}; give one weight for each of the ${n} indices`,
    );
  }
  const values = Float64Array.from(castData(x, "float64"));
  for (const w of values) requireDomain("choice", "a weight", w, nonNegative);
  return values;
}
