import {
  add,
  cos,
  hostTensor,
  jitSync,
  matmul,
  requireInteger,
  requireNonNegative,
  requirePositive,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  UnsupportedError,
} from "@offprint/tensor-core";
import { addMode, hashOf, ModeTable, signOf } from "./mode-table.js";
import { requireNumber } from "./require-number.js";
import { TooManyModesError } from "./too-many-modes-error.js";

/** `a cos(2 pi k.x / P + theta)`. */
export interface Cosine {
  /** Frequency, d integers. */
  readonly k: readonly number[];
  /** Amplitude. */
  readonly a: number;
  /** Phase in radians. Default 0. */
  readonly theta?: number;
}

/** A function as plain data, which `tree.toJson` keeps bit for bit. */
export interface ModesData {
  /** d. */
  readonly dimension: number;
  /** P. */
  readonly period: number;
  /** The mean. */
  readonly constant: number;
  /** `[m, d]` frequencies whose first entry that is not 0 is positive. */
  readonly k: Int32Array;
  /** `[m]` real parts of their coefficients. */
  readonly re: Float64Array;
  /** `[m]` imaginary parts. */
  readonly im: Float64Array;
}

/** A function as a sum of cosines. */
export interface RealForm {
  /** The mean. */
  readonly constant: number;
  /** `[m]` amplitudes, > 0. */
  readonly a: Float64Array;
  /** `[m]` phases in radians. */
  readonly theta: Float64Array;
  /** `[m, d]` frequencies. */
  readonly k: Int32Array;
}

/** Products with more modes are refused. */
const mostModes = 200_000;

/**
 * A real function of period P in every one of d coordinates with few frequencies, `u(x) = sum_k c_k exp(2 pi i k.x / P)`.
 * Of each pair k, -k one coefficient is stored. Values do not change: operations give new ones.
 */
export class SparseFourier {
  /** d. */
  readonly dimension: number;
  /** P. */
  readonly period: number;
  /** The mean, c_0. */
  readonly constant: number;
  /** What was left out where products were cut: at most this in the Wiener norm. */
  readonly lost: number;
  /** No frequency of what was left out is higher. */
  readonly #reach: number;
  readonly #k: Int32Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  #frequencies: Float64Array | undefined;

  private constructor({ dimension, period, constant, k, re, im }: ModesData, lost = 0, reach = 0) {
    this.dimension = dimension;
    this.period = period;
    this.constant = constant;
    this.#k = k;
    this.#re = re;
    this.#im = im;
    this.lost = lost;
    this.#reach = reach;
  }

  /**
   * A sum of cosines; terms of one frequency are added up.
   *
   * @param terms of d integers each
   * @param options `dimension` where there is no term; `constant`, 0 unless given; `period`, 1 unless given
   * @throws ValueError, ShapeError for what is no such sum
   */
  static cosines(
    terms: readonly Cosine[],
    options: { readonly dimension?: number; readonly constant?: number; readonly period?: number } = {},
  ): SparseFourier {
    const owner = "SparseFourier.cosines";
    const { constant = 0, period = 1 } = options;
    const dimension = options.dimension ?? terms[0]?.k?.length ?? 0;
    requireInteger(owner, "dimension", dimension, 1);
    requireNumber(owner, "constant", constant);
    requirePositive(owner, "period", period);
    const table = new ModeTable(dimension);
    let mean = constant;
    for (const [j, { k, a, theta = 0 }] of terms.entries()) {
      const from = frequencyOf(owner, `terms[${j}].k`, k, dimension);
      requireNumber(owner, `terms[${j}].a`, a);
      requireNumber(owner, `terms[${j}].theta`, theta);
      const sign = signOf(from, 0, from, 0, 0, dimension);
      if (sign === 0) mean += a * Math.cos(theta);
      else addMode(table, from, 0, dimension, sign, (a / 2) * Math.cos(theta), (a / 2) * Math.sin(theta));
    }
    return new SparseFourier({ dimension, period, constant: mean, ...table.modes() });
  }

  /** The same value everywhere. */
  static constant(dimension: number, value: number, period = 1): SparseFourier {
    return SparseFourier.cosines([], { dimension, constant: value, period });
  }

  /** From what `toData` gave. */
  static fromData(data: ModesData): SparseFourier {
    return new SparseFourier(data);
  }

