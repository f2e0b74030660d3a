import { readSafetensors } from "@offprint/data";
import { loadParameters } from "@offprint/nn";
import { FormatError } from "@offprint/tensor-core";
import { extent } from "./extent.js";
import { type Gpt2Params, gpt2Tree } from "./gpt2.js";

/** Some files name every tensor of the model with this in front. */
const PREFIX = "transformer.";

/**
 * Reads a GPT-2 from a safetensors file with the published names, `wte.weight`, `h.0.attn.c_attn.weight`, ..., with or
 * without `transformer.` in front. Sizes are those of the file.
 * @throws FormatError where a tensor is missing or does not fit, or the file is damaged.
 */
export function readGpt2(bytes: Uint8Array): Gpt2Params {
  const { tensors } = readSafetensors(bytes);
  const prefix = `${PREFIX}wte.weight` in tensors ? PREFIX : "";
  const extents = (name: string): readonly number[] => {
    const shape = tensors[prefix + name]?.shape;
    if (shape?.length === 2) return shape;
    throw new FormatError(`readGpt2: the file has no matrix ${name}; it is not a GPT-2's`);
  };
  const [vocabSize, features] = extents("wte.weight");
  const [positions] = extents("wpe.weight");
  const layers = Object.keys(tensors).filter((name) => /^(transformer\.)?h\.\d+\.ln_1\.weight$/.test(name)).length;
  if (layers === 0) throw new FormatError("readGpt2: the file has no block h.0; it is not a GPT-2's");
  const [, inner] = extents("h.0.mlp.c_fc.weight");
  const like = gpt2Tree(
    { vocabSize, features, layers, positions, inner },
    {
      map: (inputs, outputs) => ({ weight: extent(inputs, outputs), bias: extent(outputs) }),
      norm: () => ({ weight: extent(features), bias: extent(features) }),
      table: (rows) => extent(rows, features),
    },
  );
  if (prefix === "") return loadParameters(bytes, like);
  return loadParameters(bytes, { transformer: like }).transformer;
}
