import { blockNorm, dotColumns } from "./column-products.js";
import { coneMaximum } from "./cone-maximum.js";
import type { Design } from "./design.js";
import { bestDualValue, type Loss } from "./loss.js";
import type { Patterns } from "./patterns.js";

/** A lower bound of the best objective that any competitor can reach, proved by weak duality. */
export interface DualBound {
  /** The bound, in the units of the objective. */
  readonly value: number;
  /**
   * Who cannot be below it: `network`, every network of every width; `patterns`, the convex programme and every network
   * with these activation patterns only, because not all patterns were looked at.
   */
  readonly scope: "network" | "patterns";
}

/**
 * @internal M(z) = max over the patterns and both signs of the largest `+-z^T D_i X u` with u in the pattern's cone and
 * in the unit ball; an upper bound of it that is tight to rounding.
 */
export function dualNorm(design: Design, { D }: Patterns, z: Float64Array): number {
  const { n, d, columns } = design;
  const masked = new Float64Array(n);
  const g = new Float64Array(d);
  let largest = 0;
  for (const pattern of D) {
    for (let k = 0; k < n; k++) masked[k] = pattern[k] ? z[k] : 0;
    dotColumns(columns, n, d, masked, g, 0);
    if (blockNorm(g, 0, d) <= largest) continue;
    for (let sign = 0; sign < 2; sign++) {
      largest = Math.max(largest, coneMaximum(design, pattern, g));
      for (let c = 0; c < d; c++) g[c] = -g[c];
    }
  }
  return largest + roundingOf(design, z);
}

/**
 * What rounding can have taken from the largest `z^T D X u`: little beside it, unless samples lie so near each other that
 * most of their sum cancels.
 */
function roundingOf({ n, d, rows }: Design, z: Float64Array): number {
  let terms = 0;
  for (let k = 0; k < n; k++) terms += Math.abs(z[k]) * blockNorm(rows, k * d, d);
  return 2 * (n + 8) * Number.EPSILON * terms;
}

/**
 * @internal `p* >= max_k dual(k z)` over all k with `k M(z) <= beta`, for z minus a subgradient of the loss. Any z gives
 * a bound; that of an optimal network gives the optimum.
 */
export function dualBound(
  design: Design,
  patterns: Patterns,
  loss: Loss,
  z: Float64Array,
  y: Float64Array,
  beta: number,
): DualBound {
  const M = dualNorm(design, patterns, z);
  const limit = M > 0 ? (beta / M) * (1 - 1e-12) : Infinity;
  return { value: bestDualValue(loss, z, y, limit), scope: patterns.complete ? "network" : "patterns" };
}

/** How far an objective is above its lower bound, as a part of the bound: 0 where both are 0. */
export function relativeGap(objective: number, bound: number): number {
  if (bound > 0) return objective / bound - 1;
  return objective > 0 ? Infinity : 0;
}
