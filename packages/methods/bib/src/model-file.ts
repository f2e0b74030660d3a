import { readSafetensors } from "@offprint/data";
import { type Gpt2Params, readGpt2 } from "@offprint/language";
import { saveParameters } from "@offprint/nn";
import { checkOptions, FormatError, requireObject } from "@offprint/tensor-core";
import type { Pooling } from "./pooling.js";
import type { RelaxedModel } from "./relaxed-model.js";
import { gpt2Sequences } from "./sequence-models.js";

/** What a file keeps of a model beside its parameters. */
export interface SavedModel {
  /** Its parameters. */
  readonly params: Gpt2Params;
  /** Letters of the ids 0, 1, ... */
  readonly alphabet: readonly string[];
  /** Attention heads. */
  readonly heads: number;
}

/** The bytes of a safetensors file with a model that {@link trainSequenceModel} made. */
export function saveSequenceModel(savedModel: SavedModel): Uint8Array {
  requireObject("saveSequenceModel", "savedModel", savedModel, "a SavedModel");
  const { params, alphabet, heads } = savedModel;
  return saveParameters(params, { alphabet: alphabet.join(""), heads: String(heads) });
}

/**
 * Reads what {@link saveSequenceModel} wrote.
 * @throws FormatError for a file that is another's, or damaged.
 */
export function readSequenceModel(
  bytes: Uint8Array,
  options: { readonly pool?: Pooling } = {},
): RelaxedModel<Gpt2Params> {
  checkOptions("readSequenceModel", options, ["pool"]);
  const { metadata } = readSafetensors(bytes);
  const [alphabet, heads] = [[...(metadata?.["alphabet"] ?? "")], Number(metadata?.["heads"])];
  const params = readGpt2(bytes);
  const [tokens, features] = params.wte.weight.shape;
  if (
    alphabet.length >= 2 &&
    alphabet.length < tokens &&
    Number.isInteger(heads) &&
    heads >= 1 &&
    features % heads === 0
  ) {
    return gpt2Sequences(params, { heads, alphabet, ...options });
  }
  throw new FormatError(
    "readSequenceModel: the file does not name the alphabet and the heads of a sequence model; write it with saveSequenceModel",
  );
}
