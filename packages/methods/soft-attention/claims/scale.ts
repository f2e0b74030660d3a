import { type Claim, type ClaimContext, figure } from "@offprint/claims";
import { jit, matmul, mul, ones, random, sqrt, square, sum, swapAxes, type Tensor } from "@offprint/tensor-core";
import type { Normalization } from "../src/index.js";
import { softFactors } from "../src/soft-attention.js";

import { smoothFeatures } from "./smooth-features.js";

const RATIO = 4;
const SEEDS = 3;

/** Norms of the attention matrices `P Z P^T` of one image: with A's pseudo-inverse alone, and normalised. */
async function spectralNorms(context: ClaimContext, features: Tensor, side: number, normalization: Normalization) {
  const factors = (x: Tensor) => {
    const place = { grid: [side, side] as const, ratio: RATIO };
    const points = mul(x, x.shape[1] ** -0.25);
    const { p, z } = softFactors(points, place);
    // Traced, the kernels and the iteration are common to both and computed once.
    return [matmul(swapAxes(p, 0, 1), p), z, softFactors(points, { ...place, normalization }).z];
  };
  const compiled = jit(factors, context.backend ? { backend: context.backend } : {});
  const [gram, ...middles] = await Promise.all((await compiled(features)).map((x: Tensor) => x.host()));
  await compiled.release();
  return middles.map((z) => largestEigenvalue(gram, z));
}

/**
 * The largest eigenvalue of `G Z` by the power method. It is that of `P Z P^T`, which has no negative eigenvalues, for
 * `G = P^T P`.
 */
function largestEigenvalue(gram: Tensor, z: Tensor): number {
  let x = ones([gram.shape[0], 1], gram.dtype);
  let value = 0;
  for (let step = 0; step < 500; step++) {
    const y = matmul(gram, matmul(z, x));
    const norm = sqrt(sum(square(y))).item();
    x = mul(y, 1 / norm);
    if (Math.abs(norm - value) <= 1e-6 * norm) return norm;
    value = norm;
  }
  return value;
}

/** Section 4: SOFT++ keeps the scale of its output when the resolution grows. */
export function keepsScale(plusPlus: Normalization = "symmetric", sides: readonly [number, number] = [32, 96]): Claim {
  return {
    id: "scale-over-resolution",
    statement: "The norm of SOFT's attention matrix grows like the number of tokens, that of SOFT++ levels off",
    source: "Section 4.1, proposition 4",
    paper: "bounded for SOFT++",
    async run(context: ClaimContext) {
      const all = context.scale === "full" ? [8, 16, ...new Set([sides[0], 48, 64, sides[1]])] : sides;
      const norms: Record<"none" | "plusPlus", number[][]> = { none: [], plusPlus: [] };
      for (let seed = 0; seed < SEEDS; seed++) {
        norms.none.push([]);
        norms.plusPlus.push([]);
        for (const [i, side] of all.entries()) {
          // The same image at every resolution: fields are drawn before the noise.
          const x = smoothFeatures(random.rng(`${context.seed}/scale/${seed}`), side);
          const [plain, normalised] = await spectralNorms(context, x, side, plusPlus);
          norms.none[seed].push(plain);
          norms.plusPlus[seed].push(normalised);
          await context.onProgress((seed + (i + 1) / all.length) / SEEDS, `grid ${side} x ${side}`);
        }
      }
      const [from, to] = sides.map((side) => all.indexOf(side));
      const growths = (rows: readonly number[][]) => rows.map((row) => row[to] / row[from]);
      const [plain, kept] = [growths(norms.none), growths(norms.plusPlus)];
      const mean = (rows: readonly number[][]) => all.map((_, i) => rows.reduce((s, row) => s + row[i], 0) / SEEDS);
      return {
        measured: { "least growth of SOFT": Math.min(...plain), "largest growth of SOFT++": Math.max(...kept) },
        holds: Math.min(...plain) >= 8 && Math.max(...kept) <= 5,
        detail:
          `From ${sides[0]}^2 to ${sides[1]}^2 tokens (9 times as many) the norm must grow at least 8-fold for SOFT ` +
          `(${plain.map((value) => figure(value)).join(", ")}) and at most 5-fold for SOFT++ (${kept.map((value) => figure(value)).join(", ")}).`,
        series: [
          {
            kind: "line",
            title: "Norm of the attention matrix, mean of the seeds",
            x: { label: "tokens", scale: "log" },
            y: { label: "spectral norm", scale: "log" },
            curves: [
              { name: "SOFT", x: all.map((s) => s * s), y: mean(norms.none), style: "line-points" },
              { name: "SOFT++", x: all.map((s) => s * s), y: mean(norms.plusPlus), style: "line-points" },
            ],
          },
        ],
      };
    },
  };
}
