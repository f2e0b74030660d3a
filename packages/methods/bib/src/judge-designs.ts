import { requireFunction, requireInteger, requireObject, ShapeError, ValueError } from "@offprint/tensor-core";
import type { OfflineTable } from "./fit-table.js";

/**
 * The rows of the lowest scores, in ascending order: what the paper designs from where all scores are known, 5000 rows of the DNA tasks and half
 * of the proteins'.
 * @param count How many, at most all. Default half of them, rounded up.
 */
export function lowestRows(table: OfflineTable, count?: number): OfflineTable {
  requireObject("lowestRows", "table", table, "an OfflineTable");
  const { sequences, scores } = table;
  const rows = sequences?.length ?? 0;
  if (rows === 0 || scores?.length !== rows) {
    throw new ShapeError(`lowestRows: the table has ${rows} sequences and ${scores?.length} scores; give one for each`);
  }
  const wanted = count ?? Math.ceil(rows / 2);
  requireInteger("lowestRows", "count", wanted, 1, rows);
  const order = Array.from(sequences.keys())
    .sort((a, b) => scores[a] - scores[b])
    .slice(0, wanted);
  return { sequences: order.map((i) => sequences[i]), scores: Float64Array.from(order, (i) => scores[i]) };
}

/** True scores of designs, as parts of the range of all that are known: 0 is the worst known, 1 the best. */
export interface DesignJudgement {
  /** Of each design, in order. */
  readonly scores: Float64Array;
  /** The best of them. */
  readonly largest: number;
  /** The middle one. */
  readonly median: number;
  /** Their mean. */
  readonly mean: number;
}

/**
 * Judges designs by the truth as the paper does: `(y - y_min) / (y_max - y_min)` over all known scores.
 * @param truth The score of a sequence, such as that of an experiment or an oracle.
 * @param known All scores that are known, not those of the offline table alone.
 * @throws ValueError for scores that are not finite, and known ones that are all the same.
 */
export function judgeDesigns(
  designs: readonly string[],
  truth: (sequence: string) => number,
  known: ArrayLike<number>,
): DesignJudgement {
  const owner = "judgeDesigns";
  requireObject(owner, "designs", designs, "an array of texts");
  requireFunction(owner, "truth", truth);
  requireObject(owner, "known", known, "an array of numbers");
  if (designs.length === 0) throw new ValueError(`${owner}: there are no designs; give at least one`);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < known.length; i++) [least, most] = [Math.min(least, known[i]), Math.max(most, known[i])];
  if (!(most > least && Number.isFinite(most - least))) {
    throw new ValueError(`${owner}: known scores go from ${least} to ${most}; give two different ones or more, finite`);
  }
  const scores = Float64Array.from(designs, (sequence) => {
    const score = truth(sequence);
    if (Number.isFinite(score)) return (score - least) / (most - least);
    throw new ValueError(`${owner}: truth gives ${score} for ${JSON.stringify(sequence)}; it must be a finite number`);
  });
  const sorted = scores.slice().sort();
  const half = sorted.length >> 1;
  return {
    scores,
    largest: sorted[sorted.length - 1],
    median: sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2,
    mean: scores.reduce((sum, score) => sum + score, 0) / scores.length,
  };
}
