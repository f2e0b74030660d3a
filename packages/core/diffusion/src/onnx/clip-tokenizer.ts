import { loadTokenizer, type ModelFiles, mergesOf, readJson, type TextTokenizer } from "@offprint/language/huggingface";
import { UnsupportedError } from "@offprint/tensor-core";

/** Files of a folder within a folder. */
export function filesBelow(files: ModelFiles, folder: string): ModelFiles {
  const { locate } = files;
  return {
    name: `${files.name}/${folder}`,
    read: (file) => files.read(`${folder}/${file}`),
    ...(locate && { locate: (file: string) => locate.call(files, `${folder}/${file}`) }),
  };
}

/**
 * The tokenizer of CLIP, which diffusers keeps as pieces and merges: `tokenizer.json` where it is there, else `vocab.json` and
 * `merges.txt` with CLIP's rules (lower case, words end with `</w>`, a beginning and an end).
 */
export async function loadClipTokenizer(files: ModelFiles): Promise<TextTokenizer> {
  if ((await files.read("tokenizer.json")) !== undefined) return loadTokenizer(files);
  const vocab = (await readJson(files, "vocab.json")) as Record<string, number>;
  const merges = await files.read("merges.txt");
  const [begin, end] = ["<|startoftext|>", "<|endoftext|>"];
  if (merges === undefined || vocab[begin] === undefined || vocab[end] === undefined) {
    throw new UnsupportedError(
      `${files.name}: this is not the tokenizer of CLIP (vocab.json with ${begin}, merges.txt)`,
    );
  }
  const special = { special: true, normalized: false };
  const json = {
    version: "1.0",
    added_tokens: [begin, end].map((content) => ({ id: vocab[content], content, ...special })),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "NFC" },
        { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
        { type: "Lowercase" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        {
          type: "Split",
          pattern: { Regex: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" },
          behavior: "Removed",
          invert: true,
        },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: {
      type: "RobertaProcessing",
      sep: [end, vocab[end]],
      cls: [begin, vocab[begin]],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      unk_token: end,
      continuing_subword_prefix: "",
      end_of_word_suffix: "</w>",
      fuse_unk: false,
      vocab,
      merges: mergesOf(merges),
    },
  };
  const whole = new TextEncoder().encode(JSON.stringify(json));
  return loadTokenizer({ ...files, read: (file) => (file === "tokenizer.json" ? whole : undefined) });
}
