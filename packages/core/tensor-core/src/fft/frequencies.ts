import { type Axes, axisOptions } from "../axes.js";
import { checkOptions } from "../check-options.js";
import { asTensor } from "../construct.js";
import { ValueError } from "../errors.js";
import { concatenate, slice } from "../ops/movement.js";
import { normalizeAxes } from "../shape.js";
import { hostTensor, type Tensor, type TensorLike } from "../tensor.js";

/** Options of `fftfreq` and `rfftfreq`. */
export interface FrequencyOptions {
  /** Distance between samples, default 1: frequencies are in cycles per its unit. */
  spacing?: number;
  /** Default "float32". */
  dtype?: "float32" | "float64";
}

/** Options of `fftshift` and `ifftshift`. */
export interface ShiftOptions {
  /** Default: all. */
  axis?: Axes;
}

/** Frequencies of the terms of `fft`: 0, 1, ..., then the negative ones, over `n * spacing`; shape `[n]`. */
export function fftfreq(n: number, options: FrequencyOptions = {}): Tensor {
  return frequencies("fftfreq", n, n, Math.ceil(n / 2), options);
}

/** Frequencies of the terms of `rfft`: 0, 1, ..., n / 2 (rounded down), over `n * spacing`. */
export function rfftfreq(n: number, options: FrequencyOptions = {}): Tensor {
  return frequencies("rfftfreq", n, Math.floor(n / 2) + 1, n, options);
}

/** `count` frequencies, negative from index `firstNegative` on. */
function frequencies(
  operation: string,
  n: number,
  count: number,
  firstNegative: number,
  options: FrequencyOptions,
): Tensor {
  checkOptions(operation, options, ["spacing", "dtype"]);
  const { spacing = 1, dtype = "float32" } = options;
  if (!Number.isInteger(n) || n < 1)
    throw new ValueError(`${operation}: n is ${n}; it must be an integer of at least 1`);
  if (!Number.isFinite(spacing) || spacing === 0) {
    throw new ValueError(`${operation}: spacing is ${spacing}; it must be finite and not 0`);
  }
  const out = dtype === "float64" ? new Float64Array(count) : new Float32Array(count);
  for (let k = 0; k < count; k++) out[k] = (k < firstNegative ? k : k - n) / (n * spacing);
  return hostTensor(out, [count], dtype);
}

/** Moves frequency 0 to the middle of the axes (default: all). */
export function fftshift(x: TensorLike, axes?: Axes | ShiftOptions): Tensor {
  return roll("fftshift", x, axes, (n) => Math.ceil(n / 2));
}

/** Undoes `fftshift`. */
export function ifftshift(x: TensorLike, axes?: Axes | ShiftOptions): Tensor {
  return roll("ifftshift", x, axes, (n) => Math.floor(n / 2));
}

/** Puts the slices from `first` on before those ahead of it. */
function roll(
  operation: string,
  x: TensorLike,
  axes: Axes | ShiftOptions | undefined,
  first: (n: number) => number,
): Tensor {
  let y = asTensor(x);
  for (const axis of normalizeAxes(operation, axisOptions<ShiftOptions>(operation, ["axis"], axes).axis, y.rank)) {
    const cut = first(y.shape[axis]);
    if (cut === 0 || cut === y.shape[axis]) continue;
    const lead = new Array<null>(axis).fill(null);
    y = concatenate([slice(y, [...lead, { start: cut }]), slice(y, [...lead, { stop: cut }])], axis);
  }
  return y;
}
