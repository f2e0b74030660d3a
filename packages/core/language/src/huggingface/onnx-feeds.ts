import { DTypeError, type Tensor, type TensorLike, tensor, UnsupportedError, zeros } from "@offprint/tensor-core";
import type { Awaitable } from "../model.js";
import { EMBEDS } from "./embedding-input.js";
import { countIn } from "./model-files.js";

/** An input or output of a loaded .onnx model. */
export interface OnnxValue {
  /** Name in the file. */
  readonly name: string;
  /** ONNX element type, such as "float32" or "int64". */
  readonly type: string;
  /** Extents; a text where any extent is allowed. */
  readonly shape: readonly (number | string)[];
}

/** A loaded .onnx model: what `loadModel` of `@offprint/onnx-runtime` gives. */
export interface OnnxModel {
  /** What `run` must be given. */
  readonly inputs: readonly OnnxValue[];
  /** What `run` gives. */
  readonly outputs: readonly OnnxValue[];
  /** Runs the model. */
  run(feeds: Readonly<Record<string, TensorLike>>): Promise<Record<string, Tensor>>;
  /** Frees the model. */
  release?(): Promise<void>;
}

/** Loads an .onnx model from its bytes, or from where it lies: `loadModel` of `@offprint/onnx-runtime`. */
export type OnnxLoader = (model: string | Uint8Array) => Awaitable<OnnxModel>;

/** The prompts of a run. */
export interface PromptTensors {
  /** `[B, L]` ids, int32. */
  readonly ids: Tensor;
  /** `[B, L, d]`, for a model that was opened at its embeddings. */
  readonly embeds?: Tensor;
}

const past = /^past(_key_values)?\.\d+\.(key|value)$/;

/**
 * Everything that an exported model asks for, whatever the version of the exporter: ids, attention mask, positions,
 * token types, an empty past, and the switch of merged decoders.
 *
 * @param config the model's `config.json`, which knows what open extents of the past mean
 * @throws UnsupportedError for an input of another name.
 */
export function onnxFeeds(
  model: OnnxModel,
  config: Readonly<Record<string, unknown>>,
  { ids, embeds }: PromptTensors,
): Record<string, Tensor> {
  const [b, l] = ids.shape;
  const feeds: Record<string, Tensor> = {};
  for (const input of model.inputs) {
    if (input.name === "input_ids") feeds[input.name] = ids;
    else if (input.name === EMBEDS && embeds !== undefined) feeds[input.name] = embeds;
    else if (input.name === "attention_mask") feeds[input.name] = integers(b, l, () => 1);
    else if (input.name === "position_ids") feeds[input.name] = integers(b, l, (i) => i);
    else if (input.name === "token_type_ids") feeds[input.name] = integers(b, l, () => 0);
    else if (input.name === "use_cache_branch") feeds[input.name] = tensor(Uint8Array.of(0));
    else if (past.test(input.name)) feeds[input.name] = emptyPast(input, config, b);
    else {
      throw new UnsupportedError(
        `the model asks for "${input.name}" (${input.type}[${input.shape}]), which is not known; export it for text-generation or fill-mask`,
      );
    }
  }
  return feeds;
}

function integers(b: number, l: number, value: (i: number) => number): Tensor {
  return tensor(
    Int32Array.from({ length: b * l }, (_, k) => value(k % l)),
    { shape: [b, l] },
  );
}

/** Keys or values `[B, heads, 0, d / heads]` of no tokens. */
function emptyPast(input: OnnxValue, config: Readonly<Record<string, unknown>>, b: number): Tensor {
  if (input.type !== "float32") {
    throw new DTypeError(`input "${input.name}" is ${input.type}; export the model with float32 (--dtype fp32)`);
  }
  const [, given, , width] = input.shape;
  const allHeads = countIn(config, ["n_head", "num_attention_heads", "num_heads"]);
  const heads = typeof given === "number" ? given : (countIn(config, ["num_key_value_heads"]) ?? allHeads);
  const d = countIn(config, ["n_embd", "hidden_size"]);
  const headDim = typeof width === "number" ? width : (countIn(config, ["head_dim"]) ?? (d ?? 0) / (allHeads ?? 1));
  if (input.shape.length !== 4 || heads === undefined || !Number.isInteger(headDim) || headDim < 1) {
    throw new UnsupportedError(
      `input "${input.name}" has shape [${input.shape}], and config.json does not say its heads and width; add n_head and n_embd`,
    );
  }
  return zeros([b, heads, 0, headDim]);
}
