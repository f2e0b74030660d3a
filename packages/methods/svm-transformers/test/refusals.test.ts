import { writeOnnxGraph } from "@offprint/onnx-format";
import { linalg, matmul, random, slice, tensor, transpose } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { expect, it } from "vitest";
import {
  type AttentionExamples,
  attention,
  attentionSvm,
  correlation,
  generalisedSvm,
  locallyOptimal,
  positionExamples,
  regularisationPath,
  selectTokens,
  type TrainAttentionOptions,
  tokenScores,
  trainAttention,
  trainAttentions,
  weightsFromOnnx,
} from "../src/index.js";

const examples = {
  tokens: [
    [
      [1, 0],
      [0, 1],
    ],
  ],
  queries: [[1, 1]],
  labels: [1],
};
const w = [
  [1, 0],
  [0, 1],
];
const of = (change: Partial<Record<keyof AttentionExamples, unknown>>) =>
  ({ ...examples, ...change }) as AttentionExamples;

it("names what does not fit", async () => {
  const head = { kind: "linear", v: [1, 0] } as const;
  const cases: [() => unknown, string][] = [
    [() => attention(w, null as unknown as AttentionExamples), "examples is null"],
    [() => attention(w, of({ tokens: undefined })), "tokens is missing"],
    [() => attention(w, of({ tokens: [[1, 2]] })), "tokens has shape [1,2]; give [n, T, d], padded and with a mask"],
    [
      () =>
        attention(
          w,
          of({
            tokens: [
              [
                [1, Number.NaN],
                [0, 1],
              ],
            ],
          }),
        ),
      "tokens holds NaN",
    ],
    [() => attention(w, of({ labels: [1, 2] })), "labels has shape [2]; 1 examples need [1]"],
    [() => attention(w, of({ labels: [0] })), "label 0 is 0"],
    [() => attention(w, of({ queries: [[1]] })), "queries has shape [1,1]"],
    [() => attention(w, of({ queries: undefined, queryIndex: 2 })), "queryIndex is 2"],
    [() => attention(w, of({ mask: [[0, 0]] })), "example 0 has no token left"],
    [() => attention(w, of({ mask: [[1, 0]] })), "every example has one token only"],
    [() => attention(w, of({ mask: [[1, Number.NaN]] })), "mask holds NaN at position 1"],
    [() => attentionSvm(examples, [0], { supportTolerance: Number.NaN }), "supportTolerance is NaN"],
    [() => locallyOptimal(examples, [1, 0], { supportTolerance: -1 }), "supportTolerance is -1"],
    [() => locallyOptimal(examples, [1, 0], { candidates: {} as never }), "candidates must be lists of tokens"],
    [() => trainAttention(examples, { head, normalized: "no" as never }), 'normalized is "no"; it must be one of true'],
    [() => generalisedSvm(examples, [0] as never, [[1, 0]]), "selected[0] must be a list of tokens"],
    [() => generalisedSvm(examples, [[0]], [[0, 1]]), "the attention of the selected token 0 of example 0 is 0"],
    [() => attention(w, { ...examples, token: 1 } as AttentionExamples), 'there is no option "token"'],
    [() => attention([[1]], examples), "W has shape [1,1]; it must be [2, 2]"],
    [() => attention({ k: [[1], [1]], q: [[1]] }, examples), "k has shape [2,1] and q [1,1]"],
    [() => tokenScores(examples, [1]), "v has shape [1]; it must be [2]"],
    [() => correlation(w, [[1]]), "the shapes are [2,2] and [1,1]"],
    [
      () =>
        correlation(w, [
          [0, 0],
          [0, 0],
        ]),
      "a matrix of zeros has no direction",
    ],
    [() => positionExamples([[1]], [[1]]), "tokens has shape [1,1]"],
    [() => selectTokens([[0.5, 0.5]], { low: 0.1, high: 0.01 }), "low is 0.1 and high 0.01"],
    [() => attentionSvm(examples, [2]), "token 2 of example 0 is not there"],
    [() => attentionSvm(examples, [0, 1]), "tokens must be 1 numbers"],
    [() => attentionSvm(examples, [0], { norm: "l1" as "nuclear" }), "norm"],
    [() => attentionSvm(examples, [0], { tol: 1 } as object), 'there is no option "tol"; did you mean "tolerance"'],
    [() => generalisedSvm(examples, [[]], [[0.5, 0.5]]), "no token of example 0 is selected"],
    [() => generalisedSvm(examples, [[0, 1]], [[0.5, 0.5]]), "every token is selected"],
    [() => regularisationPath(examples, [1, 0], [2, 1]), "radii must increase; 1 follows 2"],
    [() => regularisationPath(examples, [1, 0], [1], { around: [2] }), "token 2 of example 0 is not there"],
    [() => regularisationPath(examples, [1, 0], [1], { around: [0], width: 1 }), "width is 1; it must be in (0, 1)"],
    [() => regularisationPath(examples, [1, 0], [1], { around: [0], norm: "nuclear" }), 'has the norm "frobenius"'],
    [() => trainAttention(examples, { head: { ...head, v: [1] } }), "head.v has shape [1]; it must be [2]"],
    [() => trainAttention(examples, { head: { kind: "cubic" } as never }), 'head.kind is "cubic"'],
    [
      () => trainAttention(examples, { head, parameters: "kq", initial: "zero" }),
      "initial must be { k, q } that are not 0",
    ],
  ];
  for (const [call, message] of cases) await expect((async () => call())(), message).rejects.toThrow(message);
});

