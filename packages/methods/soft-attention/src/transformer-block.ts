import {
  dropout,
  type Initializer,
  initializers,
  type LinearParams,
  layerNorm,
  linear,
  type NormParams,
} from "@offprint/nn";
import { add, checkOptions, special, type Tensor } from "@offprint/tensor-core";
import type { Grid } from "./grid.js";
import type { GridLayer } from "./head-attention.js";

/** Options of `transformerBlock`. */
export interface BlockOptions<A = unknown> {
  /** Features of a token. */
  dim: number;
  /** The attention of the block, any layer on a grid. */
  attention: GridLayer<A>;
  /** Features between the two linear layers. Default `4 dim`. */
  hidden?: number;
  /** Of linear weights. Default truncated normal with standard deviation 0.02. */
  weightInit?: Initializer;
}

/** Parameters of `transformerBlock`. */
export interface BlockParams<A = unknown> {
  /** Of the attention layer. */
  readonly attention: A;
  /** After the attention. */
  readonly norm1: NormParams;
  /** `[dim, hidden]` */
  readonly linear1: LinearParams;
  /** `[hidden, dim]` */
  readonly linear2: LinearParams;
  /** After the linear layers. */
  readonly norm2: NormParams;
}

/** Dropout masks of a block, from `dropoutMask`; each broadcasts to `[batch, n, dim]`. */
export interface BlockMasks {
  /** On what the attention adds. */
  readonly attention: Tensor;
  /** On what the linear layers add. */
  readonly feedForward: Tensor;
}

/** A block, which takes dropout masks while training. */
export interface Block<P> extends GridLayer<P> {
  /** `[batch, n, dim]` to the same. */
  apply(params: P, x: Tensor, grid: Grid, landmarks?: Tensor, masks?: BlockMasks): Tensor;
}

/**
 * The block of SOFT, normalised after each sum: `h = norm(x + attention(x))`, `y = norm(h + linear(gelu(linear(h))))`,
 * GELU by its formula with tanh. `[batch, n, dim]` to the same.
 */
export function transformerBlock<A>(options: BlockOptions<A>): Block<BlockParams<A>> {
  checkOptions("transformerBlock", options, ["dim", "attention", "hidden", "weightInit"], ["dim", "attention"]);
  const { dim, attention, hidden = 4 * dim, weightInit = initializers.truncatedNormal(0.02) } = options;
  const norm = layerNorm({ features: dim });
  const linear1 = linear({ inputs: dim, outputs: hidden, weightInit, biasInit: initializers.zeros });
  const linear2 = linear({ inputs: hidden, outputs: dim, weightInit, biasInit: initializers.zeros });
  return {
    init: (rng, dtype = "float32") => ({
      attention: attention.init(rng, dtype),
      norm1: norm.init(rng, dtype),
      linear1: linear1.init(rng, dtype),
      linear2: linear2.init(rng, dtype),
      norm2: norm.init(rng, dtype),
    }),
    apply(params, x, grid, landmarks, masks) {
      const attended = dropout(attention.apply(params.attention, x, grid, landmarks), masks?.attention);
      const h = norm.apply(params.norm1, add(x, attended));
      const inner = special.gelu(linear1.apply(params.linear1, h), { approximate: true });
      return norm.apply(params.norm2, add(h, dropout(linear2.apply(params.linear2, inner), masks?.feedForward)));
    },
  };
}
