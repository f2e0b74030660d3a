import {
  add,
  arange,
  asTensor,
  checkOptions,
  expandDims,
  lessEqual,
  logicalAnd,
  matmul,
  mul,
  type Rng,
  requireInteger,
  reshape,
  ShapeError,
  softmax,
  swapAxes,
  type Tensor,
  type TensorLike,
  transpose,
  ValueError,
  where,
} from "@offprint/tensor-core";
import { type Initializer, initializers } from "./initializers.js";
import type { FloatType } from "./layer.js";
import { type LinearParams, linear } from "./linear.js";

/** Which keys a query may attend to. */
export interface AttentionMasks {
  /** Each query sees only keys up to its own position, counted from the end. Default false. */
  causal?: boolean;
  /** Booleans that broadcast to `[..., queries, keys]`: true where attention is allowed. */
  mask?: TensorLike;
}

/**
 * `softmax(query key^T / sqrt(features)) value`.
 * @param query `[..., queries, features]`
 * @param key `[..., keys, features]`
 * @param value `[..., keys, outputs]`
 * @returns `[..., queries, outputs]`
 * @see Vaswani et al., NeurIPS 2017, equation 1.
 */
export function dotProductAttention(
  query: TensorLike,
  key: TensorLike,
  value: TensorLike,
  masks: AttentionMasks = {},
): Tensor {
  checkOptions("dotProductAttention", masks, maskNames);
  const [q, k] = [asTensor(query), asTensor(key)];
  const features = q.shape[q.rank - 1];
  const scores = mul(matmul(q, swapAxes(k, -1, -2)), 1 / Math.sqrt(features));
  const allowed = allowedPairs(scores.shape[scores.rank - 2], scores.shape[scores.rank - 1], masks);
  return matmul(softmax(allowed === undefined ? scores : where(allowed, scores, MASKED)), value);
}

const maskNames = ["causal", "mask"];

/** Finite, so that a query that may see nothing gets the mean of the values and not NaN. */
const MASKED = -1e30;

function allowedPairs(queries: number, keys: number, { causal = false, mask }: AttentionMasks): Tensor | undefined {
  const given = mask === undefined ? undefined : asTensor(mask);
  if (given !== undefined && given.dtype !== "bool") {
    throw new ShapeError(`attention: mask is ${given.dtype}; it must be bool, true where attention is allowed`);
  }
  if (!causal) return given;
  const earlier = lessEqual(arange(keys), expandDims(add(arange(queries), keys - queries), 1));
  return given === undefined ? earlier : logicalAnd(earlier, given);
}

/** Options of `multiHeadAttention`. */
export interface AttentionOptions {
  /** Extent of the last axis of queries and of the result. */
  features: number;
  /** Number of heads, a divisor of `features`. */
  heads: number;
  /** Extent of the last axis of keys. Default `features`. */
  keyFeatures?: number;
  /** Extent of the last axis of values. Default `keyFeatures`. */
  valueFeatures?: number;
  /** Whether the four projections have biases. Default true. */
  bias?: boolean;
  /** Of the projections' weights. Default `initializers.glorotUniform`. */
  weightInit?: Initializer;
}

/** Parameters of `multiHeadAttention`: four linear layers. */
export interface AttentionParams {
  /** `[features, features]`. */
  readonly query: LinearParams;
  /** `[keyFeatures, features]`. */
  readonly key: LinearParams;
  /** `[valueFeatures, features]`. */
  readonly value: LinearParams;
  /** `[features, features]`. */
  readonly output: LinearParams;
}

/** What is attended to, and from where. */
export interface AttentionInputs extends AttentionMasks {
  /** `[batch, queries, features]`. */
  query: TensorLike;
  /** `[batch, keys, keyFeatures]`. Default: the queries (self-attention). */
  key?: TensorLike;
  /** `[batch, keys, valueFeatures]`. Default: the keys. */
  value?: TensorLike;
}

/** Multi-head attention as an init/apply pair. */
export interface MultiHeadAttention {
  /** Draws initial parameters. Default dtype float32. */
  init(rng: Rng, dtype?: FloatType): AttentionParams;
  /** `[batch, queries, features]`. */
  apply(params: AttentionParams, inputs: AttentionInputs): Tensor;
}

/**
 * Attention in several heads of `features / heads` each, between linear projections.
 * @throws ValueError where `heads` does not divide `features`.
 */
export function multiHeadAttention(options: AttentionOptions): MultiHeadAttention {
  checkOptions(
    "multiHeadAttention",
    options,
    ["features", "heads", "keyFeatures", "valueFeatures", "bias", "weightInit"],
    ["features", "heads"],
  );
  const { features, heads, keyFeatures = features, bias = true, weightInit = initializers.glorotUniform } = options;
  const { valueFeatures = keyFeatures } = options;
  requireInteger("multiHeadAttention", "heads", heads, 1);
  requireInteger("multiHeadAttention", "features", features, 1);
  if (features % heads !== 0) {
    throw new ValueError(`multiHeadAttention: heads is ${heads}; it must divide features ${features}`);
  }
  const projection = (inputs: number) =>
    linear({ inputs, outputs: features, bias, weightInit, biasInit: initializers.zeros });
  const layers = {
    query: projection(features),
    key: projection(keyFeatures),
    value: projection(valueFeatures),
    output: projection(features),
  };
  const split = (x: Tensor) => {
    const [batch, length] = x.shape;
    return transpose(reshape(x, [batch, length, heads, features / heads]), [0, 2, 1, 3]);
  };
  return {
    init: (rng, dtype = "float32") => ({
      query: layers.query.init(rng, dtype),
      key: layers.key.init(rng, dtype),
      value: layers.value.init(rng, dtype),
      output: layers.output.init(rng, dtype),
    }),
    apply(params, inputs) {
      checkOptions("multiHeadAttention", inputs, ["query", "key", "value", ...maskNames], ["query"]);
      const { query, key = query, value = key, ...masks } = inputs;
      const x = asTensor(query);
      if (x.rank !== 3) {
        throw new ShapeError(`multiHeadAttention: query has shape [${x.shape}]; it must be [batch, queries, features]`);
      }
      const q = split(layers.query.apply(params.query, x));
      const k = split(layers.key.apply(params.key, key));
      const v = split(layers.value.apply(params.value, value));
      const joined = reshape(transpose(dotProductAttention(q, k, v, masks), [0, 2, 1, 3]), [...x.shape]);
      return layers.output.apply(params.output, joined);
    },
  };
}
