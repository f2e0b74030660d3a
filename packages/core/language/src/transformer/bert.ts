import { dotProductAttention, layerNorm } from "@offprint/nn";
import {
  add,
  matmul,
  requireObject,
  reshape,
  slice,
  special,
  type Tensor,
  take,
  transpose,
  ValueError,
} from "@offprint/tensor-core";

/** Weight `[out, in]` and bias `[out]` of an affine map, or scale and bias `[d]` of a normalisation. */
export interface DenseParams {
  /** `[out, in]`, as PyTorch keeps it, or `[d]` in a normalisation. */
  readonly weight: Tensor;
  /** `[out]`. */
  readonly bias: Tensor;
}

/** Parameters of one layer: attention and a two-layer network, each before a normalisation. */
export interface BertLayerParams {
  /** Queries, keys and values `[d, d]`, and the output map with its normalisation. */
  readonly attention: {
    readonly self: { readonly query: DenseParams; readonly key: DenseParams; readonly value: DenseParams };
    readonly output: { readonly dense: DenseParams; readonly LayerNorm: DenseParams };
  };
  /** `[inner, d]`. */
  readonly intermediate: { readonly dense: DenseParams };
  /** `[d, inner]`, and the last normalisation. */
  readonly output: { readonly dense: DenseParams; readonly LayerNorm: DenseParams };
}

/** Parameters of a BERT, in the names and layouts of its published files. */
export interface BertParams {
  /** Tables `[V, d]`, `[positions, d]` and `[types, d]`, and the normalisation of their sum. */
  readonly embeddings: {
    readonly word_embeddings: { readonly weight: Tensor };
    readonly position_embeddings: { readonly weight: Tensor };
    readonly token_type_embeddings: { readonly weight: Tensor };
    readonly LayerNorm: DenseParams;
  };
  /** Layers from the input to the output. */
  readonly encoder: { readonly layer: readonly BertLayerParams[] };
}

/** What the parameters do not say. */
export interface BertConfig {
  /** Attention heads, a divisor of d. */
  readonly heads: number;
  /** Added under the root of the normalisations. Default 1e-12. */
  readonly epsilon?: number;
}

/** `x` over `[..., in]` through an affine map, as one product of matrices. */
function dense({ weight, bias }: DenseParams, x: Tensor): Tensor {
  const [outputs, inputs] = weight.shape;
  return reshape(add(matmul(reshape(x, [-1, inputs]), transpose(weight)), bias), [...x.shape.slice(0, -1), outputs]);
}

/**
 * Features `[B, L, d]` after the last layer, from token embeddings `[B, L, d]`, to which positions and the first token type are
 * added. Every token sees all others; activations are exact GELUs. Pure and differentiable.
 * @throws ValueError for prompts that are longer than the model's positions, and heads that do not divide d.
 */
export function bertFeatures(params: BertParams, embeds: Tensor, bertConfig: BertConfig): Tensor {
  requireObject("bertFeatures", "params", params, "BertParams");
  requireObject("bertFeatures", "embeds", embeds, "a tensor");
  requireObject("bertFeatures", "bertConfig", bertConfig, "a BertConfig");
  const { heads, epsilon = 1e-12 } = bertConfig;

  const [b, l, d] = embeds.shape;
  const { position_embeddings, token_type_embeddings, LayerNorm } = params.embeddings;
  const positions = position_embeddings.weight.shape[0];
  if (l > positions) {
    throw new ValueError(`bertFeatures: the prompt has ${l} tokens; the model has ${positions} positions: shorten it`);
  }
  if (!(Number.isInteger(heads) && heads >= 1 && d % heads === 0)) {
    throw new ValueError(`bertFeatures: heads is ${heads}, which does not divide the ${d} features`);
  }
  const normalised = ({ weight, bias }: DenseParams, x: Tensor) =>
    layerNorm({ features: d, epsilon }).apply({ scale: weight, bias }, x);
  const split = (x: Tensor) => transpose(reshape(x, [b, l, heads, d / heads]), [0, 2, 1, 3]);
  const places = add(slice(position_embeddings.weight, [{ stop: l }]), slice(token_type_embeddings.weight, [0]));
  let x = normalised(LayerNorm, add(embeds, places));
  for (const { attention, intermediate, output } of params.encoder.layer) {
    const { query, key, value } = attention.self;
    const seen = dotProductAttention(split(dense(query, x)), split(dense(key, x)), split(dense(value, x)));
    const mixed = dense(attention.output.dense, reshape(transpose(seen, [0, 2, 1, 3]), [b, l, d]));
    x = normalised(attention.output.LayerNorm, add(mixed, x));
    const inner = special.gelu(dense(intermediate.dense, x));
    x = normalised(output.LayerNorm, add(dense(output.dense, inner), x));
  }
  return x;
}

/** Embeddings `[..., L, d]` of token ids `[..., L]`, without positions. */
export function bertEmbed(params: BertParams, ids: Tensor): Tensor {
  requireObject("bertEmbed", "params", params, "BertParams");
  requireObject("bertEmbed", "ids", ids, "a tensor");
  return take(params.embeddings.word_embeddings.weight, ids, { axis: 0 });
}
