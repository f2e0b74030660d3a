import { type DType, type Tensor, tensor } from "../index.js";

/** A small seeded generator of uniform numbers (splitmix32). */
export class Source {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296;
  }

  /** Uniform in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** An integer from `low` to `high - 1`. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low));
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length)];
  }

  /** Brings the items into random order, in place. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(0, i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }
}

/** How the values of one input are drawn. */
export interface InputSpec {
  /** Shape of one operand. */
  readonly shape: readonly number[];
  /** Element type of the operand. */
  readonly dtype: DType;
  /** Draws `size` values. */
  draw(source: Source, size: number): number[];
}

const repeat = (size: number, draw: () => number) => Array.from({ length: size }, draw);

/** Uniform floats. */
export const uniform = (shape: readonly number[], low = -2, high = 2): InputSpec => ({
  shape,
  dtype: "float64",
  draw: (source, size) => repeat(size, () => source.uniform(low, high)),
});

/** Floats whose distance from the nearest multiple of `spacing` is at least a tenth of it. */
export const betweenMultiples = (shape: readonly number[], spacing: number, low: number, high: number): InputSpec => ({
  shape,
  dtype: "float64",
  draw: (source, size) => repeat(size, () => spacing * (source.integer(low, high) + source.uniform(0.1, 0.9))),
});

/** Floats of either sign, away from 0. */
export const awayFromZero = (shape: readonly number[], low = 0.2, high = 2): InputSpec => ({
  shape,
  dtype: "float64",
  draw: (source, size) => repeat(size, () => source.uniform(low, high) * (source.next() < 0.5 ? -1 : 1)),
});

/** Floats no two of which are close. */
export const distinct = (shape: readonly number[]): InputSpec => ({
  shape,
  dtype: "float64",
  draw: (source, size) =>
    source
      .shuffle(Array.from({ length: size }, (_, i) => i))
      .map((i) => 0.4 * (i - size / 2) + source.uniform(-0.1, 0.1)),
});

/** Integers from `low` to `high - 1`; int32 unless told otherwise. */
export const integers = (shape: readonly number[], low: number, high: number, dtype: DType = "int32"): InputSpec => ({
  shape,
  dtype,
  draw: (source, size) => repeat(size, () => source.integer(low, high)),
});

export const booleans = (shape: readonly number[]): InputSpec => integers(shape, 0, 2, "bool");

/** A tensor drawn by `spec`; with a batch, `batch` of them along a new first axis. */
export function sample(spec: InputSpec, source: Source, batch?: number): Tensor {
  const size = spec.shape.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: batch ?? 1 }, () => spec.draw(source, size)).flat();
  const shape = batch === undefined ? spec.shape : [batch, ...spec.shape];
  return tensor(Float64Array.from(values), { dtype: spec.dtype, shape });
}
