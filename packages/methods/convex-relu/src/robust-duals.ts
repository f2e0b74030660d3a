import { blockNorm, dotColumns } from "./column-products.js";
import { projectedNorm } from "./cone-maximum.js";
import type { Design } from "./design.js";
import type { DualBound } from "./dual-bound.js";
import { arrangementPatterns, boxCorners, cornerCount, enumerationWork, levelled } from "./enumerate-patterns.js";
import { bestDualValue, type Loss } from "./loss.js";
import type { Patterns } from "./patterns.js";

/** @internal Dual variables of the robust programme, from whatever solver; they need not be feasible. */
export interface RobustDuals {
  /** Derivative of the loss: for hinge and bce by the margin q_k (>= 0), for squared by f_k. `[n]` */
  readonly slope: Float64Array;
  /** Derivative of the loss by the worst move, >= |slope|. `[n]` */
  readonly size: Float64Array;
  /** theta, with |theta_kc| <= size_k: which way the worst move goes. `[n, d]` */
  readonly theta: Float64Array;
  /** Multipliers of the blocks' constraints, >= 0. `[2P, n]` */
  readonly multipliers: Float64Array;
  /** rho, with |rho_jc| <= sum_k multipliers_jk: subgradients of ||eps o v_j||_1. `[2P, d]` */
  readonly turn: Float64Array;
}

/** Generators of a cone up to which its exact maximum is computed. */
const MOST_GENERATORS = 4000;
/** As in the clean certificate: all patterns are looked at where that is affordable. */
const ALL_WORK = 2e6;

/**
 * @internal Lower bound of the robust programme by weak duality. With Z_k = -(derivative of the loss by R_k), repaired to
 * be a subgradient, and g_i = sum_k d_ik Z_k, every k with `k max_i ||g_i + (element of the dual cone)|| <= beta` gives
 * the bound `sum_k min_R L_k(R) + k Z_k^T R`.
 */
export function robustDualBound(
  design: Design,
  patterns: Patterns,
  loss: Loss,
  y: Float64Array,
  beta: number,
  eps: Float64Array,
  duals: RobustDuals,
): DualBound {
  const { n, d, rows } = design;
  const z = new Float64Array(n);
  const size = new Float64Array(n);
  const Z = new Float64Array(d * n);
  const range = loss === "hinge" ? 1 : 2;
  for (let k = 0; k < n; k++) {
    size[k] = loss === "squared" ? Math.max(duals.size[k], 0) : Math.min(Math.max(duals.slope[k], 0), range);
    const slope = loss === "squared" ? clip(duals.slope[k], size[k]) : -y[k] * size[k];
    z[k] = -slope;
    for (let c = 0; c < d; c++)
      Z[c * n + k] = -slope * rows[k * d + c] - eps[c] * clip(duals.theta[k * d + c], size[k]);
  }
  const exact = n * cornerCount(eps) <= MOST_GENERATORS;
  const all = exact && enumerationWork(n * cornerCount(eps), d) <= ALL_WORK;
  const corners = exact ? boxCorners(eps) : [];
  const looked = all && !patterns.complete ? arrangementPatterns(design, eps) : patterns;
  let M = 0;
  const g = new Float64Array(d);
  for (const [i, pattern] of looked.D.entries()) {
    for (const side of [0, 1]) {
      for (let c = 0; c < d; c++) {
        let sum = 0;
        for (let k = 0; k < n; k++) if (pattern[k]) sum += Z[c * n + k];
        g[c] = side === 0 ? sum : -sum;
      }
      if (blockNorm(g, 0, d) <= M) continue;
      const block = i + side * patterns.D.length;
      M = Math.max(
        M,
        exact
          ? projectedNorm(coneGenerators(design, pattern, corners), n * corners.length, d, g)
          : boundBy(design, pattern, eps, duals, block, g),
      );
    }
  }
  const limit = M > 0 ? (beta / M) * (1 - 1e-12) : Infinity;
  return { value: bestDualValue(loss, z, y, limit, size), scope: looked.complete ? "network" : "patterns" };
}

/**
 * @internal The patterns whose blocks can differ from 0: the cone that the corners of all boxes leave them is more than
 * the origin. If it holds some u != 0, the sum of its generators has a positive product with u, hence a projection
 * that is not 0. Where the corners are too many, all patterns are kept.
 */
export function usablePatterns(design: Design, patterns: Patterns, eps: Float64Array): Patterns {
  if (design.n * cornerCount(eps) > MOST_GENERATORS) return patterns;
  const { n, d } = design;
  const { rows, units } = levelled(design);
  const corners = boxCorners(eps.map((radius, c) => radius / units[c]));
  const D = patterns.D.filter((pattern) => {
    const generators = coneGenerators({ ...design, rows }, pattern, corners);
    const sum = new Float64Array(d);
    for (let p = 0; p < generators.length; p++) sum[p % d] += generators[p];
    return projectedNorm(generators, n * corners.length, d, sum) > 1e-9 * blockNorm(sum, 0, d);
  });
  return { ...patterns, D };
}

function clip(value: number, size: number): number {
  return Math.min(Math.max(value, -size), size);
}

/** `[n corners, d]`: the vectors that u in the pattern's cone must have a product >= 0 with. */
function coneGenerators({ n, d, rows }: Design, pattern: Uint8Array, corners: readonly Float64Array[]): Float64Array {
  const generators = new Float64Array(n * corners.length * d);
  let p = 0;
  for (let k = 0; k < n; k++) {
    const sign = pattern[k] ? 1 : -1;
    for (const corner of corners) for (let c = 0; c < d; c++) generators[p++] = sign * (rows[k * d + c] + corner[c]);
  }
  return generators;
}

/** ||g + X^T (2 D - I) mu + eps o rho|| for the solver's mu and rho, made feasible. */
function boundBy(
  { n, d, columns }: Design,
  pattern: Uint8Array,
  eps: Float64Array,
  { multipliers, turn }: RobustDuals,
  block: number,
  g: Float64Array,
): number {
  const signed = new Float64Array(n);
  let total = 0;
  for (let k = 0; k < n; k++) {
    const mu = Math.max(multipliers[block * n + k], 0);
    total += mu;
    signed[k] = pattern[k] ? mu : -mu;
  }
  const moved = new Float64Array(d);
  dotColumns(columns, n, d, signed, moved, 0);
  for (let c = 0; c < d; c++) moved[c] += g[c] + eps[c] * clip(turn[block * d + c], total);
  return Math.min(blockNorm(moved, 0, d), blockNorm(g, 0, d));
}