it("weightsFromOnnx combines a head's queries and keys", () => {
  const rng = random.rng(1);
  const [q, k] = [rng.normal([4, 6]), rng.normal([4, 6])];
  const constant = (name: string, data: Float32Array) => ({ name, type: "float32" as const, shape: [4, 6], data });
  const value = (name: string) => ({ name, type: "float32" as const, shape: ["n", 6] });
  const bytes = writeOnnxGraph({
    inputs: [{ name: "x", type: "float32", shape: ["n", 4] }],
    outputs: [value("a"), value("b")],
    constants: [constant("wq", q.data() as Float32Array), constant("wk", k.data() as Float32Array)],
    nodes: [
      { operator: "MatMul", inputs: ["x", "wq"], outputs: ["a"] },
      { operator: "MatMul", inputs: ["x", "wk"], outputs: ["b"] },
    ],
  });
  const cut = (x: typeof q) =>
    tensor(slice(x, [null, { start: 3, stop: 6 }]).toArray() as number[][], { dtype: "float64" });
  const expected = matmul(cut(k), transpose(cut(q))).div(Math.sqrt(3));
  expectClose(weightsFromOnnx(bytes, { query: "wq", key: "wk", head: 1, heads: 2 }), expected, { absolute: 1e-12 });
  expect(() => weightsFromOnnx(bytes, { query: "w", key: "wk" })).toThrow(
    'there is no initialiser "w"; the file has wq, wk',
  );
  expect(() => weightsFromOnnx(bytes, { query: "wq", key: "wk", heads: 4 })).toThrow(
    '"wq" has shape [4,6]; give [D, heads d]',
  );
});

it("long tokens, of which training learns nothing, are refused with the reason", async () => {
  const of = (size: number) => {
    const rng = random.rng(4);
    return { tokens: rng.normal([4, 5, 12], { dtype: "float64" }).mul(size / Math.sqrt(12)), labels: [1, -1, 1, -1] };
  };
  const v = random.rng(5).normal([12], { dtype: "float64" }).div(Math.sqrt(12));
  const head = { kind: "linear", v } as const;
  for (const [size, options, message] of [
    [20, {}, "a step of learningRate 0.1 changes scores by up to"],
    [1, { learningRate: 20 }, "a step of learningRate 20 changes scores by up to"],
    [1000, { learningRate: 1e-7 }, "concentrate attention on one token of every example to all digits"],
    [1000, { normalized: false }, "concentrate attention on one token of every example to all digits"],
    [
      1,
      { head: { kind: "custom", predict: () => tensor([100, -100, 100, -100], { dtype: "float64" }) } },
      "the loss at the first weights is",
    ],
  ] as const) {
    const all = { head, steps: 5, ...options } as TrainAttentionOptions;
    await expect(trainAttention(of(size), all), message).rejects.toThrow(message);
    if (all.head.kind === "custom") continue;
    await expect(trainAttentions([of(1), of(size)], { steps: 5, ...options, head }), message).rejects.toThrow(message);
  }
  // In the unit of their lengths all of them are learnt from, as are given weights in the data's own.
  await trainAttention(of(1), { head, steps: 5 });
  const initial = random.rng(1).normal([12, 12], { dtype: "float64" }).mul(1e-6);
  const { w } = await trainAttention(of(1000), { head, steps: 5, learningRate: 1e-7, loss: "linear", initial });
  expect(linalg.norm(w.sub(initial)).item()).toBeGreaterThan(1e-7);
});
