import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadModel, onnxRuntime } from "@offprint/onnx-runtime";
import { stack, type Tensor } from "@offprint/tensor-core";
import { errorLike, expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  gpt2FromSafetensors,
  loadOptimumCausalLM,
  loadOptimumMaskedLM,
  loadTokenizer,
  type ModelFiles,
  openAtEmbeddings,
  readJson,
} from "../src/huggingface/index.js";
import type { EmbeddingLM } from "../src/index.js";
import { modelFolder } from "../src/node.js";

// Made by fixtures/make_optimum.py: the files, names, inputs and outputs of optimum's exports, with random weights.
const at = (path: string) => fileURLToPath(new URL(`./fixtures/${path}`, import.meta.url));
const gpt2Folder = modelFolder(at("gpt2"));
const expected: {
  text: string;
  ids: number[];
  logits: number[];
  first: number[];
  roberta: { ids: number[]; logits: number[] };
}[] = JSON.parse(readFileSync(at("expected.json"), "utf8"));
const [{ text }] = expected;
const ids = Int32Array.from(expected[0].ids);
const options = { loadModel };

/** The folder with one of its model files in the place of `model.onnx`. */
function withModel(file: string, folder: ModelFiles = gpt2Folder): ModelFiles {
  return {
    name: folder.name,
    read: (name) =>
      name.endsWith(".onnx") ? (name === "model.onnx" ? folder.read(file) : undefined) : folder.read(name),
    locate: (name) => folder.locate?.(name === "model.onnx" ? file : name) as string,
  };
}

async function logitsOf(lm: { nextLogits(p: Int32Array[]): unknown }, prompts: Int32Array[]): Promise<Tensor> {
  return (await lm.nextLogits(prompts)) as Tensor;
}

describe("a folder that optimum exported", () => {
  it.each([
    "model.onnx",
    "onnx/decoder_model.onnx",
    "onnx/decoder_with_past_model.onnx",
    "onnx/decoder_model_merged.onnx",
  ])("%s gives numpy's logits, through ids and through embeddings", async (file) => {
    for (const embeddings of [false, true]) {
      const lm = await loadOptimumCausalLM(withModel(file), { loadModel, embeddings });
      expect(lm.vocabSize).toBe(100);
      expect(lm.embed !== undefined).toBe(embeddings);
      for (const { ids: list, logits } of expected) {
        const prompt = Int32Array.from(list);
        const rows = await logitsOf(lm, [prompt, prompt]);
        expect(rows.shape).toEqual([2, 100]);
        for (const row of [0, 1]) expectClose(rows.slice([row]), logits, { absolute: 5e-5 });
      }
      const all = (await lm.allLogits?.([ids])) as Tensor;
      expectClose(all.slice([0, 0]), expected[0].first, { absolute: 5e-5 });
      await lm.release();
    }
  });

  it("is searched in the order of the exporter's generations, also below onnx/", async () => {
    expect((await loadOptimumCausalLM(gpt2Folder, options)).file).toBe("model.onnx");
    const older: ModelFiles = {
      ...gpt2Folder,
      read: (name) => (name === "model.onnx" ? undefined : gpt2Folder.read(name)),
    };
    expect((await loadOptimumCausalLM(older, options)).file).toBe("onnx/decoder_model_merged.onnx");
  });

  it("with its weights in a file beside runs by its path, without embedding access", async () => {
    const lm = await loadOptimumCausalLM(withModel("apart/model.onnx"), options);
    expect(lm.embed).toBeUndefined();
    expectClose((await logitsOf(lm, [ids])).slice([0]), expected[0].logits, { absolute: 5e-5 });
    await lm.release();
  });

  it("has the embeddings of its safetensors file, and the same predictions as it", async () => {
    const lm = (await loadOptimumCausalLM(gpt2Folder, options)) as EmbeddingLM;
    const own = await gpt2FromSafetensors(gpt2Folder);
    const embeds = await lm.embed(ids);
    expect(embeds.toArray()).toEqual((await own.embed(ids)).toArray());
    const half = stack([embeds, embeds.mul(0.5)]);
    const [a, b] = [await lm.nextLogitsFromEmbeds(half), await own.nextLogitsFromEmbeds(half)];
    expectClose(a.reshape([200]), Array.from(b.data()), { absolute: 5e-5 });
    expectClose(a.slice([0]), expected[0].logits, { absolute: 5e-5 });
  });
});

