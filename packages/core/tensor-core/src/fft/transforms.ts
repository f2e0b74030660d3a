import { type Axes, axisOptions } from "../axes.js";
import { checkOptions } from "../check-options.js";
import { zerosLike } from "../construct.js";
import { DTypeError, ShapeError, ValueError } from "../errors.js";
import { mul } from "../ops/elementwise.js";
import { broadcastTo, pad, slice } from "../ops/movement.js";
import { asFloat, promoteOperands } from "../ops/operands.js";
import { bind } from "../primitive.js";
import { broadcastShapes, formatShape, normalizeAxis } from "../shape.js";
import { isTensor, type Tensor, type TensorLike } from "../tensor.js";
import { halfLength } from "./axis.js";
import { fftP, irfftP, rfftP } from "./primitive.js";

/** Complex numbers as two real tensors of one shape. */
export interface Complex {
  /** Real parts, float32 or float64. */
  readonly re: Tensor;
  /** Imaginary parts, of the same shape and dtype. */
  readonly im: Tensor;
}

/** Complex numbers in parts, or a real tensor. */
export type ComplexLike = TensorLike | { readonly re: TensorLike; readonly im: TensorLike };

/**
 * Where the factor goes: "backward" (the default) divides the inverse transform by n, "ortho" both by the root of n,
 * "forward" the forward transform by n.
 */
export type FftNorm = "backward" | "ortho" | "forward";

/** Options of transforms along one axis. */
export interface FftOptions {
  /** Length of the transform; the input is cut or padded with zeros at the end. Default: the input's length. */
  n?: number;
  /** Default -1, the last. */
  axis?: number;
  /** Default "backward". */
  norm?: FftNorm;
}

/** Options of transforms along several axes. */
export interface FftnOptions {
  /** Lengths along `axes`, as `n` in `FftOptions`. */
  shape?: readonly number[];
  /** Default: all axes, or the last ones where `shape` is given (the last two for `fft2`). */
  axes?: readonly number[];
  /** Default "backward". */
  norm?: FftNorm;
}

/**
 * Discrete Fourier transform X_k = sum_j x_j e^(-2 pi i j k / n) along one axis, of any length, in O(n log n).
 * @returns parts of the shape of `x` (with `n` along `axis`), float32 or float64 as `x`.
 * @throws ShapeError for an empty axis; IndexError for a missing one; ValueError for a bad length.
 */
export function fft(x: ComplexLike, axis?: number | FftOptions, options?: Omit<FftOptions, "axis">): Complex {
  return alongAxis("fft", asComplex("fft", x), axisOptions("fft", FFT, axis, options), false);
}

/** Inverse of `fft`: x_j = 1/n sum_k X_k e^(2 pi i j k / n). */
export function ifft(x: ComplexLike, axis?: number | FftOptions, options?: Omit<FftOptions, "axis">): Complex {
  return alongAxis("ifft", asComplex("ifft", x), axisOptions("ifft", FFT, axis, options), true);
}

/** `fft` along two axes, by default the last two. */
export function fft2(x: ComplexLike, axes?: Axes | FftnOptions, rest?: Omit<FftnOptions, "axes">): Complex {
  const options = severalAxes("fft2", axes, rest);
  return alongAxes("fft2", x, { ...options, axes: options.axes ?? [-2, -1] }, false);
}

/** Inverse of `fft2`. */
export function ifft2(x: ComplexLike, axes?: Axes | FftnOptions, rest?: Omit<FftnOptions, "axes">): Complex {
  const options = severalAxes("ifft2", axes, rest);
  return alongAxes("ifft2", x, { ...options, axes: options.axes ?? [-2, -1] }, true);
}

/** `fft` along several axes, by default all. */
export function fftn(x: ComplexLike, axes?: Axes | FftnOptions, options?: Omit<FftnOptions, "axes">): Complex {
  return alongAxes("fftn", x, severalAxes("fftn", axes, options), false);
}

/** Inverse of `fftn`. */
export function ifftn(x: ComplexLike, axes?: Axes | FftnOptions, options?: Omit<FftnOptions, "axes">): Complex {
  return alongAxes("ifftn", x, severalAxes("ifftn", axes, options), true);
}

