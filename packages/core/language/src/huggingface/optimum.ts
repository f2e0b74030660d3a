import { hasExternalData } from "@offprint/onnx-format";
import {
  checkOptions,
  FormatError,
  requireObject,
  slice,
  type Tensor,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import type { CausalLM, EmbeddingLM, MaskedLM } from "../model.js";
import { requirePrompt } from "../prompt-checks.js";
import { type OpenedModel, openAtEmbeddings } from "./embedding-input.js";
import { countIn, firstFile, type ModelFiles, readJson } from "./model-files.js";
import { type OnnxLoader, type OnnxModel, onnxFeeds } from "./onnx-feeds.js";
import { loadTokenizer } from "./tokenizer.js";

/** How an exported model is loaded. */
export interface OptimumOptions {
  /** Loads .onnx models: `loadModel` of `@offprint/onnx-runtime`. */
  loadModel: OnnxLoader;
  /** Whether to look for embedding access, which metrics and LIME need. Default true. */
  embeddings?: boolean;
}

/** A model that was loaded, with embedding access where its file allows it. */
export type OptimumCausalLM = CausalLM &
  Partial<Pick<EmbeddingLM, "embed" | "nextLogitsFromEmbeds">> & {
    /** The file that was loaded. */
    readonly file: string;
    /** Frees the model. */
    release(): Promise<void>;
  };

/** Files of a causal model, in the order in which they are tried. */
const causalFiles = ["model.onnx", "decoder_model_merged.onnx", "decoder_model.onnx", "decoder_with_past_model.onnx"];

function places(names: readonly string[]): string[] {
  return names.flatMap((name) => [name, `onnx/${name}`]);
}

async function findModel(files: ModelFiles, names: readonly string[]): Promise<{ name: string; bytes: Uint8Array }> {
  const found = await firstFile(files, places(names));
  if (found !== undefined) return found;
  throw new ValueError(`${files.name} has none of ${names.join(", ")}; export the model with optimum-cli export onnx`);
}

function idTensor(prompts: readonly Int32Array[], vocabSize: number): Tensor {
  const where = "optimum";
  if (prompts.length === 0) throw new ValueError(`${where}: there are no prompts; give at least one`);
  const [{ length }] = prompts;
  const out = new Int32Array(prompts.length * length);
  for (const [b, prompt] of prompts.entries()) {
    requirePrompt(where, prompt, vocabSize);
    if (prompt.length !== length) throw new ValueError(`${where}: give prompts of one length at a time`);
    out.set(prompt, b * length);
  }
  return tensor(out, { shape: [prompts.length, length] });
}

function vocabularySize(config: Record<string, unknown>, model: OnnxModel, name: string): number {
  const last = model.outputs.find((output) => output.name === "logits")?.shape.at(-1);
  const size = typeof last === "number" ? last : countIn(config, ["vocab_size"]);
  if (size !== undefined) return size;
  throw new FormatError(
    `${name}: neither the output logits nor config.json (vocab_size) says how many tokens there are`,
  );
}

async function logitsOf(model: OnnxModel, feeds: Record<string, Tensor>, name: string): Promise<Tensor> {
  const { logits } = await model.run(feeds);
  if (logits?.rank === 3) return logits;
  const outputs = model.outputs.map((output) => output.name).join(", ");
  throw new UnsupportedError(`${name} has no output logits [batch, sequence, V]; it has ${outputs}`);
}

/** The model with its embeddings opened, or nothing where the file does not allow it. */
function opened(bytes: Uint8Array, options: OptimumOptions): OpenedModel | undefined {
  if (options.embeddings === false || hasExternalData(bytes)) return undefined;
  return openAtEmbeddings(bytes);
}

/**
 * A causal model as Hugging Face's optimum exports it: `config.json` and one of `model.onnx`,
 * `decoder_model_merged.onnx`, `decoder_model.onnx`, `decoder_with_past_model.onnx`, there or below `onnx/`. Whatever
 * inputs the file declares are fed. Where the lookup of the token embeddings is found in the file, it can be entered
 * behind them.
 *
 * @throws ValueError where a file is missing; FormatError where one is damaged; UnsupportedError for inputs that are not
 * known.
 * @example const lm = await loadOptimumCausalLM(modelFolder("gpt2-onnx"), { loadModel });
 */
export async function loadOptimumCausalLM(files: ModelFiles, options: OptimumOptions): Promise<OptimumCausalLM> {
  requireObject("loadOptimumCausalLM", "files", files, "ModelFiles");
  checkOptions("loadOptimumCausalLM", options, ["loadModel", "embeddings"], ["loadModel"]);
  const config = await readJson(files, "config.json");
  const { name, bytes } = await findModel(files, causalFiles);
  const open = opened(bytes, options);
  const source = open?.bytes ?? (hasExternalData(bytes) ? (files.locate?.(name) ?? bytes) : bytes);
  const model = await options.loadModel(source);
  const file = `${files.name}: ${name}`;
  const vocabSize = vocabularySize(config, model, file);
  const all = async (ids: Tensor, embeds?: Tensor): Promise<Tensor> =>
    logitsOf(model, onnxFeeds(model, config, { ids, ...(embeds && { embeds }) }), file);
  const shared = {
    vocabSize,
    file: name,
    release: async () => model.release?.(),
  };
  if (open === undefined) {
    const allLogits = (prompts: readonly Int32Array[]) => all(idTensor(prompts, vocabSize));
    return { ...shared, allLogits, nextLogits: async (prompts) => slice(await allLogits(prompts), [null, -1]) };
  }
  const { table } = open;
  const allLogits = (prompts: readonly Int32Array[]) => {
    const ids = idTensor(prompts, vocabSize);
    return all(ids, table.take(ids));
  };
  return {
    ...shared,
    allLogits,
    nextLogits: async (prompts) => slice(await allLogits(prompts), [null, -1]),
    embed(ids) {
      requirePrompt("embed", ids, vocabSize);
      return table.take(tensor(ids));
    },
    async nextLogitsFromEmbeds(embeds) {
      const [b, l] = embeds.shape;
      return slice(await all(tensor(new Int32Array(b * l), { shape: [b, l] }), embeds), [null, -1]);
    },
  };
}

/**
 * A masked model as optimum exports it for `fill-mask`: `config.json`, `model.onnx` (there or below `onnx/`) and its
 * tokeniser, which knows the mask and what stands around a text, such as `<s>` and `</s>`; these are added to every
 * prompt and cut off again.
 * @throws as `loadOptimumCausalLM`, and FormatError for a tokeniser without a mask token.
 */
export async function loadOptimumMaskedLM(
  files: ModelFiles,
  options: Pick<OptimumOptions, "loadModel">,
): Promise<MaskedLM & { release(): Promise<void> }> {
  requireObject("loadOptimumMaskedLM", "files", files, "ModelFiles");
  checkOptions("loadOptimumMaskedLM", options, ["loadModel"], ["loadModel"]);
  const config = await readJson(files, "config.json");
  const tokenizer = await loadTokenizer(files);
  const { maskId, specialIds } = tokenizer;
  if (maskId === undefined) {
    throw new FormatError(`${files.name}: the tokeniser has no mask token; a masked model (fill-mask) has one`);
  }
  const { name, bytes } = await findModel(files, ["model.onnx"]);
  const model = await options.loadModel(hasExternalData(bytes) ? (files.locate?.(name) ?? bytes) : bytes);
  const file = `${files.name}: ${name}`;
  const vocabSize = vocabularySize(config, model, file);
  const [prefix, suffix] = frame(tokenizer.encodePrompt("a"), tokenizer.encode("a"));
  return {
    vocabSize,
    maskId,
    specialIds,
    async logits(prompts) {
      const framed = prompts.map((prompt) => Int32Array.of(...prefix, ...prompt, ...suffix));
      const logits = await logitsOf(model, onnxFeeds(model, config, { ids: idTensor(framed, vocabSize) }), file);
      return slice(logits, [null, { start: prefix.length, stop: logits.shape[1] - suffix.length }]);
    },
    release: async () => model.release?.(),
  };
}

/** What a tokeniser puts before and after the pieces of a text. */
function frame(whole: Int32Array, plain: Int32Array): [number[], number[]] {
  const start = whole.findIndex((_, at) => plain.every((id, k) => whole[at + k] === id));
  if (start < 0) return [[], []];
  return [Array.from(whole.slice(0, start)), Array.from(whole.slice(start + plain.length))];
}
