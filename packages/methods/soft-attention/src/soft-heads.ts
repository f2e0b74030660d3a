import { initializers, layerNorm } from "@offprint/nn";
import { checkOptions, requireChoice, requireInteger } from "@offprint/tensor-core";
import type { Bottleneck, ConvBottleneckParams } from "./bottleneck.js";
import type { HeadAttention } from "./head-attention.js";
import { type PinvOptions, resolvedPinv } from "./newton-pinv.js";
import { fullGaussianAttention, type Normalization, normalizations, softAttention } from "./soft-attention.js";

/** Options of `softHeads`. */
export interface SoftHeadsOptions {
  /** Features of a head. */
  features: number;
  /** r >= 1: a window of r x r cells, or 1 x r, gives one bottleneck token. */
  ratio: number;
  /** How windows become tokens. Default `conv`, which is learned. */
  bottleneck?: "conv" | "pool" | "random" | "strided" | Exclude<Bottleneck, { kind: string }>;
  /** Default `none` (SOFT); `symmetric` is SOFT++. */
  normalization?: Normalization;
  /** Of the pseudo-inverse. */
  pinv?: PinvOptions;
  /** Whether tokens are a sequence, so that windows are 1 x r. Default false. */
  sequence?: boolean;
  /** Whether windows may reach over the edge of the grid. Default false. */
  padBottleneck?: boolean;
  /** Of the `random` bottleneck when a call brings no landmarks. Default 0. */
  seed?: number | string;
}

const kinds = ["conv", "pool", "random", "strided"];

/** The names of {@link SoftHeadsOptions} but `features`, for `checkOptions`. */
export const softHeadsNames = ["ratio", "bottleneck", "normalization", "pinv", "sequence", "padBottleneck", "seed"];

/** SOFT or SOFT++ between the projections of a layer; its parameters are those of the bottleneck, null without any. */
export function softHeads(options: SoftHeadsOptions): HeadAttention<ConvBottleneckParams | null> {
  checkOptions("softHeads", options, ["features", ...softHeadsNames], ["features", "ratio"]);
  const { features, ratio, bottleneck = "conv", sequence = false, seed = 0 } = options;
  const { normalization, pinv, padBottleneck } = options;
  requireInteger("softHeads", "features", features, 1);
  requireInteger("softHeads", "ratio", ratio, 1);
  requireChoice("softHeads", "normalization", normalization, normalizations);
  requireChoice("softHeads", "sequence", sequence, [true, false]);
  requireChoice("softHeads", "padBottleneck", padBottleneck, [true, false]);
  resolvedPinv(pinv);
  if (typeof bottleneck !== "function") requireChoice("softHeads", "bottleneck", bottleneck, kinds);
  const learned = bottleneck === "conv" && ratio > 1;
  const window = sequence ? [1, ratio] : [ratio, ratio];
  const norm = layerNorm({ features });
  const chosen = (params: ConvBottleneckParams | null): Bottleneck => {
    if (typeof bottleneck === "function") return bottleneck;
    if (bottleneck === "random") return { kind: "random", seed };
    return params === null ? { kind: bottleneck === "strided" ? "strided" : "pool" } : { kind: "conv", ...params };
  };
  return {
    sharedQueryKey: true,
    init(rng, dtype = "float32") {
      if (!learned) return null;
      const count = features * window[0] * window[1];
      const fans = { inputs: count, outputs: count };
      const weight = initializers.uniformFanIn(rng, [features, features, ...window], fans, dtype);
      return { weight, norm: norm.init(rng, dtype) };
    },
    apply: (params, { query, value, grid, landmarks }) =>
      softAttention(query, value, {
        grid,
        ratio,
        bottleneck: landmarks === undefined ? chosen(params) : { kind: "tokens", indices: landmarks },
        ...(normalization && { normalization }),
        ...(pinv && { pinv }),
        ...(padBottleneck && { padBottleneck }),
      }),
  };
}

/** The quadratic kernel attention that SOFT approximates, between the projections of a layer. */
export function fullGaussianHeads(options: { normalization?: Normalization } = {}): HeadAttention<null> {
  checkOptions("fullGaussianHeads", options, ["normalization"]);
  requireChoice("fullGaussianHeads", "normalization", options.normalization, normalizations);
  return {
    sharedQueryKey: true,
    init: () => null,
    apply: (_, { query, value }) => fullGaussianAttention(query, value, options),
  };
}
