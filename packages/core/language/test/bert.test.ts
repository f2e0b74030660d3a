import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { saveParameters } from "@offprint/nn";
import { grad, matmul, mul, oneHot, random, sum, type Tensor, tensor, transpose, tree } from "@offprint/tensor-core";
import { expectClose, numericalGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { bertFromSafetensors, type ModelFiles } from "../src/huggingface/index.js";
import { bertEmbed, bertFeatures, gpt2Features, initGpt2, readBert, readGpt2 } from "../src/index.js";
import { modelFolder } from "../src/node.js";

const path = fileURLToPath(new URL("./fixtures/dnabert", import.meta.url));
const files = modelFolder(path);
const { ids, features } = JSON.parse(readFileSync(`${path}/expected.json`, "utf8")) as {
  ids: number[];
  features: number[][];
};
const bert = await bertFromSafetensors(files);
const params = tree.map((x: Tensor) => x.cast("float64"), bert.params);
const prompt = tensor(Int32Array.from(ids)).reshape([1, ids.length]);

describe("a BERT from its folder", () => {
  it("has the features that torch's encoder has", () => {
    const got = bertFeatures(params, bertEmbed(params, prompt), bert.config);
    expectClose(got.slice([0]), tensor(features, { dtype: "float64" }), 1e-9);
    expect(bert.vocabulary.length).toBe(69);
    expect(bert.vocabulary.slice(4, 7)).toEqual(["[MASK]", "AAA", "AAT"]);
  });

  it("is entered by one-hot rows, with the gradient of finite differences", () => {
    const table = params.embeddings.word_embeddings.weight;
    const rows = oneHot(prompt, 69, { dtype: "float64" });
    const weights = random.rng(2).normal([1, ids.length, 8], { dtype: "float64" });
    const score = (x: Tensor) => sum(mul(bertFeatures(params, x, bert.config), weights));
    const embeds = matmul(rows, table);
    expectClose(embeds, bertEmbed(params, prompt), 0);
    expectClose(grad(score)(embeds), numericalGradient(score, embeds), 1e-6);
    const entered = grad((x: Tensor) => score(matmul(x, table)))(rows);
    expectClose(entered, matmul(grad(score)(embeds), transpose(table)), 1e-12);
  });

  it("refuses prompts that are too long, heads that do not fit, and files that are another's", async () => {
    const long = tensor(new Int32Array(13)).reshape([1, 13]);
    expect(() => bertFeatures(params, bertEmbed(params, long), bert.config)).toThrow(/13 tokens; the model has 12/);
    expect(() => bertFeatures(params, bertEmbed(params, prompt), { heads: 3 })).toThrow(/heads is 3/);
    expect(() => readBert(saveParameters({ a: tensor([1]) }))).toThrow(/not a BERT's/);
    const but = (file: string, text: string | undefined): ModelFiles => ({
      name: "folder",
      read: (name) => (name === file ? (text === undefined ? text : new TextEncoder().encode(text)) : files.read(name)),
    });
    await expect(bertFromSafetensors(but("vocab.txt", undefined))).rejects.toThrow(/has no vocab.txt/);
    await expect(bertFromSafetensors(but("vocab.txt", "a\n".repeat(70)))).rejects.toThrow(/70 pieces and the model 69/);
    const config = (fields: object) => but("config.json", JSON.stringify(fields));
    await expect(bertFromSafetensors(config({ num_attention_heads: 3 }))).rejects.toThrow(/num_attention_heads/);
    await expect(bertFromSafetensors(config({ num_attention_heads: 2, hidden_act: "relu" }))).rejects.toThrow(/relu/);
  });
});

it("a GPT-2 of any inner width is saved and read", () => {
  const narrow = initGpt2(random.rng(1), { vocabSize: 5, features: 8, layers: 1, positions: 6, inner: 10 });
  const again = readGpt2(saveParameters(narrow));
  const embeds = random.rng(2).normal([1, 6, 8]);
  const of = (p: typeof narrow) => gpt2Features(p, embeds, { heads: 2, causal: false }).features;
  expectClose(of(again), of(narrow), 0);
});
