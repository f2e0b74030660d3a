import {
  checkOptions,
  FormatError,
  requireChoice,
  requireInteger,
  requireObject,
  requirePositive,
  requireText,
  ShapeError,
  slice,
  type Tensor,
  transpose,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { findTensor } from "./find-tensor.js";
import type { Head, LoraProjection, ProjectionName } from "./head.js";
import { checkAdapterConfig, type ModuleAdapter, moduleAdapter } from "./peft-adapter.js";

/** Which head of a model. */
export interface HeadPlace {
  /** Number of the layer, from 0. */
  readonly layer: number;
  /** Number of the head in it, from 0. */
  readonly head: number;
  /** Heads of a layer: their width is not in the file. */
  readonly heads: number;
  /** Tensors of a PEFT adapter (`lora_A.weight`, `lora_B.weight`). Default none. */
  readonly adapter?: Readonly<Record<string, Tensor>>;
  /**
   * What the adapter's `adapter_config.json` holds, parsed: `lora_alpha` with its `alpha_pattern`, and `use_rslora`. Default none.
   */
  readonly adapterConfig?: Readonly<Record<string, unknown>>;
  /** `lora_alpha`, > 0. Default that of `adapterConfig`; the adapter's rank without one. */
  readonly alpha?: number;
  /** `"rslora"`, alpha / sqrt(r), where `use_rslora` is true. Default that of `adapterConfig`; `"lora"`, alpha / r, without one. */
  readonly scaling?: LoraProjection["scaling"];
  /** What stands before `h.0` or `layers.0`, such as `model.decoder.`: needed where a file holds several models. */
  readonly prefix?: string;
}

const placeNames = ["layer", "head", "heads"] as const;
const adapterFacts = ["adapterConfig", "alpha", "scaling"] as const;

/**
 * A head of a transformer, from the tensors of its safetensors file: GPT-2's (`h.0.attn.c_attn.weight`, queries, keys and
 * values side by side, as the original or as a linear layer of PyTorch has them), or those of models with `layers.0.self_attn.q_proj.weight`,
 * `k_proj`, `v_proj`, whose heads may share keys. Prefixes such as `transformer.` do not matter where there is one model. Heads are causal;
 * rotary positions, which change no norm of a query or key, are not part of them.
 *
 * @throws FormatError where the layer, or anything of an adapter for it, is not there, or more than once, and where the configuration is not
 * the adapter's; UnsupportedError for queries and keys that are normalised, for DoRA, and for anything else of an adapter that is no LoRA;
 * ShapeError where the heads do not divide it; ValueError for a place out of range.
 * @example
 * const head = headFromWeights(readSafetensors(bytes).tensors, { layer: 0, head: 3, heads: 12 });
 * @example
 * const adapter = readSafetensors(adapterBytes).tensors;
 * const adapterConfig = JSON.parse(new TextDecoder().decode(configBytes));
 * const adapted = headFromWeights(tensors, { layer: 0, head: 3, heads: 12, adapter, adapterConfig });
 */
export function headFromWeights(tensors: Readonly<Record<string, Tensor>>, place: HeadPlace): Head {
  requireObject("headFromWeights", "tensors", tensors, "an object");
  const owner = "headFromWeights";
  checkOptions(owner, place, [...placeNames, "adapter", ...adapterFacts, "prefix"], placeNames);
  const { layer, head, heads, adapter, adapterConfig, alpha, scaling, prefix = "" } = place;
  if (adapter !== undefined) requireObject(owner, "adapter", adapter, "its tensors by name");
  const idle = adapter === undefined ? adapterFacts.find((name) => place[name] !== undefined) : undefined;
  if (idle !== undefined) {
    throw new ValueError(`${owner}: ${idle} is of an adapter, and none was given; give adapter, or leave ${idle} out`);
  }
  if (adapterConfig !== undefined) checkAdapterConfig(owner, adapterConfig);
  if (alpha !== undefined) requirePositive(owner, "alpha", alpha);
  requireChoice(owner, "scaling", scaling, ["lora", "rslora"]);
  requireText(owner, "prefix", prefix);
  requireInteger(owner, "layer", layer, 0);
  requireInteger(owner, "heads", heads, 1);
  requireInteger(owner, "head", head, 0, heads - 1);
  const named = (name: string) => findTensor(owner, "tensors", tensors, name, prefix)?.tensor;
  const joint = named(`h.${layer}.attn.c_attn.weight`);
  if (joint !== undefined) {
    return adapted(owner, gpt2Head(owner, joint, named(`h.${layer}.attn.c_attn.bias`), place), place);
  }
  const module = `layers.${layer}.self_attn`;
  const separate = (name: ProjectionName, part: string) => named(`${module}.${name}_proj.${part}`);
  const q = separate("q", "weight");
  const k = separate("k", "weight");
  const v = separate("v", "weight");
  if (q === undefined || k === undefined || v === undefined) {
    throw new FormatError(
      `${owner}: there is neither h.${layer}.attn.c_attn.weight nor layers.${layer}.self_attn.q_proj.weight with k_proj and ` +
        `v_proj; the tensors begin with ${Object.keys(tensors).slice(0, 3).join(", ")}`,
    );
  }
  for (const norm of ["q_norm", "k_norm", "q_layernorm", "k_layernorm"]) {
    if (named(`${module}.${norm}.weight`) === undefined) continue;
    throw new UnsupportedError(
      `${owner}: layer ${layer} normalises queries and keys (${norm}), so that its scores are no products of the weights; a head without is needed`,
    );
  }
  const width = divided(owner, q.shape[0], heads);
  if (k.shape[0] % width !== 0) {
    throw new ShapeError(
      `${owner}: keys have ${k.shape[0]} columns, which heads of ${width} do not divide; check heads`,
    );
  }
  const shared = Math.floor((head * (k.shape[0] / width)) / heads);
  const projection = (name: ProjectionName, weight: Tensor) => {
    const columns = columnsOf(name === "q" ? head : shared, width);
    const bias = separate(name, "bias");
    const own = moduleAdapter(owner, place, `${module}.${name}_proj`);
    requireOutputs(owner, `${module}.${name}_proj`, weight.shape[0], bias, own);
    return built(transpose(slice(weight, [columns])), bias && slice(bias, [columns]), own, columns);
  };
  return adapted(owner, { q: projection("q", q), k: projection("k", k), v: projection("v", v), causal: true }, place);
}

/** @throws FormatError for an adapter of other layers or modules, which would be left out without a word. */
function adapted(owner: string, head: Head, { adapter, layer }: HeadPlace): Head {
  const found = [head.q, head.k, head.v].some((each) => typeof each === "object" && each !== null && "b" in each);
  if (adapter === undefined || found) return head;
  throw new FormatError(
    `${owner}: the adapter has nothing for the attention of layer ${layer}; its tensors begin with ` +
      `${Object.keys(adapter).slice(0, 3).join(", ")}`,
  );
}

function gpt2Head(owner: string, joint: Tensor, bias: Tensor | undefined, place: HeadPlace): Head {
  const { layer, head, heads } = place;
  const [rows, columns] = joint.shape;
  // Linear layers of PyTorch, such as nanoGPT's, are the other way round than GPT-2's own.
  const weight = joint.rank === 2 && rows === 3 * columns ? transpose(joint) : joint;
  const dimension = weight.shape[0];
  if (weight.rank !== 2 || weight.shape[1] !== 3 * dimension) {
    throw new ShapeError(
      `${owner}: c_attn of layer ${layer} has shape [${joint.shape}]; it must be [D, 3 D], or [3 D, D] of a linear layer`,
    );
  }
  const width = divided(owner, dimension, heads);
  const adapter = moduleAdapter(owner, place, `h.${layer}.attn.c_attn`);
  requireOutputs(owner, `h.${layer}.attn.c_attn`, 3 * dimension, bias, adapter);
  const projection = (part: number) => {
    const own = columnsOf(0, width, part * dimension + head * width);
    return built(slice(weight, [null, own]), bias && slice(bias, [own]), adapter, own);
  };
  return { q: projection(0), k: projection(1), v: projection(2), causal: true };
}

/** @throws ShapeError where bias or adapter have other outputs than their weight, of which a head would get the wrong ones. */
function requireOutputs(
  owner: string,
  module: string,
  outputs: number,
  bias: Tensor | undefined,
  adapter: ModuleAdapter | undefined,
): void {
  if (bias !== undefined && bias.shape.join() !== String(outputs)) {
    throw new ShapeError(`${owner}: ${module}.bias has shape [${bias.shape}]; its weight has ${outputs} outputs`);
  }
  if (adapter !== undefined && adapter.b.shape[0] !== outputs) {
    throw new ShapeError(
      `${owner}: lora_B of ${module} has shape [${adapter.b.shape}]; the weight that it adapts has ${outputs} outputs`,
    );
  }
}

interface Columns {
  readonly start: number;
  readonly stop: number;
}

function columnsOf(head: number, width: number, offset = 0): Columns {
  const start = offset + head * width;
  return { start, stop: start + width };
}

/** PEFT keeps A as `[r, in]` and B as `[out, r]`, the other way round. */
function built(
  weight: Tensor,
  bias: Tensor | undefined,
  adapter: ModuleAdapter | undefined,
  columns: Columns,
): LoraProjection | { weight: Tensor; bias?: Tensor } {
  const plain = bias === undefined ? { weight } : { weight, bias };
  if (adapter === undefined) return plain;
  const { a, b, ...scale } = adapter;
  return { ...plain, b: transpose(a), a: transpose(slice(b, [columns])), ...scale };
}

function divided(owner: string, columns: number, heads: number): number {
  if (columns % heads === 0) return columns / heads;
  throw new ShapeError(`${owner}: ${heads} heads do not divide ${columns} columns; give the model's number of heads`);
}
