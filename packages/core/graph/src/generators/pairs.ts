import { type Rng, ValueError } from "@offprint/tensor-core";

/** Throws unless `value` is a probability. */
export function requireProbability(owner: string, option: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new ValueError(`${owner}: ${option} is ${value}; it must be in [0, 1]`);
}

/** Calls `visit` for each of the numbers below `count` with the given probability, skipping over the others. */
export function eachWithProbability(count: number, probability: number, rng: Rng, visit: (i: number) => void): void {
  if (probability === 0) return;
  const scale = probability === 1 ? 0 : 1 / Math.log1p(-probability);
  let draws: Float64Array = new Float64Array(0);
  let next = 0;
  for (let i = 0; ; i++) {
    if (next === draws.length) {
      draws = rng.uniform([256], { dtype: "float64" }).data() as Float64Array;
      next = 0;
    }
    // The number of failures before a success.
    if (scale !== 0) i += Math.floor(Math.log1p(-draws[next++]) * scale);
    if (i >= count) return;
    visit(i);
  }
}

/** Pair `k` of those with a lower first node, in the order (0,1), (0,2), (1,2), (0,3), ... */
export function pairAt(k: number): [low: number, high: number] {
  let high = Math.floor((1 + Math.sqrt(1 + 8 * k)) / 2);
  if ((high * (high - 1)) / 2 > k) high--;
  else if ((high * (high + 1)) / 2 <= k) high++;
  return [k - (high * (high - 1)) / 2, high];
}
