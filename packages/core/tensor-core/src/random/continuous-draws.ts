import { checkOptions } from "../check-options.js";
import { asTensor } from "../construct.js";
import { allocate, convert } from "../dtype.js";
import { DTypeError, ShapeError, ValueError } from "../errors.js";
import { formatShape, type Shape, sizeOf } from "../shape.js";
import { hostTensor, isTensor, type Tensor, type TensorLike } from "../tensor.js";
import { orthonormalColumns, sphere } from "./directions.js";
import { log } from "./elementary.js";
import { beta, dirichlet, standardGamma, studentT } from "./gamma.js";
import { keepBelow } from "./interval.js";
import { fillStandardNormal, standardNormal, truncatedStandardNormal } from "./normal.js";
import type { FloatOptions } from "./parameter.js";
import * as check from "./parameter.js";
import { at } from "./parameter.js";
import type { State } from "./seeding.js";
import { Source } from "./source.js";

/** Options of `Rng.uniform`. */
export interface UniformOptions extends FloatOptions {
  /** Lower end, included; default 0. */
  low?: number;
  /** Upper end, excluded; default 1. */
  high?: number;
}

/** Options of `Rng.normal`; both may be tensors that broadcast to the result. */
export interface NormalOptions extends FloatOptions {
  /** Default 0. */
  mean?: TensorLike;
  /** Standard deviation, at least 0; default 1. */
  std?: TensorLike;
}

/** Options of `Rng.truncatedNormal`. */
export interface TruncatedNormalOptions extends FloatOptions {
  /** Mean before truncation; default 0. */
  mean?: TensorLike;
  /** Standard deviation before truncation, above 0; default 1. */
  std?: TensorLike;
  /** Lower bound, in the units of the result; default `mean - 2 std`. May be `-Infinity`. */
  low?: TensorLike;
  /** Upper bound, in the units of the result; default `mean + 2 std`. May be `Infinity`. */
  high?: TensorLike;
}

/** Options of `Rng.gumbel` and `Rng.laplace`. */
export interface LocationScaleOptions extends FloatOptions {
  /** Default 0. */
  location?: TensorLike;
  /** Above 0; default 1. */
  scale?: TensorLike;
}

const LOCATION_SCALE = ["location", "scale", "dtype"];

/** What a generator draws from the real numbers: samples of continuous distributions, as host tensors. */
export class ContinuousDraws {
  /** @internal */
  protected readonly source: Source;

  /** @internal */
  constructor(state: State) {
    this.source = new Source(state);
  }

  /** Numbers uniform on [low, high). */
  uniform(shape: Shape, options: UniformOptions = {}): Tensor {
    checkOptions("uniform", options, ["low", "high", "dtype"]);
    check.requireShape("uniform", shape);
    const dtype = check.floatDType("uniform", options.dtype);
    const { low = 0, high = 1 } = options;
    check.requireDomain("uniform", "low", low, check.finite);
    check.requireDomain("uniform", "high", high, check.finite);
    const width = high - low;
    if (!(width > 0 && width < Infinity)) {
      throw new ValueError(`uniform: low ${low} and high ${high} bound no interval; low must be below high`);
    }
    const out = allocate(dtype, sizeOf(shape));
    const source = this.source;
    for (let i = 0; i < out.length; i++) out[i] = low + width * source.uniform();
    keepBelow(out as Float32Array | Float64Array, high);
    return hostTensor(out, [...shape], dtype);
  }

  /** Normal numbers. */
  normal(shape: Shape, options: NormalOptions = {}): Tensor {
    checkOptions("normal", options, ["mean", "std", "dtype"]);
    check.requireShape("normal", shape);
    const dtype = check.floatDType("normal", options.dtype);
    const mean = check.parameter("normal", "mean", options.mean ?? 0, shape);
    const std = check.parameter("normal", "std", options.std ?? 1, shape, check.nonNegative);
    const out = allocate(dtype, sizeOf(shape));
    const source = this.source;
    if (mean.values === undefined && std.values === undefined) {
      if (mean.constant === 0 && std.constant === 1) fillStandardNormal(source, out as Float32Array | Float64Array);
      else for (let i = 0; i < out.length; i++) out[i] = mean.constant + std.constant * standardNormal(source);
    } else {
      for (let i = 0; i < out.length; i++) out[i] = at(mean, i) + at(std, i) * standardNormal(source);
    }
    return hostTensor(out, [...shape], dtype);
  }

