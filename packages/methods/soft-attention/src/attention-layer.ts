import { type Initializer, initializers, type LinearParams, linear } from "@offprint/nn";
import {
  add,
  checkOptions,
  requireChoice,
  requireFunction,
  requireInteger,
  reshape,
  ShapeError,
  type Tensor,
  transpose,
  ValueError,
} from "@offprint/tensor-core";
import { requireGrid } from "./grid.js";
import type { GridLayer, HeadAttention } from "./head-attention.js";
import { localBranch } from "./local-branch.js";

/** Options of `attentionLayer`. */
export interface AttentionLayerOptions<A = unknown> {
  /** Features of a token. */
  dim: number;
  /** Number of heads, a divisor of `dim`. */
  heads: number;
  /** What happens between the projections. */
  attention: HeadAttention<A>;
  /** Odd extent of the local branch's kernel; 0, the default, leaves the branch out. */
  localConv?: number;
  /** Whether tokens are a sequence, so that the local kernel is 1 x k. Default false. */
  sequence?: boolean;
  /** Of the projections' weights. Default truncated normal with standard deviation 0.02, as in the paper. */
  weightInit?: Initializer;
}

/** Parameters of `attentionLayer`. */
export interface AttentionLayerParams<A = unknown> {
  /** `[dim, dim]`; projects keys too where the attention shares them. */
  readonly query: LinearParams;
  /** `[dim, dim]`; null where keys are queries. */
  readonly key: LinearParams | null;
  /** `[dim, dim]` */
  readonly value: LinearParams;
  /** `[dim, dim]` */
  readonly output: LinearParams;
  /** Of the attention itself. */
  readonly attention: A;
  /** `[heads, 1, k, k]`; null without a local branch. */
  readonly local: Tensor | null;
}

/**
 * Attention in heads between linear projections, with an optional local branch: `[batch, n, dim]` to the same.
 * @throws ValueError where `heads` does not divide `dim` or `localConv` is even.
 */
export function attentionLayer<A>(options: AttentionLayerOptions<A>): GridLayer<AttentionLayerParams<A>> {
  checkOptions(
    "attentionLayer",
    options,
    ["dim", "heads", "attention", "localConv", "sequence", "weightInit"],
    ["dim", "heads", "attention"],
  );
  const { dim, heads, attention, localConv = 0, sequence = false } = options;
  const { weightInit = initializers.truncatedNormal(0.02) } = options;
  requireInteger("attentionLayer", "dim", dim, 1);
  requireInteger("attentionLayer", "heads", heads, 1);
  requireInteger("attentionLayer", "localConv", localConv, 0);
  requireChoice("attentionLayer", "sequence", sequence, [true, false]);
  requireFunction("attentionLayer", "weightInit", weightInit);
  if (dim % heads !== 0) throw new ValueError(`attentionLayer: heads is ${heads}; it must divide dim ${dim}`);
  if (localConv > 0 && localConv % 2 === 0) {
    throw new ValueError(`attentionLayer: localConv is ${localConv}; it must be odd, or 0 for no local branch`);
  }
  const projection = linear({ inputs: dim, outputs: dim, weightInit, biasInit: initializers.zeros });
  const split = (x: Tensor) => {
    return transpose(reshape(x, [x.shape[0], x.shape[1], heads, dim / heads]), [0, 2, 1, 3]);
  };
  const kernel = [sequence ? 1 : localConv, localConv];
  return {
    init(rng, dtype = "float32") {
      const fans = { inputs: kernel[0] * kernel[1], outputs: kernel[0] * kernel[1] };
      return {
        query: projection.init(rng, dtype),
        key: attention.sharedQueryKey ? null : projection.init(rng, dtype),
        value: projection.init(rng, dtype),
        output: projection.init(rng, dtype),
        attention: attention.init(rng, dtype),
        local: localConv === 0 ? null : initializers.uniformFanIn(rng, [heads, 1, ...kernel], fans, dtype),
      };
    },
    apply(params, x, grid, landmarks) {
      if (x.rank !== 3 || x.shape[2] !== dim) {
        throw new ShapeError(`attentionLayer: the tokens have shape [${x.shape}]; they must be [batch, n, ${dim}]`);
      }
      requireGrid("attentionLayer", grid, x.shape[1]);
      const query = split(projection.apply(params.query, x));
      const key = params.key === null ? query : split(projection.apply(params.key, x));
      const value = split(projection.apply(params.value, x));
      const attended = attention.apply(params.attention, { query, key, value, grid, ...(landmarks && { landmarks }) });
      const joined = params.local === null ? attended : add(attended, localBranch(value, params.local, grid));
      return projection.apply(params.output, reshape(transpose(joined, [0, 2, 1, 3]), [...x.shape]));
    },
  };
}
