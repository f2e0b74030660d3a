/** The largest distance of sorted probabilities from those of a uniform law. */
export function distance(probabilities: ArrayLike<number>): number {
  const sorted = Array.from(probabilities).sort((a, b) => a - b);
  const n = sorted.length;
  return sorted.reduce((worst, p, i) => Math.max(worst, p - i / n, (i + 1) / n - p), 0);
}

/** The chance that n draws are as far from their law, by Kolmogorov's limit with Stephens' correction. */
export function chanceOf(found: number, n: number): number {
  const lambda = (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n)) * found;
  let total = 0;
  for (let k = 1; k <= 100; k++) total += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * (k * lambda) ** 2);
  return lambda < 0.2 ? 1 : Math.max(0, Math.min(1, total));
}