  /**
   * Fills an array with standard normal numbers, those that `normal([array.length])` gives: for parts of a larger array.
   * @throws DTypeError for anything but a `Float32Array` or `Float64Array`.
   */
  fillNormal(array: Float32Array | Float64Array): void {
    if (!(array instanceof Float32Array || array instanceof Float64Array)) {
      throw new DTypeError(
        "fillNormal: array must be a Float32Array or a Float64Array, into which numbers are written",
      );
    }
    fillStandardNormal(this.source, array);
  }

  /** Normal numbers given that they lie in [low, high]; exact even far out in a tail. */
  truncatedNormal(shape: Shape, options: TruncatedNormalOptions = {}): Tensor {
    const name = "truncatedNormal";
    checkOptions(name, options, ["low", "high", "mean", "std", "dtype"]);
    check.requireShape(name, shape);
    const mean = check.parameter(name, "mean", options.mean ?? 0, shape);
    const std = check.parameter(name, "std", options.std ?? 1, shape, check.positive);
    const low = options.low === undefined ? undefined : check.parameter(name, "low", options.low, shape, check.notNaN);
    const high =
      options.high === undefined ? undefined : check.parameter(name, "high", options.high, shape, check.notNaN);
    return this.fill(name, shape, options, (i) => {
      const m = at(mean, i);
      const s = at(std, i);
      const from = low === undefined ? -2 : (at(low, i) - m) / s;
      const to = high === undefined ? 2 : (at(high, i) - m) / s;
      if (!(from < to)) {
        throw new ValueError(
          `${name}: low ${m + s * from} and high ${m + s * to} bound no interval; low must be below high`,
        );
      }
      return m + s * truncatedStandardNormal(this.source, from, to);
    });
  }

  /** Gamma numbers with density proportional to x^(concentration - 1) e^(-rate x); both default to 1. */
  gamma(shape: Shape, options: FloatOptions & { concentration?: TensorLike; rate?: TensorLike } = {}): Tensor {
    checkOptions("gamma", options, ["concentration", "rate", "dtype"]);
    check.requireShape("gamma", shape);
    const a = check.parameter("gamma", "concentration", options.concentration ?? 1, shape, check.positive);
    const rate = check.parameter("gamma", "rate", options.rate ?? 1, shape, check.positive);
    return this.fill("gamma", shape, options, (i) => standardGamma(this.source, at(a, i)) / at(rate, i));
  }

  /** Beta numbers with density proportional to x^(alpha - 1) (1 - x)^(beta - 1). */
  beta(shape: Shape, options: FloatOptions & { alpha: TensorLike; beta: TensorLike }): Tensor {
    check.requireOptions("beta", options, "alpha and beta");
    checkOptions("beta", options, ["alpha", "beta", "dtype"]);
    check.requireShape("beta", shape);
    const a = check.parameter("beta", "alpha", options.alpha, shape, check.positive);
    const b = check.parameter("beta", "beta", options.beta, shape, check.positive);
    return this.fill("beta", shape, options, (i) => beta(this.source, at(a, i), at(b, i)));
  }

  /** Student t numbers; infinite degrees of freedom give normal ones. */
  studentT(shape: Shape, options: LocationScaleOptions & { degreesOfFreedom: TensorLike }): Tensor {
    const name = "studentT";
    check.requireOptions(name, options, "degreesOfFreedom");
    checkOptions(name, options, ["degreesOfFreedom", ...LOCATION_SCALE]);
    check.requireShape(name, shape);
    const nu = check.parameter(name, "degreesOfFreedom", options.degreesOfFreedom, shape, check.positiveOrInfinite);
    return this.locationScale(name, shape, options, (i) => studentT(this.source, at(nu, i)));
  }

  /** Exponential numbers of the given rate (default 1), the inverse of the mean. */
  exponential(shape: Shape, options: FloatOptions & { rate?: TensorLike } = {}): Tensor {
    checkOptions("exponential", options, ["rate", "dtype"]);
    check.requireShape("exponential", shape);
    const rate = check.parameter("exponential", "rate", options.rate ?? 1, shape, check.positive);
    return this.fill("exponential", shape, options, (i) => this.source.exponential() / at(rate, i));
  }

  /** Gumbel numbers (of maxima): cumulative distribution exp(-exp(-(x - location) / scale)). */
  gumbel(shape: Shape, options: LocationScaleOptions = {}): Tensor {
    checkOptions("gumbel", options, LOCATION_SCALE);
    return this.locationScale("gumbel", shape, options, () => -log(this.source.exponential()));
  }

