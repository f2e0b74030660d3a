import {
  checkOptions,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  ShapeError,
  type Tensor,
  type TensorLike,
  UnsupportedError,
} from "@offprint/tensor-core";
import { productOf } from "./mode-product.js";
import { addMode, ModeTable, signOf } from "./mode-table.js";
import {
  chosenModes,
  frequenciesOf,
  type Modes,
  type OrderedModes,
  orderedModes,
  sizesOf,
  sumOfModes,
} from "./modes.js";
import { type Cosine, cosinesAt, type RealForm } from "./real-form.js";
import { dimensionOf, frequencyOf } from "./require-frequency.js";
import { requireNumber } from "./require-number.js";

/** A function as plain data, which `tree.toJson` keeps bit for bit. */
export interface ModesData extends Modes {
  /** d. */
  readonly dimension: number;
  /** P. */
  readonly period: number;
  /** The mean. */
  readonly constant: number;
}

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
  readonly #modes: Modes;
  #frequencies: Float64Array | undefined;
  #largestFirst: OrderedModes | undefined;

  private constructor(modesData: ModesData, lost = 0, reach = 0) {
    requireObject("SparseFourier", "modesData", modesData, "a ModesData");
    const { dimension, period, constant, k, re, im } = modesData;
    this.dimension = dimension;
    this.period = period;
    this.constant = constant;
    this.#modes = { k, re, im };
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
    requireObject(owner, "terms", terms, "an array of { k, a, theta }");
    checkOptions(owner, options, ["dimension", "constant", "period"]);
    const { constant = 0, period = 1 } = options;
    const dimension = dimensionOf(owner, "terms", terms, options.dimension);
    requireNumber(owner, "constant", constant);
    requirePositive(owner, "period", period);
    const table = new ModeTable(dimension);
    let mean = constant;
    for (const [j, term] of terms.entries()) {
      checkOptions(`${owner}: terms[${j}]`, term, ["k", "a", "theta"]);
      const { k, a, theta = 0 } = term;
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
    return { dimension, period, constant, ...this.#modes };
  }

  /** Frequencies with a coefficient, both k and -k, and 0 where the mean is not 0. */
  get modes(): number {
    return 2 * this.#modes.re.length + (this.constant === 0 ? 0 : 1);
  }

  /** The highest `|omega|` of the support: 0 for a constant. */
  get bandLimit(): number {
    return this.#omega().reduce((most, omega) => Math.max(most, omega), 0);
  }

  /** `sum factor * u`, of functions of the same dimension and period, at once. */
  static sum(terms: readonly { readonly u: SparseFourier; readonly factor?: number }[]): SparseFourier {
    const [{ u: first }] = terms;
    let [constant, lost, reach] = [0, 0, 0];
    for (const { u, factor = 1 } of terms) {
      first.#requireSame("sum", u);
      requireNumber("SparseFourier.sum", "factor", factor);
      constant += factor * u.constant;
      lost += Math.abs(factor) * u.lost;
      reach = Math.max(reach, u.#reach);
    }
    const { dimension, period } = first;
    const parts = terms.map(({ u, factor = 1 }) => ({ modes: u.#modes, factor }));
    return new SparseFourier({ dimension, period, constant, ...sumOfModes(dimension, parts) }, lost, reach);
  }

  /** `u + v`. */
  add(other: SparseFourier): SparseFourier {
    this.#requireSame("add", other);
    return SparseFourier.sum([{ u: this }, { u: other }]);
  }

  /** `u - v`. */
  subtract(other: SparseFourier): SparseFourier {
    this.#requireSame("subtract", other);
    return SparseFourier.sum([{ u: this }, { u: other, factor: -1 }]);
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
    const { dimension, period } = this;
    const factor = (u: SparseFourier) => ({ constant: u.constant, modes: u.#ordered() });
    const { constant, modes, dropped } = productOf(factor(this), factor(other), dimension, tolerance);
    const lost = dropped + this.lost * (other.wiener() + other.lost) + this.wiener() * other.lost;
    const reach = Math.max(this.bandLimit, this.#reach) + Math.max(other.bandLimit, other.#reach);
    return new SparseFourier({ dimension, period, constant, ...modes }, lost, reach);
  }

  /** The derivative along a coordinate. */
  derivative(axis: number): SparseFourier {
    requireInteger("SparseFourier.derivative", "axis", axis, 0, this.dimension - 1);
    const { dimension, period } = this;
    const { k, re } = this.#modes;
    const kept: number[] = [];
    for (let j = 0; j < re.length; j++) if (k[j * dimension + axis] !== 0) kept.push(j);
    const chosen = kept.length === re.length ? this.#modes : chosenModes(this.#modes, dimension, kept);
    const factor = (2 * Math.PI) / period;
    const [real, imaginary] = [new Float64Array(kept.length), new Float64Array(kept.length)];
    for (let j = 0; j < kept.length; j++) {
      const omega = factor * chosen.k[j * dimension + axis];
      real[j] = -omega * chosen.im[j];
      imaginary[j] = omega * chosen.re[j];
    }
    const modes = { k: chosen.k, re: real, im: imaginary };
    return new SparseFourier({ dimension, period, constant: 0, ...modes }, this.lost * this.#reach, this.#reach);
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
    for (const [j, size] of sizesOf(this.#modes).entries()) (size > tolerance ? kept : left).push(j);
    const constant = Math.abs(this.constant) > tolerance ? this.constant : 0;
    const away = this.#pick(left, this.constant - constant);
    return { u: this.#pick(kept, constant, this.lost), removedBarron: away.barron(), removedH1: away.h1() };
  }

  /** The largest coefficients whose removal would change the L2 norm by `mass` or more: the others are left out. */
  withoutSmallest(mass: number): SparseFourier {
    requireNonNegative("SparseFourier.withoutSmallest", "mass", mass);
    const { size, places } = this.#ordered();
    let squares = 0;
    let count = places.length;
    while (count > 0 && squares + 2 * size[count - 1] ** 2 < mass ** 2) squares += 2 * size[--count] ** 2;
    return this.#pick(places.slice(0, count), this.constant, this.lost);
  }

  /** `sum (1 + |omega|)^s |c_k|`; s = 1 is the Barron norm. */
  barron(s = 1): number {
    requireNumber("SparseFourier.barron", "s", s);
    const sizes = sizesOf(this.#modes);
    let sum = Math.abs(this.constant);
    if (s === 0) {
      for (const size of sizes) sum += 2 * size;
      return sum;
    }
    const omega = this.#omega();
    for (let j = 0; j < sizes.length; j++) sum += 2 * (1 + omega[j]) ** s * sizes[j];
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
    const { re, im } = this.#modes;
    return Math.sqrt(
      re.reduce((sum, each, j) => sum + 2 * (1 + omega[j] ** 2) * (each ** 2 + im[j] ** 2), this.constant ** 2),
    );
  }

  /** The mean of `u v` over a period. */
  inner(other: SparseFourier): number {
    this.#requireSame("inner", other);
    const [own, others] = [this.#modes, other.#modes];
    const start = this.constant * other.constant;
    if (other === this) return own.re.reduce((sum, re, j) => sum + 2 * (re ** 2 + own.im[j] ** 2), start);
    const d = this.dimension;
    const key = ({ k }: Modes, j: number) => k.subarray(j * d, (j + 1) * d).join();
    // The smaller one is kept at hand.
    const [few, many] = own.re.length < others.re.length ? [own, others] : [others, own];
    const places = new Map(Array.from(few.re, (_, j) => [key(few, j), j]));
    return many.re.reduce((sum, re, j) => {
      const at = places.get(key(many, j));
      return at === undefined ? sum : sum + 2 * (few.re[at] * re + few.im[at] * many.im[j]);
    }, start);
  }

  /** `c_0 + sum a_j cos(2 pi k_j.x / P + theta_j)`. */
  realForm(): RealForm {
    const { k, re, im } = this.#modes;
    const a = sizesOf(this.#modes).map((size) => 2 * size);
    return { constant: this.constant, a, theta: re.map((each, j) => Math.atan2(im[j], each)), k };
  }

  /**
   * Values at points.
   *
   * @param x `[m, d]`, or `[d]` for one point
   * @returns `[m]`, or a number as a tensor
   */
  evaluate(x: TensorLike): Tensor {
    return cosinesAt("SparseFourier.evaluate", this.realForm(), this.dimension, this.period, x);
  }

  #omega(): Float64Array {
    this.#frequencies ??= frequenciesOf(this.#modes, this.dimension, this.period);
    return this.#frequencies;
  }

  #ordered(): OrderedModes {
    this.#largestFirst ??= orderedModes(this.#modes, this.dimension);
    return this.#largestFirst;
  }

  #pick(places: ArrayLike<number>, constant: number, lost = 0): SparseFourier {
    const { dimension, period } = this;
    return new SparseFourier(
      { dimension, period, constant, ...chosenModes(this.#modes, dimension, places) },
      lost,
      this.#reach,
    );
  }

  #map(constant: number, factor: (j: number) => number, lost: number): SparseFourier {
    const { dimension, period } = this;
    const { k, re, im } = this.#modes;
    const [real, imaginary] = [new Float64Array(re.length), new Float64Array(re.length)];
    for (let j = 0; j < re.length; j++) {
      const each = factor(j);
      real[j] = each * re[j];
      imaginary[j] = each * im[j];
    }
    const data = { dimension, period, constant: constant * this.constant, k, re: real, im: imaginary };
    return new SparseFourier(data, lost * this.lost, this.#reach);
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
