import type { GradientLM } from "@offprint/language";
import { gaussLegendre } from "@offprint/solvers";
import {
  concatenate,
  random,
  requireChoice,
  requireInteger,
  requireNonNegative,
  slice,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { requireEmbeddings, requireFunction, requireValues } from "../argument-checks.js";

import { attribution, type BaselineAttribution, type BaselineOptions, explained } from "./baseline.js";

/** Options of the gradient methods. */
export interface GradientOptions extends BaselineOptions {
  /** Most prompts in one backward pass, >= 1; bounds the memory. Default 32. */
  batchSize?: number;
}

/** Options of `integratedGradients`. */
export interface IntegratedGradientsOptions extends GradientOptions {
  /**
   * Quadrature along the path from zero embeddings. Default `"riemann"`, the official one: the mean of the gradients at
   * k / n for k = 0 to n. `"midpoint"` and `"gaussLegendre"` have n points.
   */
  rule?: "riemann" | "midpoint" | "gaussLegendre";
  /** n >= 1. Default 100. */
  points?: number;
}

/** Options of `gradientShap`. */
export interface GradientShapOptions extends GradientOptions {
  /** Random points of the path, >= 1. Default 32. */
  draws?: number;
  /** Standard deviation of the noise that is added to the embeddings, >= 0. Default 0.09. */
  sigma?: number;
  /** Source of randomness. Default 0. */
  seed?: number | string;
}

/** Embeddings of a prompt as numbers. */
interface Embedded {
  readonly x: Float32Array | Float64Array;
  readonly length: number;
  readonly features: number;
}

async function embedded(where: string, lm: GradientLM, ids: Int32Array): Promise<Embedded> {
  requireFunction(where, "embed of the model", lm.embed, "give a GradientLM, such as gpt2(params, { heads })");
  const embeds = await lm.embed(ids);
  requireEmbeddings(where, embeds, ids.length);
  const [length, features] = embeds.shape;
  return { x: requireValues(where, "embeddings", embeds, embeds.shape), length, features };
}

/** Gradients `[N, L, d]` at N points, in batches. */
async function gradientsAt(
  where: string,
  lm: GradientLM,
  target: number,
  points: Tensor,
  batchSize = 32,
): Promise<Float32Array | Float64Array> {
  requireInteger(where, "batchSize", batchSize, 1);
  const [n] = points.shape;
  const parts: Tensor[] = [];
  for (let from = 0; from < n; from += batchSize) {
    const stop = Math.min(from + batchSize, n);
    const part = from === 0 && stop === n ? points : slice(points, [{ start: from, stop }]);
    parts.push(await lm.logProbabilityGradient(part, target));
  }
  return requireValues(where, "the gradient", parts.length === 1 ? parts[0] : concatenate(parts), points.shape);
}

/** Per token, the sum over features of `weights[n] * x * gradient[n]` over all points. */
function weighted(
  { x, length, features }: Embedded,
  gradients: ArrayLike<number>,
  weights: ArrayLike<number>,
): Float64Array {
  const scores = new Float64Array(length);
  const size = length * features;
  for (let n = 0; n < weights.length; n++) {
    for (let i = 0; i < length; i++) {
      let total = 0;
      for (let j = i * features; j < (i + 1) * features; j++) total += x[j] * gradients[n * size + j];
      scores[i] += weights[n] * total;
    }
  }
  return scores;
}

function asPoints(values: Float32Array | Float64Array, n: number, { length, features }: Embedded): Tensor {
  return tensor(values, { shape: [n, length, features] });
}

/** Input times gradient: `sum_j X_ij d log p / d X_ij` (Denil et al., 2014). */
export async function inputXGradient(
  lm: GradientLM,
  ids: Int32Array,
  options: GradientOptions = {},
): Promise<BaselineAttribution> {
  const where = "inputXGradient";
  const target = await explained(where, lm, ids, options, ["batchSize"]);
  const input = await embedded(where, lm, ids);
  const gradients = await gradientsAt(where, lm, target, asPoints(input.x, 1, input));
  return attribution(weighted(input, gradients, [1]), target);
}

/** Euclidean norm of the gradient at each token's embedding (Simonyan et al., 2014). */
export async function gradientNorm(
  lm: GradientLM,
  ids: Int32Array,
  options: GradientOptions = {},
): Promise<BaselineAttribution> {
  const where = "gradientNorm";
  const target = await explained(where, lm, ids, options, ["batchSize"]);
  const input = await embedded(where, lm, ids);
  const gradients = await gradientsAt(where, lm, target, asPoints(input.x, 1, input));
  const { length, features: d } = input;
  const scores = Float64Array.from({ length }, (_, i) => Math.hypot(...gradients.subarray(i * d, (i + 1) * d)));
  return attribution(scores, target);
}

/** Places and weights of a quadrature on [0, 1]. */
function quadrature(
  rule: IntegratedGradientsOptions["rule"],
  n: number,
): { nodes: Float64Array; weights: Float64Array } {
  if (rule === "riemann") {
    const weights = new Float64Array(n + 1).fill(1 / (n + 1));
    return { nodes: Float64Array.from(weights, (_, k) => k / n), weights };
  }
  if (rule === "midpoint") {
    const weights = new Float64Array(n).fill(1 / n);
    return { nodes: Float64Array.from(weights, (_, k) => (k + 0.5) / n), weights };
  }
  return gaussLegendre(n, 0, 1);
}

/**
 * Integrated gradients from zero embeddings (Sundararajan et al., 2017). With an accurate rule the scores sum to the
 * log-probability at the prompt less that at zero embeddings.
 */
export async function integratedGradients(
  lm: GradientLM,
  ids: Int32Array,
  options: IntegratedGradientsOptions = {},
): Promise<BaselineAttribution> {
  const where = "integratedGradients";
  const { rule = "riemann", points = 100, batchSize } = options;
  requireInteger(where, "points", points, 1);
  requireChoice(where, "rule", rule, ["riemann", "midpoint", "gaussLegendre"]);
  const { nodes, weights } = quadrature(rule, points);
  const target = await explained(where, lm, ids, options, ["rule", "points", "batchSize"]);
  const input = await embedded(where, lm, ids);
  const { x } = input;
  const path =
    x instanceof Float64Array ? new Float64Array(nodes.length * x.length) : new Float32Array(nodes.length * x.length);
  for (let k = 0; k < nodes.length; k++) {
    for (let j = 0; j < x.length; j++) path[k * x.length + j] = nodes[k] * x[j];
  }
  const gradients = await gradientsAt(where, lm, target, asPoints(path, nodes.length, input), batchSize);
  return attribution(weighted(input, gradients, weights), target);
}

/** Gradient SHAP: the mean of gradients at random points between zero and noisy embeddings, times the embeddings. */
export async function gradientShap(
  lm: GradientLM,
  ids: Int32Array,
  options: GradientShapOptions = {},
): Promise<BaselineAttribution> {
  const where = "gradientShap";
  const { draws = 32, sigma = 0.09, seed = 0, batchSize } = options;
  requireInteger(where, "draws", draws, 1);
  requireNonNegative(where, "sigma", sigma);
  const target = await explained(where, lm, ids, options, ["draws", "sigma", "seed", "batchSize"]);
  const input = await embedded(where, lm, ids);
  const { x } = input;
  const rng = random.rng(seed);
  const alphas = rng.uniform([draws], { dtype: "float64" }).data();
  const path = rng.normal([draws * x.length], { std: sigma, dtype: x instanceof Float64Array ? "float64" : "float32" });
  const values = path.data() as Float32Array | Float64Array;
  const moved = values.slice();
  for (let k = 0; k < draws; k++) {
    for (let j = 0; j < x.length; j++) moved[k * x.length + j] = alphas[k] * (x[j] + values[k * x.length + j]);
  }
  const gradients = await gradientsAt(where, lm, target, asPoints(moved, draws, input), batchSize);
  return attribution(weighted(input, gradients, new Float64Array(draws).fill(1 / draws)), target);
}
