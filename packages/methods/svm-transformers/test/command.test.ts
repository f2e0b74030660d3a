import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { writeNpy, writeNpz } from "@offprint/data";
import { readOnnxGraph, writeOnnxGraph } from "@offprint/onnx-format";
import { concatenate, random, slice, tensor, zeros } from "@offprint/tensor-core";
import { temporaryFolder } from "@offprint/testing";
import { expect, it } from "vitest";
import { fixedProblem } from "../claims/data.js";
import { commands } from "../cli/index.js";
import { attentionSvm, optimalTokens, weightsFromOnnx } from "../src/index.js";

const folder = temporaryFolder("separate tokens");
const write = (name: string, bytes: Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const { examples, v } = fixedProblem(3, 4, 5);
const data = write("examples.npz", writeNpz({ ...examples, v }));
const output = join(folder, "report.json");
const run = (words: object) => runWords(commands, "separate-tokens", { data, ...words });

it("trains attention, and says what it selects and how near it comes to the largest margin", async () => {
  const { code, out } = await run({ steps: 1000, choices: 30, output });
  expect([code, out]).toEqual([0, expect.stringContaining("3 examples in 5 dimensions")]);
  const found = JSON.parse(readFileSync(output, "utf8"));
  const { tokens } = optimalTokens(examples, v);
  expect(found.highestScores).toEqual(tokens);
  const { margin } = await attentionSvm(examples, found.selected);
  expect(found.largestMargin).toBeCloseTo(margin, 9);
  expect(found.margin).toBeLessThan(margin);
  expect(found.correlation).toBeGreaterThan(0.95);
  expect(found.local.some(({ isGlobal }: { isGlobal: boolean }) => isGlobal)).toBe(true);
});

it("judges weights of a file, of either kind", async () => {
  const { tokens } = optimalTokens(examples, v);
  const { w, margin } = await attentionSvm(examples, tokens);
  const given = await run({ weights: write("w.npy", writeNpy(w)), output });
  expect([given.code, given.out]).toEqual([0, expect.stringMatching(/highest score +3 of 3/)]);
  expect(JSON.parse(readFileSync(output, "utf8")).margin).toBeCloseTo(margin, 6);
  const matrix = (name: string) => {
    const values = random.rng(name).normal([5, 5]).data() as Float32Array;
    return { name, type: "float32" as const, shape: [5, 5], data: values };
  };
  const bytes = writeOnnxGraph({
    inputs: [{ name: "x", type: "float32", shape: ["n", 5] }],
    outputs: [{ name: "q", type: "float32", shape: ["n", 5] }],
    constants: [matrix("q.w"), matrix("k.w")],
    nodes: [{ operator: "MatMul", inputs: ["x", "q.w"], outputs: ["q"] }],
  });
  const onnx = write("model.onnx", bytes);
  expect((await run({ onnx, query: "q.w", key: "k.w", output })).code).toBe(0);
  const direct = write("direct.npy", writeNpy(weightsFromOnnx(bytes, { query: "q.w", key: "k.w" })));
  const first = readFileSync(output, "utf8");
  await run({ weights: direct, output });
  expect(readFileSync(output, "utf8")).toBe(first);
  expect((await run({ onnx })).err).toContain("--onnx needs --query and --key");
  expect((await run({ weights: direct, steps: 9 })).err).toContain("--steps would do nothing, as with weights given");
  expect((await run({ weights: direct, head: 1 })).err).toContain("--head would do nothing");
});

it("reads matrices that lie in a file beside the model", async () => {
  const fixture = new URL("../../../core/networks/test/fixtures/external-data.json", import.meta.url);
  const { model, data: weights } = JSON.parse(readFileSync(fixture, "utf8"));
  const bytes = Buffer.from(model, "base64");
  const onnx = write("beside.onnx", bytes);
  const six = fixedProblem(3, 4, 6);
  const words = { data: write("six.npz", writeNpz({ ...six.examples, v: six.v })), output };
  const named = { onnx, query: "0.weight", key: "0.weight" };
  expect((await run({ ...words, ...named })).err).toContain('is in the file "model.onnx.data", which is not there');
  const beside = write("model.onnx.data", Buffer.from(weights, "base64"));
  expect((await run({ ...words, ...named })).code).toBe(0);
  const first = readFileSync(output, "utf8");
  const graph = readOnnxGraph(bytes, { externalData: { "model.onnx.data": readFileSync(beside) } });
  const direct = weightsFromOnnx(graph, { query: "0.weight", key: "0.weight" });
  await run({ ...words, weights: write("beside.npy", writeNpy(direct)) });
  expect(readFileSync(output, "utf8")).toBe(first);
});

it("makes an example of every position, with a head of the labels' means, and leaves out tokens that are there again", async () => {
  const tokens = slice(examples.tokens, [{ stop: 2 }]);
  const again = concatenate([tokens, slice(tokens, [null, { stop: 1 }])], 1);
  const labels = tensor([
    [1, -1, 1, 1, -1],
    [-1, 1, 1, -1, 1],
  ]);
  const path = write("positions.npz", writeNpz({ tokens: again, labels }));
  const { code, out, err } = await run({ data: path, steps: 300 });
  expect([code, out]).toEqual([0, expect.stringContaining("10 examples in 5 dimensions")]);
  expect(out + err).toContain("2 tokens stand in their example before");
  const whole = await run({ data: path, steps: 300, whole: true });
  expect(whole.out + whole.err).toContain("10 tokens stand in their example before");
});

it("answers with its exit code where nothing separates what is selected, and says what is wrong", async () => {
  // All have the same attention, so that the first is selected, which lies inside the hull of the others.
  const hull = tensor(
    [
      [
        [0, 0.2],
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ],
    ],
    { dtype: "float64" },
  );
  const inside = write("hull.npz", writeNpz({ tokens: hull, labels: tensor([1]), queries: tensor([[1, 0]]) }));
  const weights = write(
    "even.npy",
    writeNpy(
      tensor([
        [0, 1],
        [0, 1],
      ]),
    ),
  );
  const found = await run({ data: inside, weights });
  expect([found.code, found.out]).toEqual([1, expect.stringContaining("can be separated")]);
  const wrong = async (arrays: Parameters<typeof writeNpz>[0], words: object = {}) =>
    (await run({ data: write("wrong.npz", writeNpz(arrays)), ...words })).err;
  expect(await wrong({ tokens: hull })).toContain("has no array labels; it has tokens");
  expect(await wrong({ tokens: hull, labels: zeros([1]) })).toContain("label 0 is 0");
  expect(await wrong({ tokens: hull, labels: tensor([1]) }, { whole: true })).toContain("--whole is for labels [n, T]");
  expect(await wrong({ tokens: hull.mul(Number.NaN), labels: tensor([1]) })).toContain("tokens");
  expect((await run({ data: write("no.npz", new Uint8Array(30)) })).code).toBe(2);
});

it("goes on after an interruption to the same report", async () => {
  const words = { data, steps: 40, choices: 4 };
  const [whole, parts] = await runInTwo(commands, "separate-tokens", words, {
    output: join(folder, "resumed.json"),
    state: join(folder, "state.json"),
  });
  expect(parts).toEqual(whole);
});
