import type { Initializer, Layer } from "@offprint/nn";
import { asTensor, checkOptions, requireInteger, requireObject, ShapeError } from "@offprint/tensor-core";
import { type AttentionLayerParams, attentionLayer } from "./attention-layer.js";
import type { ConvBottleneckParams } from "./bottleneck.js";
import type { GridLayer } from "./head-attention.js";
import { type SoftHeadsOptions, softHeads, softHeadsNames } from "./soft-heads.js";
import { type Block, type BlockParams, transformerBlock } from "./transformer-block.js";

/** Options of the SOFT layers. */
export interface SoftLayerOptions extends Omit<SoftHeadsOptions, "features"> {
  /** Features of a token. */
  dim: number;
  /** Number of heads, a divisor of `dim`. */
  heads: number;
  /** Odd extent of the local branch's kernel, 0 for none. Default 0. */
  localConv?: number;
  /** Of linear weights. Default truncated normal with standard deviation 0.02. */
  weightInit?: Initializer;
}

/** Parameters of the SOFT layers: those of the bottleneck are null where it learns nothing. */
export type SoftLayerParams = AttentionLayerParams<ConvBottleneckParams | null>;

/**
 * SOFT (or, with `normalization: "symmetric"`, SOFT++) as a layer: `[batch, n, dim]` to the same, in time and memory
 * linear in n.
 * @throws ValueError where `heads` does not divide `dim` or an option is out of range.
 * @example
 * ```ts
 * import { softAttentionLayer } from "@offprint/soft-attention";
 * import { random } from "@offprint/tensor-core";
 *
 * const layer = softAttentionLayer({ dim: 32, heads: 2, ratio: 4, localConv: 3 });
 * const params = layer.init(random.rng(0));
 * const y = layer.apply(params, random.rng(1).normal([1, 256, 32]), [16, 16]);
 * ```
 */
export function softAttentionLayer(options: SoftLayerOptions): GridLayer<SoftLayerParams> {
  requireObject("softAttentionLayer", "options", options, "{ dim, heads, ratio }");
  return softLayer("softAttentionLayer", options);
}

const names = ["dim", "heads", "localConv", "weightInit", ...softHeadsNames];

function softLayer(owner: string, options: SoftLayerOptions): GridLayer<SoftLayerParams> {
  checkOptions(owner, options, names);
  const { dim, heads, localConv, weightInit, ...rest } = options;
  requireInteger(owner, "heads", heads, 1);
  // A divisor is checked below; the heads only need a whole number here.
  const attention = softHeads({ ...rest, features: Math.max(1, Math.floor(dim / heads)) });
  const more = { ...(localConv && { localConv }), ...(weightInit && { weightInit }) };
  return attentionLayer({ dim, heads, attention, ...more, ...(rest.sequence && { sequence: true }) });
}

/** The paper's transformer block around `softAttentionLayer`: `[batch, n, dim]` to the same. */
export function softBlock(options: SoftLayerOptions): Block<BlockParams<SoftLayerParams>> {
  requireObject("softBlock", "options", options, "{ dim, heads, ratio }");
  return blockOf("softBlock", options);
}

function blockOf(owner: string, options: SoftLayerOptions): Block<BlockParams<SoftLayerParams>> {
  const attention = softLayer(owner, options);
  const { dim, weightInit } = options;
  return transformerBlock({ dim, attention, ...(weightInit && { weightInit }) });
}

/** Options of the sequence layers: windows are `1 x ratio` and may reach over the end unless told otherwise. */
export type SoftSequenceOptions = Omit<SoftLayerOptions, "sequence">;

/** A layer on a grid as one on sequences of any length, `[batch, n, dim]` to the same. */
function onSequence<P>(layer: GridLayer<P>): Layer<P> {
  return {
    init: (rng, dtype) => layer.init(rng, dtype),
    apply(params, input) {
      const x = asTensor(input);
      if (x.rank !== 3) throw new ShapeError(`softSequence: the tokens have shape [${x.shape}]; give [batch, n, dim]`);
      return layer.apply(params, x, [1, x.shape[1]]);
    },
  };
}

/**
 * SOFT attention on sequences of any length: a layer for `sequential` and the like, `[batch, n, dim]` to the same. Every
 * token sees every other; there is no causal form.
 */
export function softSequenceAttention(options: SoftSequenceOptions): Layer<SoftLayerParams> {
  return onSequence(softLayer("softSequenceAttention", { padBottleneck: true, ...options, sequence: true }));
}

/** The transformer block on sequences of any length, `[batch, n, dim]` to the same. */
export function softSequenceBlock(options: SoftSequenceOptions): Layer<BlockParams<SoftLayerParams>> {
  return onSequence(blockOf("softSequenceBlock", { padBottleneck: true, ...options, sequence: true }));
}
