import { readSafetensors, writeSafetensors } from "@offprint/data";
import { FormatError, type Tensor } from "@offprint/tensor-core";

const FORMAT = "offprint ranking 1";

/** A linear model that ranks items. */
export interface RankingModel {
  /** `[p]`, of the columns as they are. */
  readonly weights: Tensor;
  /** Their names. */
  readonly features: readonly string[];
}

/** The bytes of a safetensors file with the weights, and the columns' names in its header. */
export function writeRankingModel({ weights, features }: RankingModel): Uint8Array {
  return writeSafetensors({ weights }, { metadata: { format: FORMAT, features: JSON.stringify(features) } });
}

/** @throws FormatError for another file. */
export function readRankingModel(bytes: Uint8Array): RankingModel {
  const { tensors, metadata } = readSafetensors(bytes);
  const weights = tensors["weights"];
  const features: unknown = metadata?.format === FORMAT ? JSON.parse(metadata.features ?? "null") : undefined;
  if (weights?.rank === 1 && Array.isArray(features) && features.length === weights.size) return { weights, features };
  throw new FormatError("it is no model that learn-to-rank made; name such a file with --model");
}
