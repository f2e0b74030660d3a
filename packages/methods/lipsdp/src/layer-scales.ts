import type { CheckedFeedForward } from "./network.js";
import type { RawSolution } from "./raw-solution.js";

/*
 * Factors by which the layers of a feed-forward network are divided before its programme is solved. Any are exact, as the
 * bound is homogeneous, but the solver's tolerance is absolute below 1: they are to bring the optimum and the multipliers
 * of every layer near 1.
 */

/** What a first solution is thought to be at least, relative to the programme's scale. */
const LEAST = 1e-6;

/** @internal The norms of the layers, times the root mean square of the slopes that follow. */
export function typicalScales({ groups }: CheckedFeedForward, norms: readonly number[]): number[] {
  const squares = norms.map(() => 0);
  const neurons = norms.map(() => 0);
  for (const { kind, size, layer, alpha, beta } of groups) {
    squares[layer] += size * (kind === "slope" ? (alpha ** 2 + beta ** 2) / 2 : 1);
    neurons[layer] += size;
  }
  return norms.map((norm, layer) => norm * (Math.sqrt(squares[layer] / (neurons[layer] || 1)) || 1));
}

/**
 * @internal The scales for which a solution that was found with others has an optimum of 1 and multipliers of mean 1.
 * Increments of layer i that are c_i times smaller have multipliers that are c_i^2 times larger, relative to the optimum.
 */
export function scalesFor(
  { groups }: CheckedFeedForward,
  scales: readonly number[],
  { result, multipliers }: Pick<RawSolution, "result" | "multipliers">,
  squared: boolean,
): number[] {
  const optimum = Math.max(LEAST, result.objective);
  const sums = scales.map(() => 0);
  const counts = scales.map(() => 0);
  for (const [g, { layer }] of groups.entries()) {
    sums[layer] += Math.max(0, multipliers.lambda[g]);
    counts[layer]++;
  }
  const floor = LEAST * Math.min(1, optimum);
  const last = scales.length - 1;
  const grown = scales.map((_, layer) => {
    if (layer === last) return squared ? Math.sqrt(optimum) : optimum;
    return Math.sqrt(optimum / Math.max(floor, sums[layer] / counts[layer]));
  });
  return scales.map((scale, layer) => (scale * grown[layer]) / (layer === 0 ? 1 : grown[layer - 1]));
}
