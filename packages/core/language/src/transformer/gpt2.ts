import { layerNorm, linear } from "@offprint/nn";
import {
  add,
  arange,
  greater,
  matmul,
  mul,
  ones,
  type Rng,
  requireObject,
  reshape,
  slice,
  softmax,
  special,
  stack,
  type Tensor,
  take,
  takeAlongAxis,
  tensor,
  transpose,
  ValueError,
  where,
  zeros,
} from "@offprint/tensor-core";

/** Weight `[in, out]` and bias `[out]` of an affine map, or scale and bias `[d]` of a normalisation. */
export interface AffineParams {
  /** `[in, out]`, or `[d]` in a normalisation. */
  readonly weight: Tensor;
  /** `[out]`. */
  readonly bias: Tensor;
}

/** Parameters of one block: attention and a two-layer network, each behind a normalisation. */
export interface BlockParams {
  /** Normalisation before the attention. */
  readonly ln_1: AffineParams;
  /** Queries, keys and values in one map `[d, 3 d]`, and the output map `[d, d]`. */
  readonly attn: { readonly c_attn: AffineParams; readonly c_proj: AffineParams };
  /** Normalisation before the network. */
  readonly ln_2: AffineParams;
  /** Maps `[d, inner]` and `[inner, d]`; published models have inner = 4 d. */
  readonly mlp: { readonly c_fc: AffineParams; readonly c_proj: AffineParams };
}

/** Parameters of a GPT-2, in the names and layouts of its published files; the output is tied to `wte`. */
export interface Gpt2Params {
  /** Token embeddings `[V, d]`. */
  readonly wte: { readonly weight: Tensor };
  /** Position embeddings `[positions, d]`. */
  readonly wpe: { readonly weight: Tensor };
  /** Blocks from the input to the output. */
  readonly h: readonly BlockParams[];
  /** Normalisation after the last block. */
  readonly ln_f: AffineParams;
}

/** What the parameters do not say. */
export interface Gpt2Config {
  /** Attention heads, a divisor of d. */
  readonly heads: number;
  /** Whether a token sees only the tokens before it and itself; default true. */
  readonly causal?: boolean;
  /** Added under the root of the normalisations. Default 1e-5. */
  readonly epsilon?: number;
}

/** Extents of a model that is to be drawn. */
export interface Gpt2Size {
  /** V. */
  readonly vocabSize: number;
  /** d. */
  readonly features: number;
  /** Blocks. */
  readonly layers: number;
  /** Most tokens of a prompt. */
  readonly positions: number;
  /** Width inside the two-layer networks. Default 4 d. */
  readonly inner?: number;
}

/** How the parts of a parameter tree are made. */
export interface Gpt2Parts {
  /** An affine map. */
  map(inputs: number, outputs: number): AffineParams;
  /** A normalisation of d features. */
  norm(): AffineParams;
  /** A table of embeddings `[rows, d]`. */
  table(rows: number): Tensor;
}

/** The tree of parameters of a size, made of the given parts. */
export function gpt2Tree(size: Gpt2Size, parts: Gpt2Parts): Gpt2Params {
  const { vocabSize, features: d, layers, positions, inner = 4 * d } = size;
  return {
    wte: { weight: parts.table(vocabSize) },
    wpe: { weight: parts.table(positions) },
    h: Array.from({ length: layers }, () => ({
      ln_1: parts.norm(),
      attn: { c_attn: parts.map(d, 3 * d), c_proj: parts.map(d, d) },
      ln_2: parts.norm(),
      mlp: { c_fc: parts.map(d, inner), c_proj: parts.map(inner, d) },
    })),
    ln_f: parts.norm(),
  };
}

/** Draws parameters: embeddings and positions normal with standard deviation 0.1, maps uniform by their fan-in. */
export function initGpt2(rng: Rng, size: Gpt2Size): Gpt2Params {
  requireObject("initGpt2", "rng", rng, "a generator of random.rng(seed)");
  requireObject("initGpt2", "size", size, "a Gpt2Size");
  const { features: d } = size;
  return gpt2Tree(size, {
    map: (inputs, outputs) => linear({ inputs, outputs }).init(rng) as AffineParams,
    norm: () => ({ weight: ones([d]), bias: zeros([d]) }),
    table: (rows) => rng.normal([rows, d], { std: 0.1 }),
  });
}

/** `x` over `[..., in]` through an affine map, as one product of matrices. */
function affine(params: AffineParams, x: Tensor): Tensor {
  const [inputs, outputs] = params.weight.shape;
  const rows = linear({ inputs, outputs }).apply(params, reshape(x, [-1, inputs]));
  return reshape(rows, [...x.shape.slice(0, -1), outputs]);
}

function normalise({ weight, bias }: AffineParams, x: Tensor, epsilon: number): Tensor {
  return layerNorm({ features: weight.size, epsilon }).apply({ scale: weight, bias }, x);
}

/** Columns `from` to before `to` of an affine map. */
function columns({ weight, bias }: AffineParams, from: number, to: number): AffineParams {
  const range = { start: from, stop: to };
  return { weight: slice(weight, [null, range]), bias: slice(bias, [range]) };
}

/**
 * Attention weights `[B, heads, Q, L]` and their result `[B, Q, d]`: queries of all tokens, or of one.
 * @param hidden added to the scores
 * @param last `[B]` the token of each prompt whose query is asked; all when left out
 */
