import { type Complex, complex, keptShape, requireModesFit } from "@offprint/spectral";
import {
  add,
  concatenate,
  fft,
  isTensor,
  matmul,
  pad,
  requireFinite,
  requireInteger,
  requireObject,
  ShapeError,
  slice,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
  zeros,
} from "@offprint/tensor-core";

/**
 * The trajectory of a flow as the last layer of the network says it: the last known frame, and what is added to it as a
 * trigonometric polynomial in space and time, whose period in time is `length` frames.
 */
export interface Forecast {
  /** The last known frame, `[n, n]`. */
  readonly last: Tensor;
  /** Coefficients of what is added, `[2 m, 2 m, mt]`, as `lowSpectrum` of `@offprint/spectral` orders them. */
  readonly coefficients: Complex;
  /** How many frequencies that are: of both axes of the square, and in time. */
  readonly modes: readonly [number, number, number];
  /** Frames after the known one. */
  readonly frames: number;
  /** Frames of a period, more than there are. */
  readonly length: number;
  /** What the last layer of a network was given, `[n, n, padded frames]`: needed to refine its weights as well. */
  readonly window?: Tensor;
}

/** Which times of a trajectory are wanted. */
export interface ForecastTimes {
  /** Points along an axis of the square. */
  readonly n: number;
  /** Frames of a period. */
  readonly length: number;
  /** The first frame wanted: 0 is the known one, 1 the first of the forecast. */
  readonly first: number;
  /** Frames of the forecast. */
  readonly frames: number;
  /** Times for each frame. Default 1. */
  readonly oversample?: number;
  /** Time between two frames: gives the derivative in time instead of the values. */
  readonly spacing?: number;
}

/**
 * What is added to the last known frame, or its derivative in time, exactly: `[..., times, n, n]` of coefficients
 * `[..., 2 m, 2 m, mt]` with one channel left out where there is one.
 */
export function forecastFrames(coefficients: Complex, times: ForecastTimes): Tensor {
  requireObject("forecastFrames", "coefficients", coefficients, "{ re, im }");
  requireObject("forecastFrames", "times", times, "ForecastTimes");
  const { n, frames, first, oversample = 1 } = times;
  requireInteger("forecastFrames", "oversample", oversample, 1);
  requireFewTimes("forecastFrames", times);
  const { shape } = coefficients.re;
  const [mx, my, mt] = [shape[shape.length - 3] / 2, shape[shape.length - 2] / 2, shape[shape.length - 1]];
  const lead = shape.slice(0, -3).filter((_, i) => i === 0);
  const planes = complex.mapParts(coefficients, (part) =>
    part.reshape([-1, 2 * mx, 2 * my, mt]).transpose([0, 3, 1, 2]),
  );
  const inSpace = fft.ifft2(complex.mapParts(planes, (part) => spread(spread(part, 2, mx, n), 3, my, n)));
  const count = (frames - first) * oversample + 1;
  const waves = timeWaves(mt, count, times);
  const flat = concatenate([inSpace.re, inSpace.im], 1).reshape([-1, 2 * mt, n * n]);
  const dtype = coefficients.re.dtype;
  return matmul(tensor(waves, { shape: [count, 2 * mt], dtype }), flat).reshape([...lead, count, n, n]);
}

/** Numbers of the frames at all times, 1 GB of float64. */
const most = 2 ** 27;

/** @internal @throws ValueError where the frames at all times would take more memory than there may be. */
export function requireFewTimes(owner: string, { n, frames, first, oversample = 1 }: ForecastTimes): void {
  const times = (frames - first) * oversample + 1;
  if (times * n * n <= most) return;
  const largest = Math.floor((most / n / n - 1) / (frames - first));
  throw new ValueError(
    `${owner}: oversample ${oversample} asks for frames of ${n} x ${n} at ${times} times, more than 1 GB; ` +
      `give ${Math.max(1, largest)} at most`,
  );
}

/** @internal Values of cos and -sin at the times, one row each, as the inverse real transform weighs them; or their derivatives. */
export function timeWaves(
  mt: number,
  count: number,
  { length, frames, first, oversample = 1, spacing }: ForecastTimes,
) {
  const waves = new Float64Array(count * 2 * mt);
  for (let i = 0; i < count; i++) {
    const at = length - frames - 1 + first + i / oversample;
    for (let j = 0; j < mt; j++) {
      const highest = 2 * j === length;
      const weight = (j === 0 || highest ? 1 : 2) / length;
      const angle = (2 * Math.PI * j * at) / length;
      const omega = spacing === undefined ? 0 : (2 * Math.PI * j) / (length * spacing);
      // The highest frequency has no derivative that is a real field.
      const gain = spacing === undefined ? weight : highest ? 0 : weight * omega;
      waves[i * 2 * mt + j] = spacing === undefined ? gain * Math.cos(angle) : -gain * Math.sin(angle);
      waves[i * 2 * mt + mt + j] = spacing === undefined ? -gain * Math.sin(angle) : -gain * Math.cos(angle);
    }
  }
  return waves;
}

/** Puts zeros between the m first and the m last, so that there are n. */
function spread(x: Tensor, axis: number, m: number, n: number): Tensor {
  if (n === 2 * m) return x;
  const before = new Array<null>(axis).fill(null);
  const widths = x.shape.map((_, i): [number, number] => [0, i === axis ? n - 2 * m : 0]);
  return concatenate([pad(slice(x, [...before, { stop: m }]), widths), slice(x, [...before, { start: m }])], axis);
}

/**
 * The forecast that nothing changes, to be refined without a network.
 * @param last the last known frame, `[n, n]`
 * @param frames after it
 * @param latentFrames that the period is longer by, and two (default 10)
 */
export function persistence(last: TensorLike, frames: number, latentFrames = 10): Forecast {
  const field = isTensor(last) ? tensor(last, { dtype: "float64" }) : tensor(last, { dtype: "float64" });
  requireInteger("persistence", "frames", frames, 1);
  requireInteger("persistence", "latentFrames", latentFrames, 0);
  if (field.rank !== 2 || field.shape[0] !== field.shape[1] || field.shape[0] % 2 !== 0) {
    throw new ShapeError(`persistence: the frame has shape [${field.shape}]; it must be [n, n] with an even n`);
  }
  requireFinite("persistence", "last", field);
  const nothing = zeros(keptShape([1, 1, 1]), "float64");
  const length = frames + latentFrames + 2;
  return { last: field, coefficients: { re: nothing, im: nothing }, modes: [1, 1, 1], frames, length };
}

/** The frames of a forecast, `[frames, n, n]`. */
export function framesOf(forecast: Forecast): Tensor {
  requireObject("framesOf", "forecast", forecast, "a Forecast");
  const { last, coefficients, length, frames } = forecast;
  return add(forecastFrames(coefficients, { n: last.shape[0], length, first: 1, frames }), last);
}

/** Throws unless a forecast has these modes, or could have. */
export function requireModes(owner: string, modes: readonly number[], { last, length }: Forecast): void {
  const n = last.shape[0];
  requireModesFit(owner, modes, [n, n, length]);
}
