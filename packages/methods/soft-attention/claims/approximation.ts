import { type Claim, type ClaimContext, figure, meanOf } from "@offprint/claims";
import {
  div,
  expandDims,
  eye,
  jit,
  matmul,
  mul,
  random,
  reshape,
  softmax,
  sqrt,
  square,
  stack,
  sub,
  sum,
  swapAxes,
  type Tensor,
} from "@offprint/tensor-core";
import { kernelMatrix } from "../src/gaussian-kernel.js";
import { attentions, type HeadAttention, softHeads } from "../src/index.js";

import { smoothFeatures } from "./smooth-features.js";

/** A square grid and the side of a window. */
type Setting = readonly [side: number, ratio: number];

const SETTINGS: readonly Setting[] = [
  [16, 2],
  [32, 8],
  [32, 4],
  [48, 6],
];
const FEATURES = 8;

/** What SOFT is, or what takes its place. */
export type SoftFactory = (options: { ratio: number }) => HeadAttention;

const published: SoftFactory = ({ ratio }) => softHeads({ features: FEATURES, ratio, bottleneck: "pool" });

/** What an attention does to unit vectors is its n x n matrix. */
function matrix(attention: HeadAttention, x: Tensor, unitVectors: Tensor, side: number): Tensor {
  const tokens = expandDims(expandDims(x, 0), 0);
  const value = expandDims(expandDims(unitVectors, 0), 0);
  const inputs = { query: tokens, key: tokens, value, grid: [side, side] as const };
  return reshape(attention.apply(attention.init(random.rng(0)), inputs), [side * side, side * side]);
}

/** Relative Frobenius error. */
function relativeError(approximate: Tensor, exact: Tensor): Tensor {
  return sqrt(div(sum(square(sub(approximate, exact))), sum(square(exact))));
}

const names = ["SOFT", "Nystromformer", "Performer"] as const;

/**
 * Errors of the three methods for images of one setting, each against its own full matrix, compiled once. The unit vectors
 * are an argument, as constants of a graph are copied while it is compiled.
 */
function comparison(context: ClaimContext, soft: SoftFactory, [side, ratio]: Setting) {
  const performer = { features: FEATURES, randomFeatures: (side / ratio) ** 2, seed: `${context.seed}/w` };
  const all = (x: Tensor, units: Tensor) => {
    const points = mul(x, FEATURES ** -0.25);
    const full = kernelMatrix(points, points);
    const weights = softmax(matmul(points, swapAxes(points, 0, 1)));
    return stack([
      relativeError(matrix(soft({ ratio }), x, units, side), full),
      relativeError(matrix(attentions.nystromformer({ ratio }), x, units, side), weights),
      relativeError(matrix(attentions.performer(performer), x, units, side), weights),
    ]);
  };
  const compiled = jit(all, context.backend ? { backend: context.backend } : {});
  const unitVectors = eye(side ** 2);
  return {
    errors: async (image: Tensor) => Array.from((await (await compiled(image, unitVectors)).host()).data()),
    release: () => compiled.release(),
  };
}

/** Section 3.2: the kernel's matrix is better approximated through m tokens than the softmax matrix is. */
export function approximationQuality(soft: SoftFactory = published, settings = SETTINGS): Claim {
  return {
    id: "approximation-at-equal-m",
    statement:
      "Through as many bottleneck tokens, the Gaussian kernel is approximated better than the softmax matrix is",
    source: "Sections 1 and 3.2, small scale",
    paper: "softmax's normalisation breaks the low rank",
    async run(context: ClaimContext) {
      const { seed, scale, onProgress } = context;
      const seeds = scale === "full" ? 8 : 5;
      const rows: (readonly [Setting, number[]])[] = [];
      for (const [i, setting] of settings.entries()) {
        const all: number[][] = [];
        const compared = comparison(context, soft, setting);
        for (let k = 0; k < seeds; k++) {
          const x = smoothFeatures(random.rng(`${seed}/features/${setting}/${k}`), setting[0]);
          all.push(await compared.errors(x));
          await onProgress((i + (k + 1) / seeds) / settings.length, `grid ${setting[0]} x ${setting[0]}`);
        }
        await compared.release();
        rows.push([setting, names.map((_, j) => meanOf(all.map((each) => each[j])))]);
      }
      const limit = ([side]: Setting) => (side >= 32 ? 0.9 : 0.97);
      const holds = rows.every(([setting, [own, nystrom, performer]]) => {
        return own <= limit(setting) * nystrom && own <= 0.8 * performer;
      });
      const label = ([side, ratio]: Setting) => `${side} x ${side}, m = ${(side / ratio) ** 2}`;
      return {
        measured: Object.fromEntries(rows.map(([setting, [own, nystrom]]) => [label(setting), own / nystrom])),
        holds,
        detail:
          `Mean of ${seeds} images: SOFT's relative error must be at most 0.9 of Nystromformer's (0.97 for 16 x 16) and 0.8 of ` +
          `Performer's: ${rows.map(([s, [a, b, c]]) => `${label(s)}: ${figure(a)} against ${figure(b)} and ${figure(c)}`).join("; ")}.`,
        series: [
          {
            kind: "bar",
            title: "Relative Frobenius error against each method's own full matrix",
            category: "grid",
            categories: rows.map(([setting]) => label(setting)),
            value: { label: "relative error" },
            bars: names.map((name, j) => ({ name, values: rows.map(([, values]) => values[j]) })),
          },
        ],
      };
    },
  };
}
