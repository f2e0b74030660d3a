import { readSafetensors, writeSafetensors } from "@offprint/data";
import {
  cast,
  FormatError,
  random,
  requireObject,
  swapAxes,
  type Tensor,
  tree,
  UnsupportedError,
} from "@offprint/tensor-core";
import type { AutoEncoderParams, BspAutoEncoder } from "./auto-encoder.js";

/** The parameters' names in the authors' PyTorch model, in the structure of ours. */
function officialNames(like: AutoEncoderParams): unknown {
  const numbered = (prefix: string, layers: readonly unknown[]) => {
    let next = 0;
    return layers.map((layer) => {
      if (layer === null) return null;
      next++;
      return { weight: `${prefix}_${next}.weight`, bias: `${prefix}_${next}.bias` };
    });
  };
  return {
    encoder: numbered("encoder.conv", like.encoder as readonly unknown[]),
    primitives: numbered("decoder.linear", like.primitives),
    tree: { T: "generator.convex_layer_weights", W: "generator.concave_layer_weights" },
    layers: null,
  };
}

function requireTree(owner: string, model: BspAutoEncoder): AutoEncoderParams {
  const { dim, decoder, variational } = model.options;
  const like = dim === 3 && decoder === "bsp" && !variational ? model.init(random.rng(0)) : null;
  if (like === null || !Array.isArray(like.encoder)) {
    throw new UnsupportedError(
      `${owner}: the authors' model is in 3D, with the tree and the conv encoder, and not a VAE`,
    );
  }
  return like;
}

/** Linear weights lie transposed in PyTorch; connections do not. */
function transposed(name: string, x: Tensor): Tensor {
  return name.startsWith("decoder.") && x.rank === 2 ? swapAxes(x, 0, 1) : x;
}

/**
 * Parameters from a safetensors file with the names and layouts of the authors' PyTorch model, as made by
 * `save_file(model.state_dict(), path)` from its checkpoints. For the sizes of the paper give
 * `bspAutoEncoder({ dim: 3 })`.
 * @throws FormatError where a tensor is missing or has another shape; UnsupportedError for another kind of model.
 */
export function loadOfficialCheckpoint(bytes: Uint8Array, model: BspAutoEncoder): AutoEncoderParams {
  requireObject("loadOfficialCheckpoint", "bytes", bytes, "a Uint8Array");
  requireObject("loadOfficialCheckpoint", "model", model, "a BspAutoEncoder");
  const like = requireTree("loadOfficialCheckpoint", model);
  const { tensors } = readSafetensors(bytes);
  const read = (name: string, expected: Tensor) => {
    const found = tensors[name];
    if (found === undefined) {
      throw new FormatError(
        `loadOfficialCheckpoint: the file has no tensor ${name}; is it an auto-encoder of BSP-Net?`,
      );
    }
    const value = transposed(name, found);
    if (value.shape.join() !== expected.shape.join()) {
      throw new FormatError(
        `loadOfficialCheckpoint: ${name} is [${found.shape}] in the file; the model needs [${expected.shape}] of it`,
      );
    }
    return cast(value, expected.dtype);
  };
  return tree.map(read, officialNames(like), like) as unknown as AutoEncoderParams;
}

/** The bytes of a safetensors file that `loadOfficialCheckpoint` and the authors' PyTorch model read. */
export function saveOfficialCheckpoint(params: AutoEncoderParams, model: BspAutoEncoder): Uint8Array {
  requireObject("saveOfficialCheckpoint", "params", params, "AutoEncoderParams");
  requireObject("saveOfficialCheckpoint", "model", model, "a BspAutoEncoder");
  const names = tree.leaves<string>(officialNames(requireTree("saveOfficialCheckpoint", model)));
  const leaves = tree.leaves<Tensor>(params);
  const tensors = Object.fromEntries(names.map((name, i) => [name, transposed(name, leaves[i])]));
  return writeSafetensors(tensors, { metadata: { format: "pt" } });
}
