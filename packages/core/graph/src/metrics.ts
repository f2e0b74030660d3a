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

function ranked(owner: string, scores: ArrayLike<number>, positive: ArrayLike<number>): Int32Array {
  if (scores.length !== positive.length) {
    throw new ShapeError(`${owner}: ${scores.length} scores for ${positive.length} labels; give one label per score`);
  }
  const order = Int32Array.from({ length: scores.length }, (_, i) => i);
  for (const i of order) {
    if (Number.isNaN(scores[i])) throw new ValueError(`${owner}: score ${i} is NaN`);
  }
  return order.sort((a, b) => scores[b] - scores[a]);
}

/**
 * Area under the receiver operating characteristic: the chance that a positive scores above a negative, ties counting
 * one half.
 * @param positive 1 for a positive, 0 for a negative
 * @throws ValueError without a positive or without a negative.
 */
export function rocAuc(scores: ArrayLike<number>, positive: ArrayLike<number>): number {
  requireObject("rocAuc", "scores", scores, "an array of numbers");
  requireObject("rocAuc", "positive", positive, "an array of numbers");
  const order = ranked("rocAuc", scores, positive);
  let above = 0;
  let wins = 0;
  let negatives = 0;
  for (let i = 0; i < order.length; ) {
    let hits = 0;
    let misses = 0;
    for (const score = scores[order[i]]; i < order.length && scores[order[i]] === score; i++) {
      if (positive[order[i]]) hits++;
      else misses++;
    }
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
  requireObject("averagePrecision", "scores", scores, "an array of numbers");
  requireObject("averagePrecision", "positive", positive, "an array of numbers");
  const order = ranked("averagePrecision", scores, positive);
  let seen = 0;
  let hits = 0;
  let total = 0;
  for (let i = 0; i < order.length; ) {
    let gained = 0;
    for (const score = scores[order[i]]; i < order.length && scores[order[i]] === score; i++, seen++) {
      if (positive[order[i]]) gained++;
    }
    hits += gained;
    total += (gained * hits) / seen;
  }
  if (hits === 0) throw new ValueError("averagePrecision: no positives; it needs at least one");
  return total / hits;
}
