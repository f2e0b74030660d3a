import { random } from "@offprint/tensor-core";
import type { Workspace } from "../workspace.js";
import { compositeDecrease } from "./variable-rules.js";

/** The number of the block that a rule takes at iteration k, of blocks that stay the same. */
export type FixedRule = (k: number) => number;

/** The rules that do not look at the gradient. */
export function plainFixedRule(rule: "random" | "cyclic" | "perm" | "lipschitz", space: Workspace): FixedRule {
  const { fixed, seed } = space;
  const count = fixed.length;
  if (rule === "cyclic") return (k) => k % count;
  if (rule === "random") return (k) => random.rng(`${seed}/block/${k}`).randint([], { high: count }).item();
  if (rule === "perm") {
    const orderOf = sweepOrders(seed, count);
    return (k) => orderOf(Math.floor(k / count))[k % count];
  }
  return (k) => {
    const weights = Float64Array.from(fixed, (block, id) => space.blockConstant(block, id));
    return random.rng(`${seed}/block/${k}`).choice(count, { weights }).item();
  };
}

/** @internal The random order of a sweep; one after the other, each is drawn once. */
export function sweepOrders(seed: number | string, count: number): (sweep: number) => Int32Array {
  let known: { sweep: number; order: Int32Array } | undefined;
  return (sweep) => {
    if (known?.sweep !== sweep) {
      known = { sweep, order: random.rng(`${seed}/sweep/${sweep}`).permutation(count).data() as Int32Array };
    }
    return known.order;
  };
}

/** The greedy rules: score every block, take the first of the best. */
export function greedyFixedRule(
  rule: "gs" | "gsl" | "gsd" | "gsq" | "mi" | "gs-q",
  space: Workspace,
  norm: 1 | 2,
): FixedRule {
  const { fixed } = space;
  const scores: Record<typeof rule, (block: Int32Array, id: number, g: Float64Array) => number> = {
    gs: (block, _id, g) => size(block, g, norm),
    gsl: (block, id, g) =>
      size(block, g, norm) / (norm === 1 ? Math.sqrt(space.blockConstant(block, id)) : space.blockConstant(block, id)),
    gsd: (block, id, g) => {
      const D = space.bounds.of(block, id).rowSums;
      let score = 0;
      for (let k = 0; k < block.length; k++) score += g[block[k]] ** 2 / D[k];
      return score;
    },
    gsq: (block, id, g) => space.bounds.of(block, id).decrease(Float64Array.from(block, (i) => g[i])),
    // For a quadratic the largest decrease is half of the score of gsq.
    mi: (block, id, g) => 0.5 * space.bounds.of(block, id).decrease(Float64Array.from(block, (i) => g[i])),
    "gs-q": (block, _id, g) => {
      let score = 0;
      for (const i of block) score += compositeDecrease(space, i, g[i]);
      return score;
    },
  };
  const score = scores[rule];
  return () => {
    const g = space.state.gradient();
    let best = 0;
    let most = -Infinity;
    for (let id = 0; id < fixed.length; id++) {
      const value = score(fixed[id], id, g);
      if (value > most) {
        most = value;
        best = id;
      }
    }
    return best;
  };
}

/** sum g_i^2, or sum |g_i|. */
function size(block: Int32Array, g: Float64Array, norm: 1 | 2): number {
  let total = 0;
  for (const i of block) total += norm === 1 ? Math.abs(g[i]) : g[i] * g[i];
  return total;
}
