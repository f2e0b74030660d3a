import { readSafetensors, writeSafetensors } from "@offprint/data";
import {
  cast,
  concatenate,
  FormatError,
  random,
  requireObject,
  reshape,
  slice,
  swapAxes,
  type Tensor,
  tree,
} from "@offprint/tensor-core";
import type { VisionParams, VisionState, VisionTransformer } from "./vision-transformer.js";

/** A trained image model. */
export interface VisionCheckpoint {
  /** What was trained. */
  readonly params: VisionParams;
  /** Running statistics of the batch normalisations. */
  readonly state: VisionState;
}

const linearNames = (name: string) => ({ weight: `${name}.weight`, bias: `${name}.bias` });
const normNames = (name: string) => ({ scale: `${name}.weight`, bias: `${name}.bias` });

/** Names of the authors' model, in the structure of ours. A third word says which half of a tensor is meant. */
function officialNames({ depths, localConvs, ratios }: VisionTransformer["size"]) {
  const convs = [0, 1, 2, 3].map((stage) => (stage === 0 ? [0, 3, 6] : [0]));
  const at = (stage: number, layer: number) => `patch_embed${stage + 1}.proj.${layer}`;
  const block = (stage: number) => (_: unknown, i: number) => {
    const name = `block${stage + 1}.${i}.att`;
    return {
      attention: {
        query: linearNames(`${name}.mha.W_q`),
        key: null,
        value: linearNames(`${name}.mha.W_v`),
        output: linearNames(`${name}.mha.ff`),
        attention:
          ratios[stage] === 1
            ? null
            : { weight: `${name}.mha.attn.Qlandmark_op.weight`, norm: normNames(`${name}.mha.attn.Qnorm_act.0`) },
        local: localConvs[stage] === 0 ? null : `${name}.mha.attn.conv.weight`,
      },
      norm1: normNames(`${name}.norm1`),
      linear1: linearNames(`${name}.ff1`),
      linear2: linearNames(`${name}.ff2`),
      norm2: normNames(`${name}.norm2`),
    };
  };
  const half = (name: string, which: string) => ({ weight: `${name}.weight ${which}`, bias: `${name}.bias ${which}` });
  const classBlock = (_: unknown, i: number) => ({
    norm1: normNames(`block4.${i}.norm1`),
    attention: {
      query: linearNames(`block4.${i}.attn.q`),
      key: half(`block4.${i}.attn.kv`, "first"),
      value: half(`block4.${i}.attn.kv`, "second"),
      output: linearNames(`block4.${i}.attn.proj`),
    },
    norm2: normNames(`block4.${i}.norm2`),
    linear1: linearNames(`block4.${i}.mlp.fc1`),
    linear2: linearNames(`block4.${i}.mlp.fc2`),
  });
  const params = {
    embeddings: convs.map((layers, stage) => {
      return layers.map((n) => ({ conv: linearNames(at(stage, n)), norm: normNames(at(stage, n + 1)) }));
    }),
    positions: [1, 2, 3, 4].map((stage) => `pos_embed${stage}`),
    blocks: [0, 1, 2].map((stage) => Array.from({ length: depths[stage] }, block(stage))),
    classToken: "cls_token",
    classBlocks: Array.from({ length: depths[3] }, classBlock),
    norm: normNames("norm"),
    head: linearNames("head"),
  };
  const state = convs.map((layers, stage) => {
    return layers.map((n) => ({
      mean: `${at(stage, n + 1)}.running_mean`,
      variance: `${at(stage, n + 1)}.running_var`,
    }));
  });
  return { params, state };
}

/** A tensor of the file in our layout: linear weights are transposed, leading axes of extent 1 dropped. */
function ours(found: Tensor, like: Tensor, which: string | undefined): Tensor {
  const rows = found.rank === 0 ? 0 : found.shape[0] / 2;
  // What has no halves does not fit either, and is refused as it is.
  if (which !== undefined && (found.rank === 0 || !Number.isInteger(rows))) return found;
  const part = which === undefined ? found : slice(found, [which === "first" ? { stop: rows } : { start: rows }]);
  // Only linear weights have two axes here and there: positions and the class token have axes of extent 1 in front.
  if (part.rank === 2 && like.rank === 2) return swapAxes(part, 0, 1);
  const leading = part.rank - like.rank;
  return leading > 0 && part.shape.slice(0, leading).every((n) => n === 1)
    ? reshape(part, part.shape.slice(leading))
    : part;
}

/**
 * Reads the weights of an image model from a safetensors file with the names and layouts of the authors' PyTorch model
 * (`patch_embed1.proj.0.weight`, `block1.0.att.mha.W_q.weight`, ...), as made by `save_file(model.state_dict(), path)`.
 * Tensors that the model does not have are left out.
 * @param bytes content of the file; in Node `await loadFile(path, (bytes) => loadSoftCheckpoint(bytes, model))`
 * @throws FormatError where a tensor is missing or has another shape, or the file is damaged.
 */
export function loadSoftCheckpoint(bytes: Uint8Array, model: VisionTransformer): VisionCheckpoint {
  const { tensors } = readSafetensors(bytes);
  const like = { params: model.init(random.rng(0)), state: model.initState() };
  const read = (name: string, expected: Tensor) => {
    const [key, which] = name.split(" ");
    const found = tensors[key];
    if (found === undefined) {
      throw new FormatError(
        `loadSoftCheckpoint: the file has no tensor ${key}; is it of this size, and of this model?`,
      );
    }
    const value = ours(found, expected, which);
    if (value.shape.join() !== expected.shape.join()) {
      throw new FormatError(
        `loadSoftCheckpoint: ${key} is [${found.shape}]; the model needs [${expected.shape}] of it`,
      );
    }
    return cast(value, expected.dtype);
  };
  return tree.map(read, officialNames(model.size), like) as unknown as VisionCheckpoint;
}

/** A tensor of ours in the layout of the file. */
function theirs(name: string, x: Tensor): Tensor {
  if (/^pos_embed/.test(name)) return reshape(x, [1, ...x.shape]);
  if (name === "cls_token") return reshape(x, [1, 1, ...x.shape]);
  return x.rank === 2 ? swapAxes(x, 0, 1) : x;
}

/** The bytes of a safetensors file that `loadSoftCheckpoint` and the authors' PyTorch model read. */
export function saveSoftCheckpoint(checkpoint: VisionCheckpoint, model: VisionTransformer): Uint8Array {
  requireObject("saveSoftCheckpoint", "checkpoint", checkpoint, "a VisionCheckpoint");
  requireObject("saveSoftCheckpoint", "model", model, "a VisionTransformer");
  const names = tree.leaves<string>(officialNames(model.size));
  const leaves = tree.leaves<Tensor>(checkpoint);
  const halves: Record<string, Tensor> = {};
  const tensors: Record<string, Tensor> = {};
  names.forEach((name, i) => {
    const [key, which] = name.split(" ");
    if (which === undefined) tensors[key] = theirs(key, leaves[i]);
    else halves[name] = theirs(key, leaves[i]);
  });
  for (const name of Object.keys(halves).filter((each) => each.endsWith(" first"))) {
    const key = name.split(" ")[0];
    tensors[key] = concatenate([halves[name], halves[`${key} second`]], 0);
  }
  return writeSafetensors(tensors, { metadata: { format: "pt" } });
}
