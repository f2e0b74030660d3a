import type { CommandInput } from "@offprint/commands";
import type { CausalLM } from "@offprint/language";
import {
  gpt2FromSafetensors,
  loadOptimumCausalLM,
  loadOptimumMaskedLM,
  loadTokenizer,
  type OnnxLoader,
} from "@offprint/language/huggingface";
import { modelFolder } from "@offprint/language/node";
import { loadTinyModels } from "@offprint/language/tiny";
import { type Backend, ValueError } from "@offprint/tensor-core";
import { coarseWordClass, maskedReplacer, type Replacer, replacers } from "../src/index.js";

/** The word that stands for the models that come with the package. */
export const TINY = "tiny";

/** A model, the texts of its tokens, and where replacements come from. */
export interface OpenedModels {
  /** The model that is explained. */
  readonly lm: CausalLM;
  /** Where replacements come from. */
  readonly replacer: Replacer;
  /** Ids of a prompt, with the special tokens that the model expects. */
  encodePrompt(text: string): Int32Array;
  /** The first token of a text that goes on after a prompt. */
  firstToken(text: string): number;
  /** Text of a token. */
  textOf(id: number): string;
  /** Tokens that stand for no text; they are never replaced, and generation ends with them. */
  readonly specialIds: readonly number[];
  /** Frees the models. */
  release(): Promise<void>;
}

/** Samplers that need no model of their own. */
const samplers = ["uniform", "causal", "part-of-speech"] as const;

/** What opens models and backends. */
type Opener = Pick<CommandInput, "backend" | "loadModel">;

/** Loads what the command line names. */
export async function openModels(input: Opener, model: string, replacer: string): Promise<OpenedModels> {
  const backend = await input.backend();
  return model === TINY ? openTiny(backend, replacer) : openFolder(input, backend, model, replacer);
}

function simpleReplacer(name: string, lm: CausalLM, textOf: (id: number) => string, specialIds: readonly number[]) {
  const drawn = { vocabSize: lm.vocabSize, forbid: specialIds };
  if (name === "uniform") return replacers.uniform(drawn);
  if (name === "causal") return replacers.causal(lm);
  if (name === "part-of-speech") return replacers.posTag((id) => coarseWordClass(textOf(id)), drawn);
  return undefined;
}

async function openTiny(backend: Backend | undefined, name: string): Promise<OpenedModels> {
  const { lm, mlm, vocab, specialIds, encode, release } = await loadTinyModels(
    backend === undefined ? {} : { backend },
  );
  const textOf = (id: number): string => ` ${vocab[id]}`;
  const replacer = name === TINY ? replacers.mlm(mlm) : simpleReplacer(name, lm, textOf, specialIds);
  if (replacer === undefined) {
    throw new ValueError(`--replacer is ${name}; with --model tiny it must be tiny, ${samplers.join(", ")}`);
  }
  return { lm, replacer, encodePrompt: encode, firstToken: (text) => encode(text)[1], textOf, specialIds, release };
}

async function openFolder(
  input: Opener,
  backend: Backend | undefined,
  path: string,
  name: string,
): Promise<OpenedModels> {
  const loadModel: OnnxLoader = (model) => input.loadModel(model);
  const files = modelFolder(path);
  const tokenizer = await loadTokenizer(files);
  const hasOnnx = async (file: string) => (await files.read(file)) !== undefined;
  const exported = ["model.onnx", "decoder_model_merged.onnx", "decoder_model.onnx", "decoder_with_past_model.onnx"];
  let onnx = false;
  for (const file of exported) onnx ||= (await hasOnnx(file)) || (await hasOnnx(`onnx/${file}`));
  const lm = onnx
    ? await loadOptimumCausalLM(files, { loadModel, embeddings: false })
    : await gpt2FromSafetensors(files, backend === undefined ? {} : { backend });
  const textOf = (id: number): string => tokenizer.decode([id]);
  const shared = {
    lm,
    textOf,
    encodePrompt: tokenizer.encodePrompt,
    firstToken: (text: string) => tokenizer.encode(text)[0],
    specialIds: tokenizer.specialIds,
  };
  const simple = simpleReplacer(name, lm, textOf, tokenizer.specialIds);
  if (simple !== undefined) return { ...shared, replacer: simple, release: () => lm.release() };
  const maskedFiles = modelFolder(name);
  const masked = await loadOptimumMaskedLM(maskedFiles, { loadModel });
  const replacer = maskedReplacer(masked, { causal: tokenizer, masked: await loadTokenizer(maskedFiles) });
  return {
    ...shared,
    replacer,
    async release() {
      await lm.release();
      await masked.release();
    },
  };
}
