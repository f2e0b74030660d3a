import type { MaskedLM } from "@offprint/language";
import { NonFiniteError, type Rng, requireChoice, requireInteger, ValueError } from "@offprint/tensor-core";
import { requireFunction } from "../argument-checks.js";

/** How a masked model's prediction is turned into a token. */
export interface FillInOptions {
  /** The most probable token, or one drawn by its probability. Default `"argmax"`. */
  mode?: "argmax" | "sample";
  /** Whether the original token is never put back. Default false. */
  excludeOriginal?: boolean;
  /** When sampling: draw among the most probable tokens that together have this probability, in (0, 1]. Default 1. */
  topP?: number;
}

/** The names of {@link FillInOptions}. */
export const fillInOptionNames = [
  "mode",
  "excludeOriginal",
  "topP",
] as const satisfies readonly (keyof FillInOptions)[];

/** Checks a masked model. @throws ValueError for one without a mask token. */
export function requireMaskedLM(where: string, model: MaskedLM): void {
  const given = (model ?? {}) as Partial<MaskedLM>;
  requireFunction(where, "logits of the masked model", given.logits, "give { vocabSize, maskId, logits(prompts) }");
  requireInteger(where, "vocabSize of the masked model", model.vocabSize, 1);
  if (Number.isInteger(model.maskId) && model.maskId >= 0 && model.maskId < model.vocabSize) return;
  throw new ValueError(
    `${where}: maskId is ${model.maskId}; a masked model needs a mask token with an id from 0 to ${model.vocabSize - 1}`,
  );
}

/** Chooses a token from a row of scores. */
export type FillIn = (logits: ArrayLike<number>, start: number, original: number, rng: Rng) => number;

/**
 * A chooser among the ids of a masked model.
 * @param candidates ids that may be filled in
 */
export function fillIn(where: string, candidates: Int32Array, options: FillInOptions): FillIn {
  const { mode = "argmax", excludeOriginal = false, topP = 1 } = options;
  requireChoice(where, "mode", mode, ["argmax", "sample"]);
  if (!(topP > 0 && topP <= 1)) throw new ValueError(`${where}: topP is ${topP}; it must be above 0 and at most 1`);
  if (candidates.length < 2) throw new ValueError(`${where}: fewer than two tokens can be filled in`);
  return (logits, start, original, rng) => {
    const left = excludeOriginal ? candidates.filter((id) => id !== original) : candidates;
    const best = mostProbable(logits, start, left);
    if (logits[start + best] === -Infinity) {
      throw new NonFiniteError(`${where}: the masked model forbids every token that may be filled in`);
    }
    return mode === "argmax" ? best : sampled(logits, { start, candidates: left, best }, topP, rng);
  };
}

function mostProbable(logits: ArrayLike<number>, start: number, candidates: Int32Array): number {
  let best = candidates[0];
  for (const id of candidates) if (logits[start + id] > logits[start + best]) best = id;
  return best;
}

/** Candidates of a place whose scores begin at `start`; `best` is the most probable. */
interface Place {
  readonly start: number;
  readonly candidates: Int32Array;
  readonly best: number;
}

function sampled(logits: ArrayLike<number>, { start, candidates, best }: Place, topP: number, rng: Rng): number {
  const weightOf = (id: number): number => Math.exp(logits[start + id] - logits[start + best]);
  const nucleus = topP < 1 ? mostLikely(candidates, weightOf, topP) : candidates;
  const weights = new Float64Array(nucleus.length);
  let mass = 0;
  for (let k = 0; k < weights.length; k++) mass += weights[k] = weightOf(nucleus[k]);
  let rest = rng.uniform([], { high: mass, dtype: "float64" }).item();
  for (let k = 0; k < weights.length; k++) {
    rest -= weights[k];
    if (rest < 0) return nucleus[k];
  }
  return nucleus[nucleus.length - 1];
}

/** The fewest tokens that together have a share of the weight, most probable first. */
function mostLikely(candidates: Int32Array, weightOf: (id: number) => number, share: number): Int32Array {
  const sorted = Array.from(candidates, (id) => ({ id, weight: weightOf(id) }));
  sorted.sort((a, b) => b.weight - a.weight || a.id - b.id);
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let mass = 0;
  const count = sorted.findIndex(({ weight }) => (mass += weight) >= share * total) + 1;
  return Int32Array.from(sorted.slice(0, count === 0 ? sorted.length : count), ({ id }) => id);
}
