import { FormatError, requireObject, UnsupportedError, ValueError } from "@offprint/tensor-core";
import type { BertConfig, BertParams } from "../transformer/bert.js";
import { readBert } from "../transformer/bert-file.js";
import { countIn, type ModelFiles, readJson } from "./model-files.js";

/** A BERT as its folder holds it. */
export interface BertFolder {
  /** Its parameters. */
  readonly params: BertParams;
  /** Heads and epsilon. */
  readonly config: BertConfig;
  /** Its pieces by id, from `vocab.txt`. */
  readonly vocabulary: readonly string[];
}

/**
 * A BERT from `model.safetensors`, `config.json` and `vocab.txt`, such as ProtBERT's or DNABERT's.
 * @throws ValueError where a file is missing; FormatError where one is damaged; UnsupportedError for a variant whose
 * forward pass is another one.
 */
export async function bertFromSafetensors(files: ModelFiles): Promise<BertFolder> {
  requireObject("bertFromSafetensors", "files", files, "ModelFiles");
  const config = await readJson(files, "config.json");
  const [bytes, pieces] = [await files.read("model.safetensors"), await files.read("vocab.txt")];
  if (bytes === undefined || pieces === undefined) {
    const missing = bytes === undefined ? "model.safetensors" : "vocab.txt";
    throw new ValueError(`${files.name} has no ${missing}; save model and tokenizer with save_pretrained`);
  }
  const activation = String(config["hidden_act"] ?? "gelu");
  const placed = String(config["position_embedding_type"] ?? "absolute");
  if (activation !== "gelu" || placed !== "absolute") {
    throw new UnsupportedError(
      `${files.name}: a BERT with ${activation} and ${placed} positions is not known; it must have gelu and absolute ones`,
    );
  }
  const params = readBert(bytes);
  const [words, features] = params.embeddings.word_embeddings.weight.shape;
  const heads = countIn(config, ["num_attention_heads"]);
  if (heads === undefined || features % heads !== 0) {
    throw new FormatError(
      `${files.name}: num_attention_heads of config.json is ${heads}, which does not divide the ${features} features`,
    );
  }
  const vocabulary = new TextDecoder().decode(pieces).replace(/\r/g, "").replace(/\n$/, "").split("\n");
  if (vocabulary.length > words) {
    throw new FormatError(`${files.name}: vocab.txt has ${vocabulary.length} pieces and the model ${words}`);
  }
  const epsilon = config["layer_norm_eps"];
  return { params, config: { heads, ...(typeof epsilon === "number" && { epsilon }) }, vocabulary };
}
