import { checkOptions, type tree, ValueError } from "@offprint/tensor-core";
import {
  type GradientStats,
  InnerProductPool,
  MomentPool,
  PerSampleGradients,
  type StatsOptions,
  statsOf,
} from "./gradient-stats.js";

/** Options of `pooledStats`. */
export interface PooledStatsOptions extends StatsOptions {
  /**
   * `exact` gives what one batch of all samples would. `total-variance` is the authors' formula for workers with equally
   * many samples: the mean of their unbiased variances plus the population variance of their means. Default `exact`.
   */
  mode?: "exact" | "total-variance";
}

/**
 * Statistics of a batch whose per-sample gradients come in micro-batches.
 *
 * @param microBatches trees like those of `gradientStats`, two samples in all at least.
 * @throws as `gradientStats`; ShapeError for micro-batches of different parameters; ValueError for `total-variance` of micro-batches of different sizes, or of single samples.
 */
export function pooledStats(microBatches: Iterable<tree.Tree>, options: PooledStatsOptions = {}): GradientStats {
  if (typeof microBatches?.[Symbol.iterator] !== "function") {
    throw new ValueError("pooledStats: the micro-batches are no list; give an array of trees of gradients");
  }
  checkOptions("pooledStats", options, ["mode", "blockwise"]);
  const { mode = "exact", blockwise = false } = options;
  if (mode !== "exact" && mode !== "total-variance") {
    throw new ValueError(`pooledStats: mode is ${String(mode)}; it must be exact or total-variance`);
  }
  const parts = [...microBatches].map((part) => new PerSampleGradients("pooledStats", part));
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  if (count < 2) throw new ValueError(`pooledStats: ${count} samples have no variance; give at least 2`);
  for (const [i, part] of parts.entries()) part.requireLike(`pooledStats: micro-batch ${i}`, parts[0]);
  const moments = new MomentPool(parts[0].widths);
  for (const part of parts) moments.add(part.count, part.means(), part.squares());
  if (mode === "total-variance") replaceByTotalVariance(moments, parts);
  const inner = new InnerProductPool(moments, blockwise);
  for (const part of parts) inner.add(part.innerProducts(moments.mean));
  return statsOf(moments, inner, (values) => parts[0].unflatten(values));
}

/** `mean of s_p^2 + mean of m_p^2 - m^2`, per coordinate, as sums with the divisor b - 1. */
function replaceByTotalVariance(moments: MomentPool, parts: readonly PerSampleGradients[]): void {
  const size = parts[0].count;
  for (const part of parts) {
    if (part.count !== size || size < 2) {
      throw new ValueError(
        `pooledStats: total-variance needs micro-batches of one size, at least 2; there are ${parts.map((p) => p.count).join(", ")} samples. Take mode exact`,
      );
    }
  }
  const means = parts.map((part) => part.means());
  const squares = parts.map((part) => part.squares());
  const P = parts.length;
  moments.squares.forEach((total, l) => {
    for (let j = 0; j < total.length; j++) {
      let within = 0;
      let between = 0;
      for (let p = 0; p < P; p++) {
        within += squares[p][l][j] / (size - 1) / P;
        between += (means[p][l][j] - moments.mean[l][j]) ** 2 / P;
      }
      total[j] = (within + between) * (moments.count - 1);
    }
  });
}
