import { readSafetensors } from "@offprint/data";
import { loadParameters } from "@offprint/nn";
import { FormatError } from "@offprint/tensor-core";
import type { BertParams, DenseParams } from "./bert.js";
import { extent } from "./extent.js";

/** Models with a head on top name every tensor of the encoder with this in front. */
const PREFIX = "bert.";
const WORDS = "embeddings.word_embeddings.weight";

/**
 * Reads a BERT from a safetensors file with the published names, `embeddings.word_embeddings.weight`,
 * `encoder.layer.0.attention.self.query.weight`, ..., with or without `bert.` in front. Sizes are those of the file.
 * @throws FormatError where a tensor is missing or does not fit, or the file is damaged.
 */
export function readBert(bytes: Uint8Array): BertParams {
  const { tensors } = readSafetensors(bytes);
  const prefix = PREFIX + WORDS in tensors ? PREFIX : "";
  const extents = (name: string): readonly number[] => {
    const shape = tensors[prefix + name]?.shape;
    if (shape?.length === 2) return shape;
    throw new FormatError(`readBert: the file has no matrix ${name}; it is not a BERT's`);
  };
  const [words, d] = extents(WORDS);
  const [positions] = extents("embeddings.position_embeddings.weight");
  const [types] = extents("embeddings.token_type_embeddings.weight");
  const [inner] = extents("encoder.layer.0.intermediate.dense.weight");
  const found = new RegExp(`^${prefix.replace(".", "\\.")}encoder\\.layer\\.\\d+\\.output\\.dense\\.weight$`);
  const layers = Object.keys(tensors).filter((name) => found.test(name)).length;
  const map = (outputs: number, inputs: number): DenseParams => ({
    weight: extent(outputs, inputs),
    bias: extent(outputs),
  });
  const norm = { weight: extent(d), bias: extent(d) };
  const like: BertParams = {
    embeddings: {
      word_embeddings: { weight: extent(words, d) },
      position_embeddings: { weight: extent(positions, d) },
      token_type_embeddings: { weight: extent(types, d) },
      LayerNorm: norm,
    },
    encoder: {
      layer: Array.from({ length: layers }, () => ({
        attention: {
          self: { query: map(d, d), key: map(d, d), value: map(d, d) },
          output: { dense: map(d, d), LayerNorm: norm },
        },
        intermediate: { dense: map(inner, d) },
        output: { dense: map(d, inner), LayerNorm: norm },
      })),
    },
  };
  return prefix === "" ? loadParameters(bytes, like) : loadParameters(bytes, { bert: like }).bert;
}