  /** As plain data. */
  toData(): ModesData {
    const { dimension, period, constant } = this;
    return { dimension, period, constant, k: this.#k, re: this.#re, im: this.#im };
  }

  /** Frequencies with a coefficient, both k and -k, and 0 where the mean is not 0. */
  get modes(): number {
    return 2 * this.#re.length + (this.constant === 0 ? 0 : 1);
  }

  /** The highest `|omega|` of the support: 0 for a constant. */
  get bandLimit(): number {
    return this.#omega().reduce((most, omega) => Math.max(most, omega), 0);
  }

  /** `u + v`. */
  add(other: SparseFourier): SparseFourier {
    return this.#combine(other, 1);
  }

  /** `u - v`. */
  subtract(other: SparseFourier): SparseFourier {
    return this.#combine(other, -1);
  }

  /** `s u`. */
  scale(s: number): SparseFourier {
    requireNumber("SparseFourier.scale", "s", s);
    return this.#map(s, () => s, Math.abs(s));
  }

  /**
   * `u v`. Single terms below `tolerance` may be left out; `lost` grows by no less than their Wiener norm.
   *
   * @throws TooManyModesError beyond 200 000 modes
   */
  multiply(other: SparseFourier, tolerance = 0): SparseFourier {
    this.#requireSame("multiply", other);
    requireNonNegative("SparseFourier.multiply", "tolerance", tolerance);
    const d = this.dimension;
    const table = new ModeTable(d);
    const [u, v] = [this.#sorted(), other.#sorted()];
    let constant = this.constant * other.constant;
    let dropped = 0;
    const none = new Int32Array(d);
    const single = (from: typeof u, scale: number) => {
      if (scale === 0) return;
      for (let i = 0; i < from.re.length; i++) {
        table.add(from.hash[i], from.k, i * d, none, 0, 0, 1, scale * from.re[i], scale * from.im[i]);
      }
    };
    single(u, other.constant);
    single(v, this.constant);
    for (let i = 0; i < u.re.length; i++) {
      const [re, im, size] = [u.re[i], u.im[i], u.size[i]];
      for (let j = 0; j < v.re.length; j++) {
        if (size * v.size[j] < tolerance) {
          // Two pairs of conjugate terms for each.
          dropped += 4 * size * v.rest[j];
          break;
        }
        const [a, b] = [v.re[j], v.im[j]];
        // c_k d_l at k + l, which is positive as both are, and c_k conj(d_l) at k - l.
        table.add((u.hash[i] + v.hash[j]) | 0, u.k, i * d, v.k, j * d, 1, 1, re * a - im * b, re * b + im * a);
        const sign = signOf(u.k, i * d, v.k, j * d, -1, d);
        const [real, imaginary] = [re * a + im * b, im * a - re * b];
        if (sign === 0) constant += 2 * real;
        else table.add((u.hash[i] - v.hash[j]) | 0, u.k, i * d, v.k, j * d, -1, sign, real, imaginary);
      }
      if (2 * table.count > mostModes) throw new TooManyModesError(mostModes);
    }
    const lost = dropped + this.lost * (other.wiener() + other.lost) + this.wiener() * other.lost;
    const reach = Math.max(this.bandLimit, this.#reach) + Math.max(other.bandLimit, other.#reach);
    return new SparseFourier({ dimension: d, period: this.period, constant, ...table.modes() }, lost, reach);
  }

  /** The derivative along a coordinate. */
  derivative(axis: number): SparseFourier {
    requireInteger("SparseFourier.derivative", "axis", axis, 0, this.dimension - 1);
    const factor = (2 * Math.PI) / this.period;
    const d = this.dimension;
    const kept: number[] = [];
    for (let j = 0; j < this.#re.length; j++) if (this.#k[j * d + axis] !== 0) kept.push(j);
    const omega = (j: number) => factor * this.#k[j * d + axis];
    return new SparseFourier(
      {
        dimension: d,
        period: this.period,
        constant: 0,
        k: this.#select(kept),
        re: Float64Array.from(kept, (j) => -omega(j) * this.#im[j]),
        im: Float64Array.from(kept, (j) => omega(j) * this.#re[j]),
      },
      this.lost * this.#reach,
      this.#reach,
    );
  }

  /** The derivatives along all coordinates. */
  gradient(): SparseFourier[] {
    return Array.from({ length: this.dimension }, (_, axis) => this.derivative(axis));
  }

  /** `G u = (1 - Laplacian)^-1 u`. */
  precondition(): SparseFourier {
    const omega = this.#omega();
    return this.#map(1, (j) => 1 / (1 + omega[j] ** 2), 1);
  }

  /** Without coefficients of at most `tolerance`, and what was taken away in both norms. */
  prune(tolerance: number): { u: SparseFourier; removedBarron: number; removedH1: number } {
    requireNonNegative("SparseFourier.prune", "tolerance", tolerance);
    const kept: number[] = [];
    const left: number[] = [];
    for (let j = 0; j < this.#re.length; j++) {
      (Math.hypot(this.#re[j], this.#im[j]) > tolerance ? kept : left).push(j);
    }
    const constant = Math.abs(this.constant) > tolerance ? this.constant : 0;
    const away = this.#pick(left, this.constant - constant);
    return { u: this.#pick(kept, constant, this.lost), removedBarron: away.barron(), removedH1: away.h1() };
  }

  /** The largest coefficients whose removal would change the L2 norm by `mass` or more: the others are left out. */
  withoutSmallest(mass: number): SparseFourier {
    requireNonNegative("SparseFourier.withoutSmallest", "mass", mass);
    const { size } = this.#sorted();
    const order = this.#order();
    let squares = 0;
    let count = order.length;
    while (count > 0 && squares + 2 * size[count - 1] ** 2 < mass ** 2) squares += 2 * size[--count] ** 2;
    return this.#pick(order.slice(0, count), this.constant, this.lost);
  }

  /** `sum (1 + |omega|)^s |c_k|`; s = 1 is the Barron norm. */
  barron(s = 1): number {
    const omega = this.#omega();
    let sum = Math.abs(this.constant);
    for (let j = 0; j < omega.length; j++) sum += 2 * (1 + omega[j]) ** s * Math.hypot(this.#re[j], this.#im[j]);
    return sum;
  }

  /** `sum |c_k|`, which bounds |u|. */
  wiener(): number {
    return this.barron(0);
  }

  /** The L2 norm, as a mean over a period. */
  l2(): number {
    return Math.sqrt(this.inner(this));
  }

  /** The H1 norm: `sum (1 + |omega|^2) |c_k|^2`, its root. */
  h1(): number {
    const omega = this.#omega();
    let sum = this.constant ** 2;
    for (let j = 0; j < omega.length; j++) sum += 2 * (1 + omega[j] ** 2) * (this.#re[j] ** 2 + this.#im[j] ** 2);
    return Math.sqrt(sum);
  }

  /** The mean of `u v` over a period. */
  inner(other: SparseFourier): number {
    this.#requireSame("inner", other);
    if (other === this) {
      return this.#re.reduce((sum, re, j) => sum + 2 * (re ** 2 + this.#im[j] ** 2), this.constant ** 2);
    }
    const d = this.dimension;
    const places = new Map<string, number>();
    for (let j = 0; j < this.#re.length; j++) places.set(this.#k.subarray(j * d, (j + 1) * d).join(), j);
    let sum = this.constant * other.constant;
    for (let j = 0; j < other.#re.length; j++) {
      const at = places.get(other.#k.subarray(j * d, (j + 1) * d).join());
      if (at !== undefined) sum += 2 * (this.#re[at] * other.#re[j] + this.#im[at] * other.#im[j]);
    }
    return sum;
  }

  /** `c_0 + sum a_j cos(2 pi k_j.x / P + theta_j)`. */
  realForm(): RealForm {
    return {
      constant: this.constant,
      a: this.#re.map((re, j) => 2 * Math.hypot(re, this.#im[j])),
      theta: this.#re.map((re, j) => Math.atan2(this.#im[j], re)),
      k: this.#k,
    };
  }

  /**
   * Values at points.
   *
   * @param x `[m, d]`, or `[d]` for one point
   * @returns `[m]`, or a number as a tensor
   */
  evaluate(x: TensorLike): Tensor {
    const owner = "SparseFourier.evaluate";
    const points = tensor(x, { dtype: "float64" });
    const one = points.shape.length === 1;
    const { shape } = points;
    if (shape.length < 1 || shape.length > 2 || shape.at(-1) !== this.dimension) {
      throw new ShapeError(`${owner}: x is [${shape}]; give points [m, ${this.dimension}]`);
    }
    const { constant, a, theta, k } = this.realForm();
    if (a.length === 0)
      return tensor(new Float64Array(one ? 1 : shape[0]).fill(constant), { shape: one ? [] : [shape[0]] });
    const weights = Float64Array.from(k, (entry) => (2 * Math.PI * entry) / this.period);
    const values = cosineSum(
      one ? points.reshape([1, this.dimension]) : points,
      hostTensor(weights, [a.length, this.dimension], "float64"),
      hostTensor(theta, [a.length], "float64"),
      hostTensor(a, [a.length], "float64"),
      constant,
    );
    return one ? values.reshape([]) : values;
  }

  #omega(): Float64Array {
    if (this.#frequencies === undefined) {
      const d = this.dimension;
      const factor = (2 * Math.PI) / this.period;
      this.#frequencies = this.#re.map((_, j) => {
        let squares = 0;
        for (let i = 0; i < d; i++) squares += this.#k[j * d + i] ** 2;
        return factor * Math.sqrt(squares);
      });
    }
    return this.#frequencies;
  }

  /** Places of the modes, largest first. */
  #order(): number[] {
    const size = this.#re.map((re, j) => Math.hypot(re, this.#im[j]));
    return Array.from(size.keys()).sort((i, j) => size[j] - size[i]);
  }

  #sorted() {
    const d = this.dimension;
    const order = this.#order();
    const k = this.#select(order);
    const size = Float64Array.from(order, (j) => Math.hypot(this.#re[j], this.#im[j]));
    const rest = size.slice();
    for (let i = rest.length - 2; i >= 0; i--) rest[i] += rest[i + 1];
    const hash = Int32Array.from(order, (_, i) => hashOf(k, i * d, d));
    const pick = (values: Float64Array) => Float64Array.from(order, (j) => values[j]);
    return { k, hash, size, rest, re: pick(this.#re), im: pick(this.#im) };
  }

  #select(places: readonly number[]): Int32Array {
    const d = this.dimension;
    const k = new Int32Array(places.length * d);
    for (const [i, j] of places.entries()) k.set(this.#k.subarray(j * d, (j + 1) * d), i * d);
    return k;
  }

  #pick(places: readonly number[], constant: number, lost = 0): SparseFourier {
    const { dimension, period } = this;
    const pick = (values: Float64Array) => Float64Array.from(places, (j) => values[j]);
    const k = this.#select(places);
    return new SparseFourier(
      { dimension, period, constant, k, re: pick(this.#re), im: pick(this.#im) },
      lost,
      this.#reach,
    );
  }

  #map(constant: number, factor: (j: number) => number, lost: number): SparseFourier {
    const { dimension, period } = this;
    return new SparseFourier(
      {
        dimension,
        period,
        constant: constant * this.constant,
        k: this.#k,
        re: this.#re.map((re, j) => factor(j) * re),
        im: this.#im.map((im, j) => factor(j) * im),
      },
      lost * this.lost,
      this.#reach,
    );
  }

  #combine(other: SparseFourier, scale: number): SparseFourier {
    this.#requireSame(scale === 1 ? "add" : "subtract", other);
    const { dimension, period } = this;
    const table = new ModeTable(dimension);
    for (const [each, factor] of [
      [this, 1],
      [other, scale],
    ] as const) {
      for (let j = 0; j < each.#re.length; j++) {
        addMode(table, each.#k, j * dimension, dimension, 1, factor * each.#re[j], factor * each.#im[j]);
      }
    }
    const constant = this.constant + scale * other.constant;
    return new SparseFourier(
      { dimension, period, constant, ...table.modes() },
      this.lost + other.lost,
      Math.max(this.#reach, other.#reach),
    );
  }

  #requireSame(operation: string, other: SparseFourier): void {
    if (!(other instanceof SparseFourier)) {
      throw new UnsupportedError(`SparseFourier.${operation}: the other is no SparseFourier; make one with cosines`);
    }
    if (other.dimension !== this.dimension || other.period !== this.period) {
      throw new ShapeError(
        `SparseFourier.${operation}: one function has ${this.dimension} coordinates of period ${this.period}, ` +
          `the other ${other.dimension} of period ${other.period}; give both the same`,
      );
    }
  }
}

const cosineSum = jitSync((x: Tensor, weights: Tensor, theta: Tensor, a: Tensor, constant: number) =>
  add(matmul(cos(add(matmul(x, weights.transpose()), theta)), a), constant),
);

/** A frequency as integers; `name` is for the error. */
export function frequencyOf(owner: string, name: string, k: readonly number[], dimension: number): Int32Array {
  if (k?.length !== dimension || !Array.from(k).every(Number.isSafeInteger)) {
    throw new ShapeError(`${owner}: ${name} is [${k}]; a frequency is ${dimension} integers`);
  }
  return Int32Array.from(k);
}