describe("gpt2FromSafetensors", () => {
  it("gives numpy's logits, on the host and compiled, with gradients and attention", async () => {
    const backend = await onnxRuntime();
    for (const lm of [await gpt2FromSafetensors(gpt2Folder), await gpt2FromSafetensors(gpt2Folder, { backend })]) {
      expectClose((await logitsOf(lm, [ids])).slice([0]), expected[0].logits, { absolute: 5e-5 });
      const rows = (await lm.attentions(ids)).sum(-1);
      expectClose(rows, new Array(rows.size).fill(1), { absolute: 5e-6 });
      const gradient = await lm.logProbabilityGradient(stack([await lm.embed(ids)]), 3);
      for (let i = 0; i < ids.length; i++) expect(gradient.slice([0, i]).square().sum().item()).toBeGreaterThan(0);
    }
    await backend.release();
  });

  it("refuses variants that compute something else", async () => {
    const changed = (more: object): ModelFiles => ({
      ...gpt2Folder,
      read: async (name) => {
        const bytes = await gpt2Folder.read(name);
        if (name !== "config.json") return bytes;
        return new TextEncoder().encode(JSON.stringify({ ...JSON.parse(new TextDecoder().decode(bytes)), ...more }));
      },
    });
    await expect(gpt2FromSafetensors(changed({ activation_function: "relu" }))).rejects.toThrow(/relu\) is not known/);
    await expect(gpt2FromSafetensors(changed({ n_head: 0 }))).rejects.toThrow(/number of heads/);
    await expect(gpt2FromSafetensors(changed({ n_head: 3 }))).rejects.toThrow(/does not divide the 8 features/);
  });
});

describe("tokenisers", () => {
  it("cut texts as the reference does, and put them together again", async () => {
    const tokenizer = await loadTokenizer(gpt2Folder);
    for (const { text: words, ids: wanted } of expected) {
      expect(Array.from(tokenizer.encode(words))).toEqual(wanted);
      expect(Array.from(tokenizer.encodePrompt(words))).toEqual(wanted);
      expect(tokenizer.decode(wanted)).toBe(words);
    }
    const inner = Object.keys(tokenizer.vocabulary).filter((piece) => piece.startsWith("Ġ"));
    expect(inner.length).toBeGreaterThan(5);
    for (const piece of inner) expect(tokenizer.decode([tokenizer.vocabulary[piece]])).toBe(` ${piece.slice(1)}`);
  });

  it("refuse what is no text and no id", async () => {
    const tokenizer = await loadTokenizer(gpt2Folder);
    expect(() => tokenizer.encode(undefined as never)).toThrow("encode: text is undefined; give a text");
    expect(() => tokenizer.encodePrompt(5 as never)).toThrow("encodePrompt: text is 5; give a text");
    expect(() => tokenizer.decode(null as never)).toThrow("decode: ids is null; give an array of token ids");
    expect(() => tokenizer.decode([1, Number.NaN])).toThrow("decode: an id is NaN");
    expect(tokenizer.decode(Int32Array.from(expected[0].ids) as never)).toBe(text);
  });

  it("are made of vocab.json and merges.txt where tokenizer.json is missing", async () => {
    const older: ModelFiles = {
      ...gpt2Folder,
      read: (name) => (name.startsWith("tokenizer") ? undefined : gpt2Folder.read(name)),
    };
    const tokenizer = await loadTokenizer(older);
    expect(Array.from(tokenizer.encode(text))).toEqual(expected[0].ids);
    expect(tokenizer.specialIds).toEqual([tokenizer.vocabulary["<|endoftext|>"]]);
  });

  it("merge number signs as merges.txt says: only its first line tells a version", async () => {
    const files: Record<string, string> = {
      "vocab.json": JSON.stringify({ "#": 0, a: 1, "##": 2, "####": 3, "a#": 4, "<|endoftext|>": 5 }),
      "merges.txt": "#version: 0.2\n# #\n## ##\na #\n",
    };
    const read = (name: string) => (name in files ? new TextEncoder().encode(files[name]) : undefined);
    const tokenizer = await loadTokenizer({ name: "signs", read });
    expect(Array.from(tokenizer.encode("#####"))).toEqual([3, 0]);
    expect(tokenizer.decode([3, 0])).toBe("#####");
    for (const line of ["junk", "a  b", "a b c"]) {
      const damaged = { ...files, "merges.txt": `#version: 0.2\n# #\n${line}\n` };
      const readDamaged = (name: string) => new TextEncoder().encode(damaged[name as keyof typeof damaged]);
      await expect(
        loadTokenizer({ name: "signs", read: (name) => (name in damaged ? readDamaged(name) : undefined) }),
      ).rejects.toThrow(errorLike("FormatError", new RegExp(`line 3 is "${line}"; it must be two pieces`)));
    }
  });

  it("of a masked model know its mask and what stands around a text", async () => {
    const roberta = await loadTokenizer(modelFolder(at("roberta")));
    expect(roberta.maskId).toBe(roberta.vocabulary["<mask>"]);
    expect(roberta.specialIds.length).toBe(5);
    expect(Array.from(roberta.encodePrompt(text))).toEqual(expected[0].roberta.ids);
    const bert = await loadTokenizer(modelFolder(at("bert")));
    expect(bert.maskId).toBe(bert.vocabulary["[MASK]"]);
  });
});