/** The first n / 2 + 1 (rounded down) terms of the `fft` of real input; the rest are their conjugates. */
export function rfft(x: TensorLike, axis?: number | FftOptions, options?: Omit<FftOptions, "axis">): Complex {
  const along = axisOptions<FftOptions>("rfft", FFT, axis, options);
  const real = requireReal("rfft", x);
  const { axis: at, n } = placeOf("rfft", real, along);
  const [re, im] = bind(rfftP, [fitAxis(real, at, n)], { axis: at });
  return scaled({ re, im }, normFactor("rfft", along.norm ?? "backward", n, false));
}

/**
 * Inverse of `rfft`: real output of length `n`, by default 2 (m - 1) for m terms; say `n` where it is odd. Imaginary
 * parts of the terms that must be real (the first, and for even n the last) have no effect.
 */
export function irfft(x: ComplexLike, axis?: number | FftOptions, options?: Omit<FftOptions, "axis">): Tensor {
  const along = axisOptions<FftOptions>("irfft", FFT, axis, options);
  const spectrum = asComplex("irfft", x);
  requireAxes("irfft", spectrum.re);
  const at = normalizeAxis("irfft", along.axis ?? -1, spectrum.re.rank);
  const n = along.n ?? 2 * (spectrum.re.shape[at] - 1);
  requireLength("irfft", n);
  const terms = halfLength(n);
  const half = [fitAxis(spectrum.re, at, terms), fitAxis(spectrum.im, at, terms)];
  const [y] = bind(irfftP, half, { axis: at, n });
  const factor = normFactor("irfft", along.norm ?? "backward", n, true);
  return factor === 1 ? y : mul(y, factor);
}

/** `fftn` of real input: `rfft` along the last of the axes, `fft` along the others. */
export function rfftn(x: TensorLike, over?: Axes | FftnOptions, rest?: Omit<FftnOptions, "axes">): Complex {
  const options = severalAxes("rfftn", over, rest);
  const real = requireReal("rfftn", x);
  const { axes, lengths } = resolveAxes("rfftn", real, options);
  const last = axes.length - 1;
  let y = rfft(real, { axis: axes[last], n: lengths[last], norm: options.norm });
  for (let i = last - 1; i >= 0; i--) {
    y = alongAxis("rfftn", y, { axis: axes[i], n: lengths[i], norm: options.norm }, false);
  }
  return y;
}

/** Inverse of `rfftn`; say `shape` where the last length is odd. */
export function irfftn(x: ComplexLike, over?: Axes | FftnOptions, rest?: Omit<FftnOptions, "axes">): Tensor {
  const options = severalAxes("irfftn", over, rest);
  let y = asComplex("irfftn", x);
  const { axes, lengths } = resolveAxes("irfftn", y.re, options);
  const last = axes.length - 1;
  for (let i = 0; i < last; i++) {
    y = alongAxis("irfftn", y, { axis: axes[i], n: lengths[i], norm: options.norm }, true);
  }
  return irfft(y, { axis: axes[last], n: lengths[last], norm: options.norm });
}

const FFT = ["n", "axis", "norm"];

function severalAxes(
  operation: string,
  axes: Axes | FftnOptions | undefined,
  rest: Omit<FftnOptions, "axes"> | undefined,
): FftnOptions {
  const known = ["shape", "axes", "norm"];
  if (typeof axes !== "number" && !Array.isArray(axes)) return axisOptions(operation, known, axes as FftnOptions, rest);
  checkOptions(operation, rest, known);
  return { ...rest, axes: typeof axes === "number" ? [axes] : axes };
}

function asComplex(operation: string, x: ComplexLike): Complex {
  const isPair = typeof x === "object" && x !== null && !isTensor(x) && "re" in x;
  if (!isPair) {
    const re = requireReal(operation, x as TensorLike);
    return { re, im: zerosLike(re) };
  }
  const [re, im] = promoteOperands(operation, [x.re, x.im]).map(asFloat);
  const shape = broadcastShapes(operation, re.shape, im.shape);
  return { re: broadcastTo(re, shape), im: broadcastTo(im, shape) };
}

