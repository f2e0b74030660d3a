import { type Tensor, ValueError } from "@offprint/tensor-core";

/** A language model that is entered by one-hot rows, so that its features have gradients in the letters. */
export interface RelaxedModel<P = unknown> {
  /** The letters, in the order of the one-hot entries. */
  readonly alphabet: readonly string[];
  /** Letters of a word that the model reads, for models of k-mers. Default 1. */
  readonly kmer?: number;
  /** A tree of tensors that the features are computed with. Default null. */
  readonly parameters?: P;
  /** Features `[B, d]` of (relaxed) one-hot rows `[B, places, V^kmer]`; traced. */
  features(oneHot: Tensor, parameters: P): Tensor;
}

/** A kernel of one-hot rows in the place of a language model. */
export interface KernelModel {
  /** The letters, in the order of the one-hot entries. */
  readonly alphabet: readonly string[];
  /** Kernel `[n, m]` of (relaxed) one-hot rows `[n, L, V]` and `[m, L, V]`; traced. */
  kernel(a: Tensor, b: Tensor): Tensor;
  /** `[n]`: the kernel of each with itself; traced. */
  diagonal(a: Tensor): Tensor;
}

/** What says how good a design is beside both maps: `[B]` of relaxed one-hot rows `[B, L, V]` and their features `[B, d]`; traced. */
export type AuxiliaryModel = (oneHot: Tensor, features: Tensor) => Tensor;

/** Whether a model is a kernel. */
export function isKernel(model: RelaxedModel | KernelModel): model is KernelModel {
  return "kernel" in model;
}

/** @throws ValueError for what is neither a model that one-hot rows enter nor a kernel of them. */
export function requireModel(owner: string, model: RelaxedModel | KernelModel): void {
  const given = model as Partial<RelaxedModel & KernelModel> | null | undefined;
  if (
    typeof given === "object" &&
    given !== null &&
    (typeof given.features === "function" || typeof given.kernel === "function")
  ) {
    const { alphabet } = given;
    if (
      Array.isArray(alphabet) &&
      alphabet.length >= 2 &&
      new Set(alphabet).size === alphabet.length &&
      alphabet.every((letter) => typeof letter === "string" && [...letter].length === 1)
    ) {
      return;
    }
    throw new ValueError(`${owner}: the model's alphabet must be an array of two or more different letters`);
  }
  throw new ValueError(
    `${owner}: the model has no features(oneHot): its embeddings must be open, as gradients in the letters come through one-hot rows times the ` +
      "table of embeddings; give gpt2Sequences, bertSequences or an object of your own",
  );
}

/** Features `[B, d]` of rows that a model reads; a kernel has none. */
export function featuresAt(model: RelaxedModel | KernelModel, rows: Tensor, parameters: unknown): Tensor {
  if (!isKernel(model)) return model.features(rows, parameters);
  throw new ValueError("a kernel has no features: give the tensors of a fit of the same model");
}
