import { readFileSync } from "node:fs";
import { ntk } from "@offprint/gaussian-process";
import { bertFeatures, initGpt2 } from "@offprint/language";
import { bertFromSafetensors } from "@offprint/language/huggingface";
import { modelFolder } from "@offprint/language/node";
import {
  concatenate,
  grad,
  jitSync,
  linalg,
  matmul,
  mean,
  mul,
  oneHot,
  ones,
  random,
  reshape,
  slice,
  sum,
  type Tensor,
  take,
  tensor,
  transpose,
  tree,
} from "@offprint/tensor-core";
import { expectClose, numericalGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { encodeSequences } from "../src/alphabet.js";
import {
  bertSequences,
  dna,
  dnaLandscape,
  gpt2Sequences,
  jacobianModel,
  kmerRelax,
  loadExampleModel,
  ntkModel,
  readSequenceModel,
  reluNtk,
  saveSequenceModel,
  straightThrough,
  trainSequenceModel,
} from "../src/index.js";

const rng = random.rng(11);
const float64 = { dtype: "float64" } as const;
const small = tree.map(
  (x: Tensor) => x.cast("float64"),
  initGpt2(rng, { vocabSize: 5, features: 8, layers: 1, positions: 5, inner: 8 }),
);

describe("models that one-hot rows enter", () => {
  it("a hard one-hot forward is the model on the letters, and the gradient that of the soft path", () => {
    const folder = new URL("../../../core/language/test/fixtures/dnabert", import.meta.url);
    return bertFromSafetensors(modelFolder(folder.pathname)).then((bert) => {
      const params = tree.map((x: Tensor) => x.cast("float64"), bert.params);
      const model = bertSequences({ ...bert, params }, { kmer: 3 });
      const words = ["ACG", "CGT", "GTT"];
      const ids = ["[CLS]", ...words, "[SEP]"].map((piece) => bert.vocabulary.indexOf(piece));
      const embeds = take(params.embeddings.word_embeddings.weight, tensor(Int32Array.from(ids)).reshape([1, 5]), {
        axis: 0,
      });
      const inside = bertFeatures(params, embeds, bert.config).slice([null, { start: 1, stop: 4 }]);
      const rows = encodeSequences("test", ["ACGTT"], dna);
      expectClose(model.features(kmerRelax(rows, 3), params), mean(inside, 1), 1e-12);
      const flat = bertSequences({ ...bert, params }, { kmer: 3, pool: "flatten" });
      expectClose(flat.features(kmerRelax(rows, 3), params), reshape(inside, [1, -1]), 1e-12);
      expect(bertSequences(bert, { kmer: 3, pool: "cls" }).features(kmerRelax(rows, 3), params).shape).toEqual([1, 8]);
      expect(() => bertSequences(bert, { kmer: 2 })).toThrow(/the vocabulary has no "AA"/);
    });
  });

  it("straight through, a model's gradient is that of the relaxed path at the hard rows", () => {
    const model = gpt2Sequences(small, { heads: 2, pool: "flatten" });
    const logits = rng.normal([2, 5, 4], float64);
    const hard = oneHot(logits.argMax(-1), 4, float64);
    const weights = rng.normal([2, 40], float64);
    const score = (rows: Tensor) => sum(mul(model.features(rows, small), weights));
    expectClose(straightThrough(logits), hard, 1e-12);
    const through = grad((x: Tensor) => score(straightThrough(x)))(logits);
    const slope = grad(score)(hard);
    expectClose(slope, numericalGradient(score, hard), 1e-6);
    expectClose(through, grad((x: Tensor) => sum(mul(x.softmax(-1), slope)))(logits), 1e-10);
  });

  it("the shipped models have read their landscapes, and files keep models", async () => {
    const model = await loadExampleModel({ landscape: 1, pool: "cls" });
    expect(model.features(encodeSequences("test", ["ACGTACGT"], dna), model.parameters as never).shape).toEqual([
      1, 32,
    ]);
    const bytes = saveSequenceModel({ params: small, alphabet: dna, heads: 2 });
    const rows = encodeSequences("test", ["ACGTA", "TTTGC"], dna);
    const again = readSequenceModel(bytes, { pool: "flatten" });
    expectClose(
      again.features(rows, again.parameters as never),
      gpt2Sequences(small, { heads: 2, pool: "flatten" }).features(rows, small),
      1e-6,
    );
    const foreign = readFileSync(new URL("../assets/landscape-0.safetensors", import.meta.url));
    expect(() => readSequenceModel(foreign)).toThrow(/does not name the alphabet/);
  });

  it("training lowers the loss of hidden letters where they follow from the others", async () => {
    const corpus = Array.from({ length: 64 }, (_, i) => dna[i % 4].repeat(4));
    const { history, model } = await trainSequenceModel(corpus, {
      ...{ steps: 160, width: 8, heads: 1, layers: 1, batchSize: 16, learningRate: 0.04 },
    });
    expect(history[0].loss).toBeGreaterThan(1.2);
    expect(history[159].loss).toBeLessThan(0.5);
    expect(model.features(encodeSequences("test", ["AAAA"], dna), model.parameters as never).shape).toEqual([1, 8]);
  });
});

describe("the landscape", () => {
  const land = dnaLandscape({ seed: 5 });
  expect(() => dnaLandscape({ seed: {} as never })).toThrow(/dnaLandscape: seed is/);
  it("is between 0 and 1, grows with raw, and is linear in each row of relaxed letters", () => {
    const names = ["ACGTACGT", "TTTTTTTT", "GATTACAG"];
    const rows = encodeSequences("test", names, dna);
    const raw = land.raw(rows).data();
    const order = [0, 1, 2].sort((a, b) => raw[a] - raw[b]);
    expect(order).toEqual([0, 1, 2].sort((a, b) => land.score(names[a]) - land.score(names[b])));
    const [a, b] = ["ACGTACGT", "ACGTGCGT"].map((name) => encodeSequences("test", [name], dna));
    expectClose(land.raw(a.add(b).mul(0.5)), land.raw(a).add(land.raw(b)).mul(0.5), 1e-12);
    expect(() => land.score("ACGT")).toThrow(/4 letters/);
  });

  it("gives tables of the worse half, and a corpus of what evolution leaves", () => {
    const all = land.table(32_768, random.rng(1));
    expect(new Set(all.sequences).size).toBe(32_768);
    const best = Array.from(all.scores).reduce((x, y) => Math.max(x, y));
    const corpus = land.corpus(300, random.rng(2)).map(land.score);
    expect(corpus.filter((score) => score > best).length).toBeGreaterThan(200);
  });
});

describe("the kernel of BDI", () => {
  const x = rng.normal([5, 7], float64);
  const z = rng.normal([3, 7], float64);

  it("is linear at depth 1, symmetric and positive, with depth x'x / dim on the diagonal", () => {
    expectClose(reluNtk(x, z, 1), mul(1 / 7, matmul(x, transpose(z))), 1e-8);
    const kernel = reluNtk(x, x, 6);
    expectClose(kernel, transpose(kernel), 1e-12);
    expect(linalg.eigvalsh(kernel).min().item()).toBeGreaterThan(0);
    const model = ntkModel();
    const rows = encodeSequences("test", ["ACGTA", "CCCTA"], dna);
    const own = model.diagonal(rows);
    expectClose(own, tensor([6 / 4, 6 / 4], float64), 1e-12);
    expectClose(model.kernel(rows, rows).diagonal(), own, 1e-3);
  });

  it("is that of gaussian-process for networks without biases", () => {
    const wide = ntk({ kind: "fullyConnected", depth: 3, weightVariance: 2, biasVariance: 1e-12, readoutVariance: 1 });
    expectClose(wide.matrix(x, z), reluNtk(x, z, 4), 1e-8);
  });

  it("is the empirical kernel of a network of width 4096 within 5 %", () => {
    // One hidden layer: f(x) = a relu(W x) sqrt(2 / width), each derivative in closed form.
    const width = 4096;
    const w = mul(1 / Math.sqrt(7), rng.normal([7, width], float64));
    const a = rng.normal([width], float64);
    const features = (rows: Tensor) => {
      const before = matmul(rows, w);
      const open = before.greater(0).cast("float64");
      return { hidden: mul(before, open), open: mul(open, a) };
    };
    const [p, q] = [features(x), features(z)];
    const scale = 2 / width;
    const head = mul(scale, matmul(p.hidden, transpose(q.hidden)));
    const first = mul(scale / 7, mul(matmul(p.open, transpose(q.open)), matmul(x, transpose(z))));
    const exact = reluNtk(x, z, 2);
    const error = head.add(first).sub(exact).abs().max().item();
    expect(error / exact.abs().max().item()).toBeLessThan(0.05);
  });
});

describe("features of the Jacobian", () => {
  const model = gpt2Sequences(small, { heads: 2 });
  const rows = encodeSequences("test", ["ACGTA", "TTTGC"], dna);

  it("of a linear head alone are the features and a column of ones", () => {
    const linear = jacobianModel(model, 5, { choose: () => false });
    const columns = linear.features(rows, linear.parameters as never);
    expectClose(columns, concatenate([model.features(rows, small), ones([2, 1], "float64")], 1), 1e-12);
  });

  it("are derivatives of the output in the chosen parameters, and have gradients in the letters", () => {
    const chosen = jacobianModel(model, 5, { choose: (path) => path === "ln_f.weight", seed: 2 });
    const given = chosen.parameters as NonNullable<typeof chosen.parameters>;
    const columns = jitSync((x: Tensor) => chosen.features(x, given))(rows);
    expect(columns.shape).toEqual([2, 8 + 1 + 8]);
    const output = (scale: Tensor) =>
      sum(
        matmul(
          model.features(slice(rows, [{ stop: 1 }]), { ...small, ln_f: { ...small.ln_f, weight: scale } }),
          given.head,
        ),
      );
    expectClose(columns.slice([0, { start: 9 }]), numericalGradient(output, small.ln_f.weight), 1e-6);
    const weights = rng.normal([17], float64);
    const score = (x: Tensor) => sum(matmul(chosen.features(x, given), weights));
    expectClose(grad(score)(rows), numericalGradient(score, rows), 1e-5);
  });

  it("are projected by random signs that keep products on average", () => {
    const all = jacobianModel(model, 5);
    const projected = jacobianModel(model, 5, { projection: 600 });
    const kernel = (m: typeof all) => {
      const columns = m.features(rows, m.parameters as never);
      return matmul(columns, transpose(columns));
    };
    const [exact, near] = [kernel(all), kernel(projected)];
    expect(near.sub(exact).abs().max().item() / exact.max().item()).toBeLessThan(0.25);
    expect(() => jacobianModel(model, 5, { head: [1, 2] })).toThrow(/head has shape \[2\]/);
    expect(() => jacobianModel(model, 5, { seed: Number.NaN })).toThrow(/jacobianModel: seed is NaN/);
  });
});
