/** How a signed change of probability becomes evidence: the paper's `logit`, or the change itself. */
export type UpdateRule = "logit" | "linear";

/** Changes nearer to +-1 than this count as this near, so that no evidence is infinite. */
const NEAR_ONE = 1 - 1e-6;

/**
 * What one replacement adds to the log-score of a token: `logit((g + 1) / 2) = 2 atanh(g)` for a signed change g in
 * [-1, 1] of the target's probability, or g itself with the linear rule.
 */
export function evidence(change: number, rule: UpdateRule = "logit"): number {
  if (rule === "linear") return change;
  return 2 * Math.atanh(Math.min(Math.max(change, -NEAR_ONE), NEAR_ONE));
}
