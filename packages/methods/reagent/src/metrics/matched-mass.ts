import { requireObject, ValueError } from "@offprint/tensor-core";
import { requireOpenUnit } from "../argument-checks.js";

/**
 * Keep-probabilities `min(1, c a_i)`, `a_i = max(score_i, 0)`, with c such that their mean is `rho`: every method then
 * keeps the same amount, so that it gains nothing by being peaky.
 *
 * @param rho mean of the result, in (0, 1]. Default 0.15.
 * @returns `[L]`, in the order of the scores.
 * @throws ValueError where fewer than `rho L` scores are positive, or one is not finite.
 */
export function matchedKeepProbabilities(scores: ArrayLike<number>, rho = 0.15): Float64Array {
  requireObject("matchedKeepProbabilities", "scores", scores, "an array of numbers");
  const where = "matchedKeepProbabilities";
  if (rho !== 1) requireOpenUnit(where, "rho", rho);
  const a = Float64Array.from(scores, (score, i) => {
    if (!Number.isFinite(score)) throw new ValueError(`${where}: scores[${i}] is ${score}; it must be finite`);
    return Math.max(score, 0);
  });
  const order = Array.from(a, (_, i) => i).sort((i, k) => a[k] - a[i] || i - k);
  const positive = a.filter((value) => value > 0).length;
  const mass = rho * a.length;
  if (mass > positive || a.length === 0) {
    throw new ValueError(
      `${where}: ${positive} of ${a.length} scores are positive, too few to keep ${mass} tokens; take a smaller rho`,
    );
  }
  // The k largest are kept for sure, the others in proportion to their scores: the first k for which none exceeds 1.
  let rest = a.reduce((total, value) => total + value, 0);
  const out = new Float64Array(a.length);
  for (let k = 0; k <= positive; k++) {
    const scale = rest > 0 ? (mass - k) / rest : 0;
    if (k === positive || scale * a[order[k]] <= 1) {
      for (const [place, i] of order.entries()) out[i] = place < k ? 1 : Math.min(1, scale * a[i]);
      return out;
    }
    rest -= a[order[k]];
  }
  return out;
}