function requireReal(operation: string, x: TensorLike): Tensor {
  if (typeof x === "object" && x !== null && !isTensor(x) && "re" in x) {
    throw new DTypeError(`${operation}: the input is complex; give a real tensor, or use the complex transform`);
  }
  return asFloat(x);
}

function alongAxis(operation: string, x: Complex, options: FftOptions, inverse: boolean): Complex {
  const { axis, n } = placeOf(operation, x.re, options);
  const [re, im] = bind(fftP, [fitAxis(x.re, axis, n), fitAxis(x.im, axis, n)], { axis, inverse });
  return scaled({ re, im }, normFactor(operation, options.norm ?? "backward", n, inverse));
}

/** The axis and the length of a transform. */
function placeOf(operation: string, x: Tensor, options: FftOptions): { axis: number; n: number } {
  requireAxes(operation, x);
  const axis = normalizeAxis(operation, options.axis ?? -1, x.rank);
  const n = options.n ?? x.shape[axis];
  requireLength(operation, n);
  return { axis, n };
}

function requireAxes(operation: string, x: Tensor): void {
  if (x.rank === 0) throw new ShapeError(`${operation}: a scalar has no axis to transform; give at least one axis`);
}

function scaled({ re, im }: Complex, factor: number): Complex {
  return factor === 1 ? { re, im } : { re: mul(re, factor), im: mul(im, factor) };
}

function alongAxes(operation: string, x: ComplexLike, options: FftnOptions, inverse: boolean): Complex {
  let y = asComplex(operation, x);
  const { axes, lengths } = resolveAxes(operation, y.re, options);
  for (let i = axes.length - 1; i >= 0; i--) {
    y = alongAxis(operation, y, { axis: axes[i], n: lengths[i], norm: options.norm }, inverse);
  }
  return y;
}

function resolveAxes(
  operation: string,
  x: Tensor,
  { shape, axes }: FftnOptions,
): { axes: number[]; lengths: (number | undefined)[] } {
  if (axes !== undefined && shape !== undefined && axes.length !== shape.length) {
    throw new ShapeError(
      `${operation}: shape ${formatShape(shape)} and axes ${formatShape(axes)} differ in length; give one length per axis`,
    );
  }
  const count = axes?.length ?? shape?.length ?? x.rank;
  const list = axes ?? Array.from({ length: count }, (_, i) => i - count);
  if (list.length === 0) throw new ShapeError(`${operation}: there is no axis to transform; name at least one`);
  const resolved = list.map((axis) => normalizeAxis(operation, axis, x.rank));
  if (new Set(resolved).size !== resolved.length) {
    throw new ShapeError(`${operation}: axes ${formatShape(list)} name an axis twice; name each once`);
  }
  return { axes: resolved, lengths: resolved.map((_, i) => shape?.[i]) };
}

function requireLength(operation: string, n: number): void {
  if (!Number.isInteger(n) || n < 1) {
    throw new ValueError(`${operation}: the length is ${n}; transform at least one point, a whole number of them`);
  }
}

/** Cuts an axis or pads it with zeros at the end. */
function fitAxis(x: Tensor, axis: number, n: number): Tensor {
  const extent = x.shape[axis];
  if (n < extent) return slice(x, [...new Array(axis).fill(null), { stop: n }]);
  if (n === extent) return x;
  return pad(x, x.shape.map((_, i) => (i === axis ? [0, n - extent] : [0, 0])) as [number, number][]);
}

/** What remains to be multiplied when the inverse has divided by n. */
function normFactor(operation: string, norm: FftNorm, n: number, inverse: boolean): number {
  switch (norm) {
    case "backward":
      return 1;
    case "ortho":
      return inverse ? Math.sqrt(n) : 1 / Math.sqrt(n);
    case "forward":
      return inverse ? n : 1 / n;
    default:
      throw new ValueError(`${operation}: norm is ${String(norm)}; it must be "backward", "ortho" or "forward"`);
  }
}
