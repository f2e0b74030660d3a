import { Tokenizer } from "@huggingface/tokenizers";
import { FormatError, requireInteger, requireObject, requireText, ValueError } from "@offprint/tensor-core";
import type { TextCodec } from "../text-codec.js";
import { type ModelFiles, readJson } from "./model-files.js";

/** Texts to token ids and back. */
export interface TextTokenizer extends TextCodec {
  /** Ids of a text without special tokens. */
  encode(text: string): Int32Array;
  /** Ids of a text as the model expects them, with special tokens such as `</s>` in front. */
  encodePrompt(text: string): Int32Array;
  /** Text of some ids, blanks kept. */
  decode(ids: readonly number[]): string;
  /** Ids by piece, as in `vocab.json`. */
  readonly vocabulary: Readonly<Record<string, number>>;
  /** Ids of tokens that are no text: padding, beginning, end, mask, ... */
  readonly specialIds: readonly number[];
  /** Id of the token that hides, of a masked model. */
  readonly maskId: number | undefined;
}

interface TokenizerJson {
  readonly model?: { readonly vocab?: Record<string, number> | readonly (readonly [string, number])[] };
  readonly added_tokens?: readonly { readonly id: number; readonly content: string; readonly special?: boolean }[];
}

const decoding = { skip_special_tokens: false, clean_up_tokenization_spaces: false };

/**
 * The tokeniser of a model: `tokenizer.json` (with `tokenizer_config.json` where it is there), or else the byte-level
 * pieces of `vocab.json` and `merges.txt`.
 * @throws ValueError where neither is there; FormatError where they are damaged or of a kind that is not known.
 */
export async function loadTokenizer(files: ModelFiles): Promise<TextTokenizer> {
  requireObject("loadTokenizer", "files", files, "ModelFiles");
  const whole = await files.read("tokenizer.json");
  const json = (
    whole === undefined ? await fromVocabulary(files) : await readJson(files, "tokenizer.json")
  ) as TokenizerJson;
  const config =
    (await files.read("tokenizer_config.json")) === undefined ? {} : await readJson(files, "tokenizer_config.json");
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(json, config);
    tokenizer.encode("a");
  } catch (cause) {
    const message = `${files.name}: the tokeniser cannot be used (${(cause as Error).message})`;
    throw new FormatError(message, { cause });
  }
  return textTokenizer(tokenizer, json, config);
}

/** A special piece is its text, or an object that holds it. */
function contentOf(piece: unknown): unknown {
  return typeof piece === "object" && piece !== null && "content" in piece ? piece.content : piece;
}

function textTokenizer(tokenizer: Tokenizer, json: TokenizerJson, config: Record<string, unknown>): TextTokenizer {
  const added = json.added_tokens ?? [];
  const pieces = json.model?.vocab ?? {};
  const entries = Array.isArray(pieces) ? pieces.map(([piece], id) => [piece, id] as const) : Object.entries(pieces);
  const mask = contentOf(config["mask_token"]);
  const maskId = added.find(({ content }) => content === mask || content === "<mask>" || content === "[MASK]")?.id;
  const ids = (owner: string, text: string, special: boolean) => {
    requireText(owner, "text", text);
    return Int32Array.from(tokenizer.encode(text, { add_special_tokens: special }).ids);
  };
  return {
    encode: (text) => ids("encode", text, false),
    encodePrompt: (text) => ids("encodePrompt", text, true),
    decode(tokens) {
      requireObject("decode", "ids", tokens, "an array of token ids");
      for (const id of tokens) requireInteger("decode", "an id", id, 0);
      return tokens.length === 0 ? "" : tokenizer.decode([...tokens], decoding);
    },
    vocabulary: Object.fromEntries([...entries, ...added.map(({ content, id }) => [content, id] as const)]),
    specialIds: added.filter(({ special }) => special === true).map(({ id }) => id),
    maskId,
  };
}

/**
 * The merges of a `merges.txt`, most frequent first. Only its first line may tell the version: others that begin with `#` merge
 * number signs.
 * @throws FormatError for a line that is not two pieces.
 */
export function mergesOf(bytes: Uint8Array): string[] {
  requireObject("mergesOf", "bytes", bytes, "a Uint8Array");
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  const odd = lines.findIndex((line, i) => !isMerge(line) && !isNoMerge(line, i));
  if (odd >= 0) {
    throw new FormatError(
      `merges.txt: line ${odd + 1} is ${JSON.stringify(lines[odd].slice(0, 40))}; it must be two pieces, a space between`,
    );
  }
  return lines.filter((line, i) => !isNoMerge(line, i));
}

const isMerge = (line: string) => /^[^ ]+ [^ ]+$/.test(line);
const isNoMerge = (line: string, i: number) => line === "" || (i === 0 && line.startsWith("#version"));

/** The content of a `tokenizer.json` for the byte-level pieces of GPT-2 and its kin. */
async function fromVocabulary(files: ModelFiles): Promise<Record<string, unknown>> {
  const merges = await files.read("merges.txt");
  if (merges === undefined) {
    throw new ValueError(`${files.name} has neither tokenizer.json nor vocab.json with merges.txt; add one of them`);
  }
  const vocab = (await readJson(files, "vocab.json")) as Record<string, number>;
  const special = Object.entries(vocab).filter(([piece]) => /^<[^<>]+>$/.test(piece));
  return {
    version: "1.0",
    added_tokens: special.map(([content, id]) => ({ id, content, special: true, normalized: false })),
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      vocab,
      merges: mergesOf(merges),
      fuse_unk: false,
    },
  };
}
