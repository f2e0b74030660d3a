import { type EmbeddingLM, requirePrompt } from "@offprint/language";
import {
  asTensor,
  checkOptions,
  random,
  requireInteger,
  requireObject,
  ShapeError,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { requireEmbeddings, requireFunction, requireLogits, requireModel, requireValues } from "../argument-checks.js";
import { largest, softmaxOf } from "../next-token.js";
import { type Distance, distributionDistance } from "./distance.js";
import { keptEmbeddings, thinnedEmbeddings } from "./perturbed-embeddings.js";

/** Options of the faithfulness metrics. */
export interface FaithfulnessOptions {
  /** Draws of the noise, >= 1. Default 20. */
  draws?: number;
  /** Between the model's predictions. Default `"official"`. */
  distance?: Distance;
  /** `[draws, L, d]`, uniform on [0, 1), in place of drawn noise. */
  noise?: TensorLike;
  /** Source of the noise. Default 0. */
  seed?: number | string;
  /** Told when removing everything does not change the prediction, so that the metrics are NaN. */
  onWarning?: (warning: FaithfulnessWarning) => void;
}

/** Why a metric has no value. */
export interface FaithfulnessWarning {
  /** Removing all embeddings leaves the prediction as it was: nothing can be compared. */
  readonly kind: "prediction-without-input";
  /** In words. */
  readonly message: string;
}

/** One value for each draw. */
export interface SoftFaithfulness {
  /** Soft normalised sufficiency: how much of the prediction the important features restore; larger is better. */
  readonly softNS: number[];
  /** Soft normalised comprehensiveness: how far the prediction moves without them; larger is better. */
  readonly softNC: number[];
}

/** Metrics of keeping, or removing, exactly the n most important tokens. */
export interface HardFaithfulness {
  /** `1 - H` with the top n kept only. */
  readonly sufficiency: number;
  /** `H` with the top n removed. */
  readonly comprehensiveness: number;
  /** Sufficiency beyond that of no input, as a share of what is possible. */
  readonly normalizedSufficiency: number;
  /** Comprehensiveness as a share of the change by removing everything. */
  readonly normalizedComprehensiveness: number;
}

/** What a prompt's metrics are measured against: the prediction with all of it, and how far away that with nothing is. */
class Reference {
  private constructor(
    private readonly lm: EmbeddingLM,
    readonly embeds: Tensor,
    private readonly q: Float64Array,
    private readonly distance: Distance,
    /** `1 - S0`, H of the prediction without input; NaN where it is 0. */
    readonly range: number,
  ) {}

  static async of(lm: EmbeddingLM, ids: Int32Array, options: FaithfulnessOptions): Promise<Reference> {
    const where = "faithfulness";
    requireModel(where, lm);
    requireFunction(where, "embed of the model", lm.embed, "give an EmbeddingLM, such as gpt2(params, { heads })");
    requirePrompt(where, ids, lm.vocabSize);
    checkOptions(where, options, ["draws", "distance", "noise", "seed", "onWarning"]);
    const distance = options.distance ?? "official";
    const embeds = await lm.embed(ids);
    requireEmbeddings(where, embeds, ids.length);
    const [q, nothing] = await predictions(
      lm,
      keptEmbeddings(embeds, 2, (row) => row === 0),
    );
    const range = distributionDistance(nothing, q, distance);
    if (range === 0) {
      const message = "Without any input the model predicts the same; normalised metrics have no value.";
      options.onWarning?.({ kind: "prediction-without-input", message });
    }
    return new Reference(lm, embeds, q, distance, range === 0 ? Number.NaN : range);
  }

  /** Distances of the predictions from perturbed embeddings `[B, L, d]`. */
  async distances(embeds: Tensor): Promise<number[]> {
    return (await predictions(this.lm, embeds)).map((p) => distributionDistance(p, this.q, this.distance));
  }

  sufficiency(distance: number): number {
    return Math.max(0, this.range - distance) / this.range;
  }
}

async function predictions(lm: EmbeddingLM, embeds: Tensor): Promise<Float64Array[]> {
  const { vocabSize: v } = lm;
  const shape = [embeds.shape[0], v];
  const logits = requireLogits("faithfulness", await lm.nextLogitsFromEmbeds(embeds), shape);
  return Array.from({ length: shape[0] }, (_, row) => softmaxOf(logits.subarray(row * v, (row + 1) * v)));
}

/** By how much rounding may take a sum of shares beyond 1. */
const ROUNDING = 1e-12;

function requireKeep(keep: ArrayLike<number>, length: number): void {
  if (keep?.length !== length) {
    throw new ShapeError(`faithfulness: importance has ${keep?.length} entries for a prompt of ${length} tokens`);
  }
  for (let i = 0; i < length; i++) {
    if (keep[i] >= 0 && keep[i] <= 1 + ROUNDING) continue;
    throw new ValueError(`faithfulness: importance[${i}] is ${keep[i]}; keep-probabilities lie in [0, 1]`);
  }
}

function noiseFor(embeds: Tensor, options: FaithfulnessOptions): Float32Array | Float64Array {
  const [l, d] = embeds.shape;
  if (options.noise === undefined) {
    const { draws = 20, seed = 0 } = options;
    requireInteger("faithfulness", "draws", draws, 1);
    return random
      .rng(seed)
      .uniform([draws * l * d], { dtype: "float64" })
      .data() as Float64Array;
  }
  const [draws] = asTensor(options.noise).shape;
  return requireValues("faithfulness", "noise", options.noise, [draws, l, d]);
}

/**
 * Soft normalised sufficiency and comprehensiveness (Zhao and Aletras, 2023): each entry of a token's embedding is kept,
 * or removed, with the token's importance as its probability.
 *
 * @param importance `[L]` keep-probabilities in [0, 1]: an importance, or `matchedKeepProbabilities` of scores.
 * @throws ShapeError or ValueError for an importance that does not fit the prompt.
 */
export async function softFaithfulness(
  lm: EmbeddingLM,
  ids: Int32Array,
  importance: ArrayLike<number>,
  options: FaithfulnessOptions = {},
): Promise<SoftFaithfulness> {
  const reference = await Reference.of(lm, ids, options);
  requireKeep(importance, ids.length);
  const noise = noiseFor(reference.embeds, options);
  const kept = thinnedEmbeddings(reference.embeds, importance, noise);
  const removed = thinnedEmbeddings(
    reference.embeds,
    Float64Array.from(importance, (pi) => 1 - pi),
    noise,
  );
  return {
    softNS: (await reference.distances(kept)).map((h) => reference.sufficiency(h)),
    softNC: (await reference.distances(removed)).map((h) => h / reference.range),
  };
}

/** Soft normalised sufficiency, one value for each draw: see `softFaithfulness`. */
export async function softNS(
  lm: EmbeddingLM,
  ids: Int32Array,
  importance: ArrayLike<number>,
  options: FaithfulnessOptions = {},
): Promise<number[]> {
  return (await softFaithfulness(lm, ids, importance, options)).softNS;
}

/** Soft normalised comprehensiveness, one value for each draw: see `softFaithfulness`. */
export async function softNC(
  lm: EmbeddingLM,
  ids: Int32Array,
  importance: ArrayLike<number>,
  options: FaithfulnessOptions = {},
): Promise<number[]> {
  return (await softFaithfulness(lm, ids, importance, options)).softNC;
}

/**
 * Sufficiency and comprehensiveness of exactly the n tokens with the largest scores.
 * @param n tokens that are kept, or removed, 0 to L
 */
export async function hardFaithfulness(
  lm: EmbeddingLM,
  ids: Int32Array,
  scores: ArrayLike<number>,
  n: number,
  options: FaithfulnessOptions = {},
): Promise<HardFaithfulness> {
  const reference = await Reference.of(lm, ids, options);
  requireInteger("hardFaithfulness", "n", n, 0, ids.length);
  if (scores?.length !== ids.length) {
    throw new ShapeError(`hardFaithfulness: scores has ${scores?.length} entries for a prompt of ${ids.length} tokens`);
  }
  const top = new Set(largest(scores, n));
  const [kept, removed] = await reference.distances(
    keptEmbeddings(reference.embeds, 2, (row, i) => top.has(i) === (row === 0)),
  );
  return {
    sufficiency: 1 - kept,
    comprehensiveness: removed,
    normalizedSufficiency: reference.sufficiency(kept),
    normalizedComprehensiveness: removed / reference.range,
  };
}

/** The figure that is reported: ln of a method's mean metric over that of random attributions. */
export function logRatioToRandom(method: readonly number[], random: readonly number[]): number {
  requireObject("logRatioToRandom", "method", method, "an array of numbers");
  requireObject("logRatioToRandom", "random", random, "an array of numbers");
  if (method.length === 0 || random.length === 0) {
    throw new ValueError("logRatioToRandom: there are no values; give the metric of at least one prompt");
  }
  const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return Math.log(meanOf(method) / meanOf(random));
}
