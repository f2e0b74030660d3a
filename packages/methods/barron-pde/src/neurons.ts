import { type random, requireObject } from "@offprint/tensor-core";
import type { RealForm } from "./real-form.js";

/** What a hidden unit does with its input. */
export type NetworkActivation = "cos" | "step" | "sigmoid" | "relu";

/** Sums that say how many neurons an accuracy takes. */
export interface NetworkConstants {
  /** `S = sum a_j`, of cosine networks. */
  readonly amplitude: number;
  /** `V = sum 4 a_j |k_j|_1`: the total variation that steps must make. */
  readonly variation: number;
  /** `V2 = sum 8 pi a_j |k_j|_1`: that of the derivative, which ReLUs must make. */
  readonly curvature: number;
  /** n times the mean squared L2 error is at most this; for cosines it is this. */
  readonly error: number;
}

/** `|k|_1` of the frequency of a cosine. */
function lengthOf({ k }: RealForm, dimension: number, j: number): number {
  let sum = 0;
  for (let i = 0; i < dimension; i++) sum += Math.abs(k[j * dimension + i]);
  return sum;
}

/** The constants of a function's networks. */
export function networkConstants(form: RealForm, dimension: number, activation: NetworkActivation): NetworkConstants {
  requireObject("networkConstants", "form", form, "a RealForm");
  let [amplitude, squares, variation, curvature, ramps] = [0, 0, 0, 0, 0];
  for (const [j, a] of form.a.entries()) {
    const length = lengthOf(form, dimension, j);
    amplitude += a;
    squares += a ** 2;
    variation += 4 * a * length;
    curvature += 8 * Math.PI * a * length;
    // A ramp is nowhere larger than the range of k.x.
    ramps += 8 * Math.PI * a * length ** 3;
  }
  const error = {
    cos: (amplitude ** 2 - squares) / 2,
    relu: curvature * ramps,
    step: variation ** 2,
    sigmoid: variation ** 2,
  };
  return { amplitude, variation, curvature, error: error[activation] };
}

/** A hidden unit `weight * activation(slope * (k.x / P) + bias)` of the j-th cosine. */
export interface Neuron {
  /** Which cosine. */
  readonly j: number;
  /** Factor of `k_j.x / P`. */
  readonly slope: number;
  /** Added to it. */
  readonly bias: number;
  /** Of the output, times n. */
  readonly weight: number;
}

/**
 * Draws hidden units whose mean, times n, is the function less its exact part.
 *
 * @param steepness of sigmoids
 */
export function neuronSampler(
  form: RealForm,
  dimension: number,
  activation: NetworkActivation,
  steepness: number,
): (draw: () => number) => Neuron {
  const { amplitude, variation, curvature } = networkConstants(form, dimension, activation);
  const total = { cos: amplitude, step: variation, sigmoid: variation, relu: curvature }[activation];
  const lengths = Float64Array.from(form.a, (_, j) => lengthOf(form, dimension, j));
  const cumulated = new Float64Array(form.a.length);
  let sum = 0;
  for (const [j, a] of form.a.entries()) cumulated[j] = sum += activation === "cos" ? a : a * lengths[j];
  const choose = (q: number) => {
    let [low, high] = [0, cumulated.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulated[middle] > q * sum) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  if (activation === "cos") {
    return (draw) => {
      const j = choose(draw());
      return { j, slope: 2 * Math.PI, bias: form.theta[j], weight: total };
    };
  }
  // sin and cos change sign in the same way, a quarter of a period apart.
  const shift = activation === "relu" ? Math.PI / 2 : 0;
  return (draw) => {
    const j = choose(draw());
    let negative = 0;
    for (let i = 0; i < dimension; i++) negative += Math.min(0, form.k[j * dimension + i]);
    // A period of the range of k.x, then a phase whose density is |sin| / 4 in it.
    const cell = negative + Math.min(lengths[j] - 1, Math.floor(draw() * lengths[j]));
    const half = draw() < 0.5 ? 0 : Math.PI;
    const phase = Math.acos(1 - 2 * draw()) + half;
    const place = (phase + shift - form.theta[j]) / (2 * Math.PI);
    const t = cell + place - Math.floor(place);
    // g' = -2 pi sin and g'' = -4 pi^2 cos are negative in the first half.
    const sign = half === 0 ? -1 : 1;
    const side = t > 0 ? 1 : -1;
    if (activation === "relu") {
      // cos(phase + pi / 2) = -sin(phase)
      return { j, slope: side, bias: -side * t, weight: -sign * total };
    }
    const slope = activation === "sigmoid" ? steepness : 1;
    return { j, slope: side * slope, bias: -side * slope * t, weight: side * sign * total };
  };
}

/** Uniform numbers in [0, 1), drawn in batches. */
export function uniformDraws(rng: random.Rng): () => number {
  let [values, at] = [rng.uniform([1024], { dtype: "float64" }).data(), 0];
  return () => {
    if (at === values.length) [values, at] = [rng.uniform([1024], { dtype: "float64" }).data(), 0];
    return Number(values[at++]);
  };
}
