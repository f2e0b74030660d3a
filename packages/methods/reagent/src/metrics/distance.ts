import { requireChoice, requireObject, ShapeError } from "@offprint/tensor-core";

/**
 * Which distance between distributions: `"official"` is that of the authors' code, `sum (sqrt p - sqrt q)^2 / sqrt 2`,
 * in [0, sqrt 2]; `"hellinger"` is the true one, its half's root, in [0, 1].
 */
export type Distance = "official" | "hellinger";

/** Distance of two distributions over the same tokens; 0 only where they are equal. */
export function distributionDistance(p: ArrayLike<number>, q: ArrayLike<number>, kind: Distance = "official"): number {
  requireObject("distributionDistance", "p", p, "an array of numbers");
  requireObject("distributionDistance", "q", q, "an array of numbers");
  if (p.length !== q.length) {
    throw new ShapeError(`distributionDistance: p has ${p.length} probabilities and q ${q.length}; give equally many`);
  }
  requireChoice("distributionDistance", "distance", kind, ["official", "hellinger"]);
  let total = 0;
  for (let v = 0; v < p.length; v++) total += (Math.sqrt(p[v]) - Math.sqrt(q[v])) ** 2;
  // Rounding can take the sum a little beyond 2, where nothing is left in common.
  total = Math.min(total, 2);
  return kind === "official" ? total / Math.SQRT2 : Math.sqrt(total / 2);
}
