import { requireObject, ShapeError, ValueError } from "@offprint/tensor-core";

/**
 * Part of the chosen nodes whose predicted class is right.
 * @param chosen mask; default all
 * @throws ValueError where none is chosen.
 */
export function nodeAccuracy(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
  chosen?: ArrayLike<number>,
): number {
  requireObject("nodeAccuracy", "predicted", predicted, "an array of numbers");
  requireObject("nodeAccuracy", "labels", labels, "an array of numbers");
  let right = 0;
  let total = 0;
  for (let i = 0; i < labels.length; i++) {
    if (chosen !== undefined && chosen[i] === 0) continue;
    total++;
    if (predicted[i] === labels[i]) right++;
  }
  if (total === 0) throw new ValueError("nodeAccuracy: no node is chosen; give a mask with a node in it");
  return right / total;
}

/** How many positives and negatives have each score, the highest score first. */
function ranked(
  owner: string,
  scores: ArrayLike<number>,
  positive: ArrayLike<number>,
): { hits: number; misses: number }[] {
  requireObject(owner, "scores", scores, "an array of numbers");
  requireObject(owner, "positive", positive, "an array of numbers");
  if (scores.length !== positive.length) {
    throw new ShapeError(`${owner}: ${scores.length} scores for ${positive.length} labels; give one label per score`);
  }
  const order = Int32Array.from({ length: scores.length }, (_, i) => i);
  for (const i of order) {
    if (Number.isNaN(scores[i])) throw new ValueError(`${owner}: score ${i} is NaN`);
  }
  order.sort((a, b) => scores[b] - scores[a]);
  const ranks: { hits: number; misses: number }[] = [];
  for (let i = 0; i < order.length; ) {
    const rank = { hits: 0, misses: 0 };
    for (const score = scores[order[i]]; i < order.length && scores[order[i]] === score; i++) {
      if (positive[order[i]]) rank.hits++;
      else rank.misses++;
    }
    ranks.push(rank);
  }
  return ranks;
}

/**
 * Area under the receiver operating characteristic: the chance that a positive scores above a negative, ties counting
 * one half.
 * @param positive 1 for a positive, 0 for a negative
 * @throws ValueError without a positive or without a negative.
 */
export function rocAuc(scores: ArrayLike<number>, positive: ArrayLike<number>): number {
  let above = 0;
  let wins = 0;
  let negatives = 0;
  for (const { hits, misses } of ranked("rocAuc", scores, positive)) {
    wins += misses * (above + hits / 2);
    above += hits;
    negatives += misses;
  }
  if (above === 0 || negatives === 0) {
    throw new ValueError(`rocAuc: ${above} positives and ${negatives} negatives; it needs at least one of each`);
  }
  return wins / (above * negatives);
}

/**
 * Average precision: precision at each score, weighted by the recall gained there; equal scores are one step.
 * @param positive 1 for a positive, 0 for a negative
 * @throws ValueError without a positive.
 */
export function averagePrecision(scores: ArrayLike<number>, positive: ArrayLike<number>): number {
  let seen = 0;
  let found = 0;
  let total = 0;
  for (const { hits, misses } of ranked("averagePrecision", scores, positive)) {
    seen += hits + misses;
    found += hits;
    total += (hits * found) / seen;
  }
  if (found === 0) throw new ValueError("averagePrecision: no positives; it needs at least one");
  return total / found;
}
