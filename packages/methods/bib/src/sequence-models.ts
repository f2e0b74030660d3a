import { type BertConfig, type BertParams, bertFeatures, type Gpt2Params, gpt2Features } from "@offprint/language";
import {
  broadcastTo,
  checkOptions,
  concatenate,
  matmul,
  requireChoice,
  requireInteger,
  requireObject,
  reshape,
  slice,
  type Tensor,
  take,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { dna, protein } from "./alphabet.js";
import { type Pooling, pooled, poolings } from "./pooling.js";
import type { RelaxedModel } from "./relaxed-model.js";

/** Options of {@link gpt2Sequences}. */
export interface Gpt2SequencesOptions {
  /** Attention heads, a divisor of d. */
  readonly heads: number;
  /** Letters of the ids 0, 1, ... Default {@link dna}. */
  readonly alphabet?: readonly string[];
  /** Default `mean`. */
  readonly pool?: Pooling;
  /** Added under the root of the normalisations. Default 1e-5. */
  readonly epsilon?: number;
}

/** A masked transformer with normalisations before its parts, whose token ids are the letters' numbers, such as {@link trainSequenceModel} makes. */
export function gpt2Sequences(params: Gpt2Params, options: Gpt2SequencesOptions): RelaxedModel<Gpt2Params> {
  requireObject("gpt2Sequences", "params", params, "Gpt2Params");
  checkOptions("gpt2Sequences", options, ["heads", "alphabet", "pool", "epsilon"], ["heads"]);
  const { heads, alphabet = dna, pool = "mean", epsilon = 1e-5 } = options;
  requireChoice("gpt2Sequences", "pool", pool, poolings);
  requireInteger("gpt2Sequences", "heads", heads, 1);
  const [ids] = params.wte.weight.shape;
  if (ids < alphabet.length) {
    throw new ValueError(`gpt2Sequences: the model has ${ids} tokens and the alphabet ${alphabet.length} letters`);
  }
  return {
    alphabet,
    parameters: params,
    features(oneHot, p) {
      const embeds = entered(oneHot, slice(p.wte.weight, [{ stop: alphabet.length }]));
      return pooled(gpt2Features(p, embeds, { heads, epsilon, causal: false }).features, pool, false).cast(
        oneHot.dtype,
      );
    },
  };
}

/** Embeddings `[B, places, d]` of one-hot rows `[B, places, words]`: a product of matrices in place of a lookup. */
function entered(oneHot: Tensor, table: Tensor): Tensor {
  const [b, places, words] = oneHot.shape;
  return reshape(matmul(reshape(oneHot.cast(table.dtype), [b * places, words]), table), [b, places, table.shape[1]]);
}

/** A BERT with its pieces, as `bertFromSafetensors` of `@offprint/language/huggingface` gives it. */
export interface SequenceBert {
  /** Its parameters. */
  readonly params: BertParams;
  /** Heads and epsilon. */
  readonly config: BertConfig;
  /** Its pieces by id. */
  readonly vocabulary: readonly string[];
}

/** Options of {@link bertSequences}. */
export interface BertSequencesOptions {
  /** Letters of a piece: 1 as in ProtBERT, 3 to 6 in DNABERT. Default 1. */
  readonly kmer?: number;
  /** Default {@link protein} for pieces of one letter, else {@link dna}. */
  readonly alphabet?: readonly string[];
  /** Default `mean`, special tokens left out. */
  readonly pool?: Pooling;
}

/**
 * A BERT of sequences, such as DNABERT (k = 3) and ProtBERT. `[CLS]` and `[SEP]` stand around each sequence.
 * @throws ValueError where the vocabulary lacks a word of the alphabet or a special piece.
 * @example
 * ```ts no-run
 * import { bertSequences } from "@offprint/bib";
 * import { bertFromSafetensors } from "@offprint/language/huggingface";
 * import { modelFolder } from "@offprint/language/node";
 *
 * const model = bertSequences(await bertFromSafetensors(modelFolder("dnabert-3")), { kmer: 3 });
 * ```
 */
export function bertSequences(
  sequenceBert: SequenceBert,
  options: BertSequencesOptions = {},
): RelaxedModel<BertParams> {
  requireObject("bertSequences", "sequenceBert", sequenceBert, "a SequenceBert");
  const { params, config, vocabulary } = sequenceBert;
  const owner = "bertSequences";
  checkOptions(owner, options, ["kmer", "alphabet", "pool"]);
  const { kmer = 1, pool = "mean" } = options;
  requireInteger(owner, "kmer", kmer, 1, 8);
  requireChoice(owner, "pool", pool, poolings);
  const alphabet = options.alphabet ?? (kmer === 1 ? protein : dna);
  const ids = new Map(vocabulary.map((piece, id) => [piece, id]));
  const idOf = (piece: string): number => {
    const id = ids.get(piece);
    if (id !== undefined) return id;
    throw new ValueError(`${owner}: the vocabulary has no ${JSON.stringify(piece)}; is it one of words of ${kmer}?`);
  };
  const words = tensor(Int32Array.from(wordsOf(alphabet, kmer), idOf));
  const frame = [idOf("[CLS]"), idOf("[SEP]")];
  return {
    alphabet,
    kmer,
    parameters: params,
    features(oneHot, p) {
      const table = p.embeddings.word_embeddings.weight;
      const inside = entered(oneHot, take(table, words, { axis: 0 }));
      const [b, , d] = inside.shape;
      const [cls, sep] = frame.map((id) => broadcastTo(slice(table, [id]), [b, 1, d]));
      return pooled(bertFeatures(p, concatenate([cls, inside, sep], 1), config), pool, true).cast(oneHot.dtype);
    },
  };
}

/** All words of k letters; the last letter counts fastest. */
function wordsOf(alphabet: readonly string[], k: number): string[] {
  let words = [""];
  for (let i = 0; i < k; i++) words = words.flatMap((word) => alphabet.map((letter) => word + letter));
  return words;
}
