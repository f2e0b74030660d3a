import { complex } from "@offprint/spectral";
import {
  add,
  checkOptions,
  concatenate,
  eye,
  fft,
  linalg,
  matmul,
  mul,
  requireFinite,
  requireInteger,
  requirePositive,
  ShapeError,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  zeros,
} from "@offprint/tensor-core";
import { type Forecast, timeWaves } from "./forecast.js";

/** Options of {@link forecastFrom}. */
export interface ForecastFromOptions {
  /** Frames that the period is longer by, and two. Default 10. */
  readonly latentFrames?: number;
  /**
   * How much frames may be missed for a smooth course in time, > 0: a relative ridge. Default 1e-3, which misses the frames of
   * a flow by a thousandth and noise by half: to be refined. 1e-8 passes through nearly all: to be judged.
   */
  readonly smoothing?: number;
}

/**
 * The forecast of another model, such as an operator of one's own, as {@link refine} and `estimateForecast` take it: the
 * smoothest trigonometric polynomial in time by the known frame and the frames of the forecast.
 * @param last the last known frame, `[n, n]`
 * @param frames the forecast, `[frames, n, n]`, four at least
 * @throws ShapeError, ValueError
 */
export function forecastFrom(last: TensorLike, frames: TensorLike, options: ForecastFromOptions = {}): Forecast {
  const owner = "forecastFrom";
  checkOptions(owner, options, ["latentFrames", "smoothing"]);
  const { latentFrames = 10, smoothing = 1e-3 } = options;
  const known = tensor(last, { dtype: "float64" });
  const given = tensor(frames, { dtype: "float64" });
  requireInteger(owner, "latentFrames", latentFrames, 0);
  requirePositive(owner, "smoothing", smoothing);
  const [count, n] = given.shape;
  if (known.rank !== 2 || known.shape[0] !== known.shape[1] || known.shape[0] % 2 !== 0) {
    throw new ShapeError(`${owner}: the known frame has shape [${known.shape}]; it must be [n, n] with an even n`);
  }
  if (given.rank !== 3 || count < 4 || given.shape.slice(1).join() !== known.shape.join()) {
    const wanted = `[frames, ${known.shape}] with four frames at least`;
    throw new ShapeError(`${owner}: the forecast has shape [${given.shape}]; it must be ${wanted}`);
  }
  requireFinite(owner, "last", known);
  requireFinite(owner, "frames", given);
  const length = count + latentFrames + 2;
  const mt = Math.floor((count + 2) / 2);
  const change = concatenate([zeros([1, n, n], "float64"), sub(given, known)]).reshape([count + 1, n * n]);
  const waves = matmul(weightsOf(mt, count, length, smoothing), change).reshape([2, mt, n, n]);
  const spectrum = fft.fft2({ re: waves.slice([0]), im: waves.slice([1]) });
  const coefficients = complex.mapParts(spectrum, (part: Tensor) => part.transpose([1, 2, 0]));
  return { last: known, coefficients, modes: [n / 2, n / 2, mt], frames: count, length };
}

/** From frames, the known one first, to the amplitudes of waves in time: `[2 mt, frames + 1]`. */
function weightsOf(mt: number, frames: number, length: number, smoothing: number): Tensor {
  const count = frames + 1;
  const waves = tensor(timeWaves(mt, count, { n: 0, length, frames, first: 0 }), { shape: [count, 2 * mt] });
  // Fast waves are dear, so that the polynomial is the smoothest one.
  const cheapness = Float64Array.from({ length: 2 * mt }, (_, k) => (1 + (k % mt) ** 2) ** -2);
  const weighted = mul(waves, tensor(cheapness)).transpose();
  const gram = matmul(waves, weighted);
  const ridge = mul(eye(count, count, "float64"), smoothing * gram.max().item());
  return linalg.solve(add(gram, ridge), weighted.transpose()).transpose();
}