describe("masked models", () => {
  it("get <s> and </s> around the prompt, and give the logits of its tokens", async () => {
    const masked = await loadOptimumMaskedLM(modelFolder(at("roberta")), options);
    const inner = Int32Array.from(expected[0].roberta.ids.slice(1, -1));
    const logits = (await masked.logits([inner])) as Tensor;
    expect(logits.shape).toEqual([1, inner.length, masked.vocabSize]);
    expectClose(logits.slice([0, 1]), expected[0].roberta.logits, { absolute: 5e-5 });
    await masked.release();
  });
});

describe("files that do not fit are refused with their name:", () => {
  const broken = (file: string, content: Uint8Array | undefined): ModelFiles => ({
    ...gpt2Folder,
    read: (name) => (name === file ? content : gpt2Folder.read(name)),
  });
  const bytes = new Uint8Array(readFileSync(at("gpt2/model.onnx")));

  it("no folder, no config, no model", async () => {
    await expect(loadOptimumCausalLM(modelFolder(at("missing")), options)).rejects.toThrow(/has no config.json/);
    const none: ModelFiles = {
      ...gpt2Folder,
      read: (name) => (name.endsWith(".onnx") ? undefined : gpt2Folder.read(name)),
    };
    await expect(loadOptimumCausalLM(none, options)).rejects.toThrow(
      /has none of model.onnx, decoder_model_merged.onnx/,
    );
    await expect(gpt2FromSafetensors(broken("model.safetensors", undefined))).rejects.toThrow(
      /has no model.safetensors/,
    );
    await expect(loadTokenizer({ name: "nothing", read: () => undefined })).rejects.toThrow(
      /neither tokenizer.json nor/,
    );
  });

  it("damaged files", async () => {
    const json = new TextEncoder().encode("{");
    await expect(loadOptimumCausalLM(broken("config.json", json), options)).rejects.toThrow(/config.json is not JSON/);
    await expect(loadTokenizer(broken("tokenizer.json", new TextEncoder().encode("{}")))).rejects.toThrow(
      /tokeniser cannot be used/,
    );
    for (const cut of [10, 5000, bytes.length - 1]) {
      await expect(loadOptimumCausalLM(broken("model.onnx", bytes.slice(0, cut)), options)).rejects.toThrow(
        /truncated|damaged|no ONNX/,
      );
    }
    await expect(loadOptimumCausalLM(broken("model.onnx", json), options)).rejects.toThrow(/onnx/);
    await expect(gpt2FromSafetensors(broken("model.safetensors", json))).rejects.toThrow(/safetensors/);
  });

  it("a causal model where a masked one is needed", async () => {
    await expect(loadOptimumMaskedLM(gpt2Folder, options)).rejects.toThrow(/has no mask token/);
  });

  it("inputs that are not known, and half-float pasts", async () => {
    const model = (name: string, type: string, shape: (number | string)[]) => ({
      loadModel: () => ({
        inputs: [{ name, type, shape }],
        outputs: [{ name: "logits", type: "float32", shape: ["b", "s", 100] }],
        run: async () => ({}),
      }),
    });
    const ask = async (options: ReturnType<typeof model>) =>
      (await loadOptimumCausalLM(gpt2Folder, options)).nextLogits([ids]);
    await expect(ask(model("pixel_values", "float32", ["b", 3]))).rejects.toThrow(/asks for "pixel_values"/);
    await expect(ask(model("past_key_values.0.key", "float16", ["b", 2, "p", 4]))).rejects.toThrow(/--dtype fp32/);
    await expect(ask(model("input_ids", "int64", ["b", "s"]))).rejects.toThrow(/has no output logits/);
  });

  it("prompts of different lengths, and ids that the model does not have", async () => {
    const lm = await loadOptimumCausalLM(gpt2Folder, options);
    await expect(logitsOf(lm, [ids, ids.slice(1)])).rejects.toThrow(/one length at a time/);
    await expect(logitsOf(lm, [Int32Array.of(100)])).rejects.toThrow(/ids\[0\] is 100/);
    await lm.release();
  });

  it("files without a lookup of ids are left as they are", () => {
    expect(openAtEmbeddings(bytes)).toBeDefined();
    const renamed = bytes.slice();
    const name = new TextEncoder().encode("input_ids");
    for (let i = 0; i + name.length < renamed.length; i++) {
      if (name.every((byte, k) => renamed[i + k] === byte)) renamed.set(new TextEncoder().encode("input_idz"), i);
    }
    expect(openAtEmbeddings(renamed)).toBeUndefined();
  });
});

describe("files of JSON", () => {
  it("may hold what Python writes for numbers that are not finite", async () => {
    const text = String.raw`{"low": -Infinity, "all": [NaN, 1, Infinity], "said": "NaN, \"-Infinity\""}`;
    const folder = { name: "folder", read: () => new TextEncoder().encode(text) };
    expect(await readJson(folder, "scheduler_config.json")).toEqual({
      low: null,
      all: [null, 1, null],
      said: 'NaN, "-Infinity"',
    });
    const damaged = { name: "folder", read: () => new TextEncoder().encode('{"low": -Infinit}') };
    await expect(readJson(damaged, "a.json")).rejects.toThrow(/a\.json is not JSON/);
  });
});