function attend(
  p: BlockParams["attn"],
  x: Tensor,
  heads: number,
  hidden: Tensor | undefined,
  last: Tensor | undefined,
): [weights: Tensor, result: Tensor] {
  const [b, l, d] = x.shape;
  const split = (y: Tensor, parts: number): Tensor =>
    transpose(reshape(y, [b, y.shape[1], parts, heads, d / heads]), [2, 0, 3, 1, 4]);
  const scores = (q: Tensor, k: Tensor): Tensor => matmul(mul(q, 1 / Math.sqrt(d / heads)), transpose(k, [0, 1, 3, 2]));
  let qkv: Tensor[];
  if (last === undefined) {
    const all = split(affine(p.c_attn, x), 3);
    qkv = [slice(all, [0]), slice(all, [1]), slice(all, [2])];
  } else {
    const query = split(affine(columns(p.c_attn, 0, d), tokenOf(x, last)), 1);
    const rest = split(affine(columns(p.c_attn, d, 3 * d), x), 2);
    qkv = [slice(query, [0]), slice(rest, [0]), slice(rest, [1])];
  }
  const raw = scores(qkv[0], qkv[1]);
  const weights = softmax(hidden === undefined ? raw : add(raw, hidden));
  const mixed = transpose(matmul(weights, qkv[2]), [0, 2, 1, 3]);
  return [weights, affine(p.c_proj, reshape(mixed, [b, last === undefined ? l : 1, d]))];
}

/** `[L, L]`: a large negative number where a query must not see a key. */
function causalMask(length: number, like: Tensor): Tensor {
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) mask.fill(-1e9, i * length + i + 1, (i + 1) * length);
  return tensor(like.dtype === "float64" ? Float64Array.from(mask) : mask, { shape: [length, length] });
}

/** `[B, 1, 1, L]`: a large negative number where the token at `last` must not see a key. */
function lastMask(length: number, last: Tensor): Tensor {
  return where(greater(arange(length), reshape(last, [-1, 1, 1, 1])), -1e9, 0);
}

/** Features `[B, 1, d]` of one token of each prompt. */
function tokenOf(x: Tensor, place: Tensor): Tensor {
  return takeAlongAxis(x, reshape(place, [-1, 1, 1]), { axis: 1 });
}

/** What a forward pass gives. */
export interface Gpt2Output {
  /** Normalised features after the last block, `[B, L, d]`, or `[B, 1, d]` of one token. */
  readonly features: Tensor;
  /** Attention weights of every layer, `[layers, B, heads, L, L]`; not where the features of one token were asked. */
  readonly attentions: () => Tensor;
}

/** What is asked of a forward pass. */
export interface Gpt2Request {
  /** `[B, 1, 1, L]`, added to the scores of the keys: a large negative number hides padding. */
  readonly keyBias?: Tensor;
  /** `[B]`, int32: the one token of each prompt whose features are asked. The last block then does no more than that. */
  readonly last?: Tensor;
}

/**
 * The forward pass from token embeddings `[B, L, d]`, positions not yet added. Pure and differentiable.
 * @throws ValueError for a prompt that is longer than the model's positions.
 */
export function gpt2Features(
  params: Gpt2Params,
  embeds: Tensor,
  config: Gpt2Config,
  { keyBias, last }: Gpt2Request = {},
): Gpt2Output {
  requireObject("gpt2Features", "params", params, "Gpt2Params");
  requireObject("gpt2Features", "embeds", embeds, "a tensor");
  requireObject("gpt2Features", "config", config, "a Gpt2Config");
  const { heads, causal = true, epsilon = 1e-5 } = config;
  const length = embeds.shape[1];
  const positions = params.wpe.weight.shape[0];
  if (length > positions) {
    throw new ValueError(`gpt2: the prompt has ${length} tokens; the model has ${positions} positions: shorten it`);
  }
  const hide = (mask: Tensor | undefined): Tensor | undefined =>
    mask !== undefined && keyBias !== undefined ? add(mask, keyBias) : (mask ?? keyBias);
  const hidden = hide(causal ? causalMask(length, embeds) : undefined);
  const attentions: Tensor[] = [];
  let x = add(embeds, slice(params.wpe.weight, [{ start: 0, stop: length }]));
  for (const [k, block] of params.h.entries()) {
    const only = k === params.h.length - 1 ? last : undefined;
    const seen = only !== undefined && causal ? hide(lastMask(length, only)) : hidden;
    const [weights, attended] = attend(block.attn, normalise(block.ln_1, x, epsilon), heads, seen, only);
    attentions.push(weights);
    x = add(only === undefined ? x : tokenOf(x, only), attended);
    const inner = special.gelu(affine(block.mlp.c_fc, normalise(block.ln_2, x, epsilon)), { approximate: true });
    x = add(x, affine(block.mlp.c_proj, inner));
  }
  return { features: normalise(params.ln_f, x, epsilon), attentions: () => stack(attentions) };
}

/** Embeddings `[..., L, d]` of token ids `[..., L]`, without positions. */
export function gpt2Embed(params: Gpt2Params, ids: Tensor): Tensor {
  requireObject("gpt2Embed", "params", params, "Gpt2Params");
  requireObject("gpt2Embed", "ids", ids, "a tensor");
  return take(params.wte.weight, ids, { axis: 0 });
}

/** Logits `[..., V]` of features `[..., d]`. */
export function gpt2Logits(params: Gpt2Params, features: Tensor): Tensor {
  requireObject("gpt2Logits", "params", params, "Gpt2Params");
  requireObject("gpt2Logits", "features", features, "a tensor");
  const rows = reshape(features, [-1, features.shape[features.rank - 1]]);
  const logits = matmul(rows, transpose(params.wte.weight));
  return reshape(logits, [...features.shape.slice(0, -1), params.wte.weight.shape[0]]);
}