  /** Laplace numbers: density proportional to exp(-|x - location| / scale). */
  laplace(shape: Shape, options: LocationScaleOptions = {}): Tensor {
    checkOptions("laplace", options, LOCATION_SCALE);
    return this.locationScale("laplace", shape, options, () => {
      const sign = this.source.word() < 0 ? -1 : 1;
      return sign * this.source.exponential();
    });
  }

  /**
   * Points of the probability simplex, of shape `[...shape, categories]`.
   * @param options.concentration positive, of shape `[..., categories]`; leading axes broadcast to `shape`.
   */
  dirichlet(shape: Shape, options: FloatOptions & { concentration: TensorLike }): Tensor {
    check.requireOptions("dirichlet", options, "concentration");
    checkOptions("dirichlet", options, ["concentration", "dtype"]);
    check.requireShape("dirichlet", shape);
    const dtype = check.floatDType("dirichlet", options.dtype);
    const given = isTensor(options.concentration) ? options.concentration : asTensor(options.concentration, "float64");
    const width = given.shape[given.rank - 1];
    if (given.rank === 0 || width === 0) {
      throw new ShapeError("dirichlet: concentration must have the categories along its last axis, at least one");
    }
    const full = [...shape, width];
    const alpha = check.parameter("dirichlet", "concentration", given, full, check.positive);
    const values = alpha.values ?? new Float64Array(sizeOf(full)).fill(alpha.constant);
    for (let row = 0; row < values.length; row += width) {
      dirichlet(this.source, values, row, values.subarray(row, row + width));
    }
    return hostTensor(convert(values, dtype), full, dtype);
  }

  /**
   * Haar-distributed matrices of shape `[..., rows, columns]`: orthonormal columns where rows >= columns,
   * orthonormal rows otherwise.
   */
  orthogonal(shape: Shape, options: FloatOptions = {}): Tensor {
    checkOptions("orthogonal", options, ["dtype"]);
    check.requireShape("orthogonal", shape);
    const dtype = check.floatDType("orthogonal", options.dtype);
    if (shape.length < 2) {
      throw new ShapeError(`orthogonal: shape ${formatShape(shape)} is no matrix; give [..., rows, columns]`);
    }
    const [rows, columns] = shape.slice(-2);
    const out = allocate(dtype, sizeOf(shape));
    const size = rows * columns;
    for (let offset = 0; offset < out.length; offset += size) {
      const tall = rows >= columns;
      const q = orthonormalColumns(this.source, tall ? rows : columns, tall ? columns : rows);
      if (!tall) out.set(q, offset);
      else
        for (let j = 0; j < columns; j++)
          for (let i = 0; i < rows; i++) out[offset + i * columns + j] = q[j * rows + i];
    }
    return hostTensor(out, [...shape], dtype);
  }

  /** Points uniform on the unit sphere, with the coordinates along the last axis of `shape`. */
  sphere(shape: Shape, options: FloatOptions = {}): Tensor {
    checkOptions("sphere", options, ["dtype"]);
    check.requireShape("sphere", shape);
    const dtype = check.floatDType("sphere", options.dtype);
    if (shape.length === 0) throw new ShapeError("sphere: shape [] has no coordinates; give [..., dimension]");
    const values = new Float64Array(sizeOf(shape));
    sphere(this.source, values, shape[shape.length - 1]);
    return hostTensor(convert(values, dtype), [...shape], dtype);
  }

  /** @internal */
  protected fill(name: string, shape: Shape, options: FloatOptions, draw: (i: number) => number): Tensor {
    const dtype = check.floatDType(name, options.dtype);
    const out = allocate(dtype, sizeOf(shape));
    for (let i = 0; i < out.length; i++) out[i] = draw(i);
    return hostTensor(out, [...shape], dtype);
  }

  private locationScale(
    name: string,
    shape: Shape,
    options: LocationScaleOptions,
    draw: (i: number) => number,
  ): Tensor {
    check.requireShape(name, shape);
    const location = check.parameter(name, "location", options.location ?? 0, shape);
    const scale = check.parameter(name, "scale", options.scale ?? 1, shape, check.positive);
    return this.fill(name, shape, options, (i) => at(location, i) + at(scale, i) * draw(i));
  }
}
