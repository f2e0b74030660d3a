import { log1pmx } from "./log-exp.js";

/**
 * Deviance `a log(a / m) + m - a`, never negative, without cancellation where `m` is near `a`; `difference` is `m - a`.
 * The prefactors of the incomplete gamma and beta functions are products of such terms (Loader 2000, "Fast and accurate
 * computation of binomial probabilities").
 */
export function deviance(a: number, m: number, difference: number): number {
  const u = difference / a;
  if (Math.abs(u) <= 0.5) return -a * log1pmx(u);
  if (m === 0) return Number.POSITIVE_INFINITY;
  if (m === Number.POSITIVE_INFINITY) return m;
  const ratio = a / m;
  return a * (ratio < Number.POSITIVE_INFINITY ? Math.log(ratio) : Math.log(a) - Math.log(m)) + difference;
}
