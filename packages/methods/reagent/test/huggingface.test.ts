import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { EmbeddingLM } from "@offprint/language";
import { loadOptimumCausalLM, loadOptimumMaskedLM, loadTokenizer } from "@offprint/language/huggingface";
import { modelFolder } from "@offprint/language/node";
import { loadModel } from "@offprint/onnx-runtime";
import type { Tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { baselines, maskedReplacer, reagent, softFaithfulness } from "../src/index.js";

// The folders that the tests of @offprint/language read.
const at = (path: string) => fileURLToPath(new URL(`../../../core/language/test/fixtures/${path}`, import.meta.url));
const gpt2Folder = modelFolder(at("gpt2"));
const [{ text, ids: list }]: { text: string; ids: number[] }[] = JSON.parse(readFileSync(at("expected.json"), "utf8"));
const ids = Int32Array.from(list);
const options = { loadModel };

describe("a folder that optimum exported", () => {
  it("is attributed like the same model as a plain function without tensors", async () => {
    const lm = await loadOptimumCausalLM(gpt2Folder, options);
    const masked = await loadOptimumMaskedLM(modelFolder(at("roberta")), options);
    const causal = await loadTokenizer(gpt2Folder);
    const replacer = maskedReplacer(masked, { causal, masked: await loadTokenizer(modelFolder(at("roberta"))) });
    const plain = {
      vocabSize: 100,
      nextLogits: async (prompts: readonly Int32Array[]) =>
        ((await lm.nextLogits(prompts)) as Tensor).toArray() as number[][],
    };
    const search = { replacer, maxIterations: 12, probes: 3, keepTopN: 2, topK: 1 };
    const [a, b] = [await reagent(lm, ids, search), await reagent(plain, ids, search)];
    expect(b.state).toEqual(a.state);
    const { softNC } = await softFaithfulness(lm as EmbeddingLM, ids, a.importance, { draws: 3 });
    expect(softNC.every((value) => value > 0)).toBe(true);
    expect((await baselines.lime(lm as EmbeddingLM, ids, { samples: 60 })).scores.length).toBe(ids.length);
  });
});

describe("masked models", () => {
  it("of the same pieces fill in piece by piece, through the ids of both", async () => {
    const masked = await loadOptimumMaskedLM(modelFolder(at("roberta")), options);
    const [causal, other] = [await loadTokenizer(gpt2Folder), await loadTokenizer(modelFolder(at("roberta")))];
    const replacer = maskedReplacer(masked, { causal, masked: other, excludeOriginal: true });
    const mask = Array.from(ids, (_, i) => i % 3 === 0);
    const [prompt] = await replacer([ids], [mask], [], { step: 1, purpose: "update", runs: [0] });
    for (const [i, id] of prompt.entries()) expect(id === ids[i]).toBe(!mask[i]);
  });

  it("of other pieces fill in word by word, and keep words of another number of pieces", async () => {
    const masked = await loadOptimumMaskedLM(modelFolder(at("bert")), options);
    const [causal, other] = [await loadTokenizer(gpt2Folder), await loadTokenizer(modelFolder(at("bert")))];
    const replacer = maskedReplacer(masked, { causal, masked: other, excludeOriginal: true });
    const mask = ids.map((_, i) => (i % 2 === 0 ? 1 : 0));
    const [prompt] = await replacer([ids], [Array.from(mask, Boolean)], [], { step: 1, purpose: "update", runs: [0] });
    expect(prompt.length).toBe(ids.length);
    expect(prompt).not.toEqual(ids);
    for (const [i, id] of prompt.entries()) if (mask[i] === 0) expect(id).toBe(ids[i]);
    // What was filled in are the causal model's pieces of whole words: the text is made of words that both know.
    const words = new Set(Object.keys(other.vocabulary));
    const changed = causal
      .decode(Array.from(prompt))
      .split(" ")
      .filter((word, k) => word !== text.split(" ")[k]);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.some((word) => words.has(word))).toBe(true);
  });
});
