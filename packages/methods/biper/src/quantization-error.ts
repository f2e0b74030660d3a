import {
  abs,
  asTensor,
  mean,
  mul,
  sin,
  square,
  sub,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { type NetworkPart, requireNetwork } from "./network-part.js";
import { requireFrequency } from "./square-wave.js";

/** Moments of |sin(omega w)| and the errors of replacing it by a constant. */
export interface WaveMoments {
  /** `E |sin(omega w)|`, also the best constant. */
  readonly first: number;
  /** `E sin^2(omega w)`. */
  readonly second: number;
  /** `E (|sin(omega w)| - first)^2`, the least error of one scale. */
  readonly optimalError: number;
  /** `E (|sin(omega w)| - 1)^2`, the error without a scale. */
  readonly unitError: number;
}

function momentsOf(first: number, second: number): WaveMoments {
  return { first, second, optimalError: second - first * first, unitError: 1 - 2 * first + second };
}

function requireSpread(owner: string, name: string, value: number): void {
  if (!(value > 0 && value < Infinity)) {
    throw new ValueError(`${owner}: ${name} is ${String(value)}; it must be a finite number > 0`);
  }
}

/**
 * For weights from a Laplace distribution of scale b, in closed form. With `t = omega b`, the least error rises from 0 to
 * 0.10283 at t = 0.955 and falls to 1/2 - 4/pi^2 = 0.0947: it is bounded, whatever the spread of the weights.
 * @throws ValueError for a frequency or a scale out of range.
 */
export function laplaceMoments(omega: number, b: number): WaveMoments {
  requireFrequency("laplaceMoments", omega);
  requireSpread("laplaceMoments", "b", b);
  const t = omega * b;
  // t / (1 + t^2) and its like without overflow of the square.
  const first = 1 / (1 / t + t) / Math.tanh(Math.PI / (2 * t));
  return momentsOf(first, 2 / (1 / t / t + 4));
}

/** |coefficients| of the cosine series of |sin|: exp(-2 k^2 u^2) makes further terms vanish. */
function gaussianFirst(u: number): number {
  // Terms fall as exp(-2 k^2 u^2) / (4 k^2); for small u the series is long and the mean of |u z| near.
  if (u < 1e-3) return Math.sqrt(2 / Math.PI) * u * (1 - (u * u) / 3);
  let sum = 0;
  const last = Math.ceil(Math.sqrt(20 / (u * u))) + 1;
  for (let k = last; k >= 1; k--) sum += Math.exp(-2 * k * k * u * u) / (4 * k * k - 1);
  return 2 / Math.PI - (4 / Math.PI) * sum;
}

/**
 * For normal weights of standard deviation sigma, by a series that converges like a Gaussian.
 * @throws ValueError for a frequency or a deviation out of range.
 */
export function gaussianMoments(omega: number, sigma: number): WaveMoments {
  requireFrequency("gaussianMoments", omega);
  requireSpread("gaussianMoments", "sigma", sigma);
  const u = omega * sigma;
  return momentsOf(gaussianFirst(u), -Math.expm1(-2 * u * u) / 2);
}

/**
 * The mean of `(|sin(omega w)| - gamma)^2` over given weights.
 * @param gamma a constant, or `"optimal"` (the default): the mean of |sin(omega w)|
 * @throws ValueError for a frequency out of range, or no weights.
 */
export function quantizationError(w: TensorLike, omega: number, gamma: number | "optimal" = "optimal"): number {
  requireFrequency("quantizationError", omega);
  const x = asTensor(w);
  if (x.size === 0) throw new ValueError("quantizationError: w is empty; give at least one weight");
  const wave = abs(sin(mul(x, omega)));
  return mean(square(sub(wave, gamma === "optimal" ? mean(wave) : gamma))).item();
}

/** Figures of one binary layer. */
export interface LayerFigures {
  /** Path in the network. */
  readonly path: string;
  /** Number of weights. */
  readonly weights: number;
  /** Frequency, or null where the layer's rule has none. */
  readonly omega: number | null;
  /** Mean of |w|: the likeliest scale of a Laplace distribution. */
  readonly meanMagnitude: number;
  /** Mean of `| |sin(omega w)| - 1 |`, the official code's measure; null without a frequency. */
  readonly deviation: number | null;
  /** Least mean squared error of one scale; null without a frequency. */
  readonly optimalError: number | null;
}

/** Figures of all binary layers of a network. */
export interface QuantizationReport {
  /** In the order of the network. */
  readonly layers: readonly LayerFigures[];
  /** Sum of `deviation` over layers with a frequency. */
  readonly totalDeviation: number;
  /** Mean of `deviation` over these layers; NaN where there are none. */
  readonly meanDeviation: number;
}

function figures(path: string, weight: Tensor, omega: number | undefined): LayerFigures {
  const common = { path, weights: weight.size, meanMagnitude: mean(abs(weight)).item() };
  if (omega === undefined) return { ...common, omega: null, deviation: null, optimalError: null };
  const deviation = mean(sub(1, abs(sin(mul(weight, omega))))).item();
  return { ...common, omega, deviation, optimalError: quantizationError(weight, omega) };
}

/** How far the sines of the latent weights are from the bits that replace them, layer by layer. */
export function quantizationReport<P>(network: NetworkPart<P>, params: P): QuantizationReport {
  requireNetwork("quantizationReport", network, ["layers"]);
  const layers = network.layers(params, "").map(({ path, rule, weight }) => figures(path, weight, rule.omega));
  const deviations = layers.flatMap(({ deviation }) => deviation ?? []);
  const totalDeviation = deviations.reduce((a, b) => a + b, 0);
  return { layers, totalDeviation, meanDeviation: totalDeviation / deviations.length };
}
