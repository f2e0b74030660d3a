import {
  checkOptions,
  fft,
  requireFinite,
  requireNonNegative,
  requireObject,
  requirePositive,
  ShapeError,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { addMode, ModeTable, signOf } from "./mode-table.js";
import { dimensionOf, frequencyOf } from "./require-frequency.js";
import { requireNumber } from "./require-number.js";
import { SparseFourier } from "./sparse-fourier.js";

/** A frequency with its complex coefficient. */
export interface Mode {
  /** d integers. */
  readonly k: readonly number[];
  /** Real part of c_k. */
  readonly re: number;
  /** Imaginary part. Default 0. */
  readonly im?: number;
}

/**
 * A function from all its complex coefficients, both of k and of -k.
 *
 * @param options `dimension`, where there is no mode; `period`, 1 unless given
 * @throws ValueError where the coefficient of -k is not the conjugate: the function would not be real
 */
export function fromModes(
  modes: readonly Mode[],
  options: { readonly dimension?: number; readonly period?: number } = {},
): SparseFourier {
  requireObject("fromModes", "modes", modes, "an array");
  const owner = "fromModes";
  checkOptions(owner, options, ["dimension", "period"]);
  const { period = 1 } = options;
  const dimension = dimensionOf(owner, "modes", modes, options.dimension);
  requirePositive(owner, "period", period);
  const halves = [new ModeTable(dimension), new ModeTable(dimension)];
  let [constant, imaginary] = [0, 0];
  for (const [j, { k, re, im = 0 }] of modes.entries()) {
    const from = frequencyOf(owner, `modes[${j}].k`, k, dimension);
    requireNumber(owner, `modes[${j}].re`, re);
    requireNumber(owner, `modes[${j}].im`, im);
    const sign = signOf(from, 0, from, 0, 0, dimension);
    if (sign === 0) [constant, imaginary] = [constant + re, imaginary + im];
    else addMode(halves[sign > 0 ? 0 : 1], from, 0, dimension, sign, re, im);
  }
  const [u, mirror] = halves.map((table) => SparseFourier.fromData({ dimension, period, constant, ...table.modes() }));
  const size = Math.max(u.wiener(), mirror.wiener());
  if (Math.abs(imaginary) + u.subtract(mirror).wiener() > 1e-12 * size) {
    throw new ValueError(
      `${owner}: the function is not real: the coefficient of -k must be the conjugate of that of k; give both`,
    );
  }
  return u;
}

/**
 * A function from values on a regular grid of `[n, ...]` points a period, the first at 0, in up to three coordinates. An
 * axis of an even number of points cannot tell the sine of its highest frequency.
 *
 * @param options `period`, 1 unless given; `tolerance`: coefficients up to this are left out, 1e-12 of the largest unless given
 * @throws ShapeError for more axes; ValueError for values that are not finite
 */
export function fromSamples(
  samples: TensorLike,
  options: { readonly period?: number; readonly tolerance?: number } = {},
): SparseFourier {
  const owner = "fromSamples";
  checkOptions(owner, options, ["period", "tolerance"]);
  const values = tensor(samples, { dtype: "float64" });
  const { shape } = values;
  const dimension = shape.length;
  if (dimension < 1 || dimension > 3) {
    throw new ShapeError(`${owner}: samples is [${shape}]; a grid has 1 to 3 axes: give cosines for more coordinates`);
  }
  if (values.size === 0) throw new ShapeError(`${owner}: samples is [${shape}] and holds nothing; give values`);
  requireFinite(owner, "samples", values);
  const { period = 1 } = options;
  requirePositive(owner, "period", period);
  const transformed = fft.fftn(values);
  const [re, im] = [transformed.re.data(), transformed.im.data()].map((each) =>
    Float64Array.from(each, (c) => c / values.size),
  );
  const largest = re.reduce((most, c, j) => Math.max(most, Math.hypot(c, im[j])), 0);
  const { tolerance = 1e-12 * largest } = options;
  requireNonNegative(owner, "tolerance", tolerance);
  const table = new ModeTable(dimension);
  const k = new Int32Array(dimension);
  for (let j = 1; j < re.length; j++) {
    if (Math.hypot(re[j], im[j]) <= tolerance) continue;
    for (let axis = dimension - 1, rest = j; axis >= 0; axis--) {
      const n = shape[axis];
      k[axis] = rest % n > n / 2 ? (rest % n) - n : rest % n;
      rest = Math.floor(rest / n);
    }
    // Half comes from k, half from -k; the highest frequency of an axis of an even number stands for both.
    addMode(table, k, 0, dimension, signOf(k, 0, k, 0, 0, dimension), re[j] / 2, im[j] / 2);
  }
  return SparseFourier.fromData({ dimension, period, constant: re[0], ...table.modes() });
}
