import type { Tensor, TensorLike } from "@offprint/tensor-core";

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/**
 * A language model as a black box: token ids in, scores of the next token out. The smallest thing that a user brings; a
 * plain function that returns nested arrays will do.
 */
export interface CausalLM {
  /** Number of token ids, V. */
  readonly vocabSize: number;
  /** Whether the prompts of one call of `nextLogits` may have different lengths. Default false. */
  readonly mixedLengths?: boolean;
  /** Unnormalised log-probabilities `[B, V]` of the token after each of B prompts of equal length. */
  nextLogits(prompts: readonly Int32Array[]): Awaitable<TensorLike>;
  /** The same after every prefix, `[B, L, V]`. Where it is missing, `nextLogits` of each prefix is taken. */
  allLogits?(prompts: readonly Int32Array[]): Awaitable<TensorLike>;
}

/** A model that can be entered behind its token embeddings, which the faithfulness metrics and LIME scale down. */
export interface EmbeddingLM extends CausalLM {
  /** Embeddings `[L, d]` of a prompt, before positions are added. */
  embed(ids: Int32Array): Awaitable<Tensor>;
  /** Scores `[B, V]` of the token after prompts that are given as embeddings `[B, L, d]`. */
  nextLogitsFromEmbeds(embeds: Tensor): Awaitable<Tensor>;
}

/** A model with derivatives, which methods by gradients need. */
export interface GradientLM extends EmbeddingLM {
  /**
   * Gradient `[B, L, d]` of the log-probability of `target` after each of B prompts, with respect to their embeddings
   * `[B, L, d]`.
   */
  logProbabilityGradient(embeds: Tensor, target: number): Awaitable<Tensor>;
}

/** A model that shows its attention, which methods by attention need. */
export interface AttentionLM extends CausalLM {
  /** Attention weights `[layers, heads, L, L]` of a prompt: each row of keys sums to 1. */
  attentions(ids: Int32Array): Awaitable<Tensor>;
}

/** A masked language model: it fills in tokens that are hidden, seeing both sides. */
export interface MaskedLM {
  /** Number of token ids. */
  readonly vocabSize: number;
  /** Id of the token that hides. */
  readonly maskId: number;
  /** Ids that are never filled in, such as padding; the mask never is. */
  readonly specialIds?: readonly number[];
  /** Whether the prompts of one call may have different lengths; L is then the longest. Default false. */
  readonly mixedLengths?: boolean;
  /** Unnormalised log-probabilities `[B, L, V]` of every token of B prompts of equal length. */
  logits(prompts: readonly Int32Array[]): Awaitable<TensorLike>;
}
