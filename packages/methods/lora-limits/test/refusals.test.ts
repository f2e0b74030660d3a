import { adam } from "@offprint/optim";
import { zeros } from "@offprint/tensor-core";
import { errorLike } from "@offprint/testing";
import { expect, it } from "vitest";
import {
  almostLinearAttention,
  baselineGradients,
  fitAdapters,
  type Head,
  headFromWeights,
  loraGradients,
  NormExceededError,
} from "../src/index.js";

const x = [
  [1, 0],
  [0, 1],
  [1, 1],
];
const w = [
  [1, 0],
  [0, 1],
];
const head: Head = { q: w, k: w, v: w };
const target = zeros([3, 2], "float64");
const run = (change: Partial<Record<keyof Head, unknown>>, options = {}, upstream: object = { target }) =>
  loraGradients(x, { ...head, ...change } as Head, upstream as { target: typeof target }, options);

it("names what does not fit", async () => {
  const cases: [() => Promise<unknown>, string][] = [
    [() => loraGradients([1, 2], head, { target }), "x has shape [2]; give a matrix"],
    [() => loraGradients(zeros([0, 2]), head, { target }), "x has no token"],
    [() => loraGradients([[Number.NaN, 1]], head, { target }), "x holds NaN"],
    [() => loraGradients(x, null as unknown as Head, { target }), "head is null"],
    [() => run({ q: undefined }), "the weight of q is missing"],
    [() => run({ q: [[1, 0]] }), "the weight of q has shape [1,2]; tokens of 2 numbers need [2, d]"],
    [() => run({ k: [[1], [1]] }), "the weight of k has shape [2,1]"],
    [() => run({ q: { weight: w, bias: [1] } }), "the bias of q has shape [1]; it must be [2]"],
    [() => run({ q: { weight: w, b: [[1], [1]], a: [[1, 2, 3]] } }), "the adapter of q has b [2,1] and a [1,3]"],
    [() => run({ q: { weight: w, b: [[], []], a: zeros([0, 2], "float64") } }), "adapter of q has rank 0"],
    [() => run({ q: { weight: w, b: [[1], [1]], a: [[1, 2]], alpha: 0 } }), "alpha of q is 0"],
    [() => run({ q: { weight: w, b: [[1], [1]], a: [[1, 2]], scaling: "half" } }), 'scaling of q is "half"'],
    [() => run({ q: { wieght: w, weight: w } }), 'there is no option "wieght"; did you mean "weight"'],
    [() => run({ q: { weight: w, a: [[1, 2]] } }), "b of q is missing"],
    [() => run({ q: { weight: w, b: [[1], [1]] } }), "a of q is missing"],
    [() => run({}, { epsilon: "1e-4" }), 'epsilon is "1e-4"; it must be a finite number > 0'],
    [() => run({ beta: -1 }), "head.beta is -1"],
    [() => run({ causal: 1 }), "head.causal is 1; it must be one of true, false"],
    [() => run({}, {}, {}), "nothing comes from above"],
    [() => run({}, {}, { target, gradient: target }), "both a target and a gradient"],
    [() => run({}, {}, { target: [[1, 2]] }), "target has shape [1,2]; the head's output has [3, 2]"],
    [() => run({}, { degre: 3 }), 'there is no option "degre"; did you mean "degree"'],
    [() => run({}, { strategy: "fast" }), 'strategy is "fast"'],
    [() => run({}, { strategy: "almostLinear", degree: -1 }), "degree is -1"],
    [() => run({}, { strategy: "almostLinear", maxFeatures: 3 }), "maxFeatures is 3"],
    [
      () => run({}, { strategy: "exact", degree: 2 }),
      'degree is of a polynomial, and strategy is "exact"; leave it out',
    ],
    [() => run({}, { strategy: "exact", tolerance: 1 }), "tolerance is of a polynomial"],
    [() => run({}, { strategy: "almostLinear", tolerance: 1 }), 'strategy is "almostLinear"; leave it out'],
    [() => run({}, { degree: 2, epsilon: 0.1 }), "epsilon decides the degree, and degree is given"],
    [() => run({}, { center: 1 }), "center is 1; it must be one of true, false"],
    [() => run({}, { chunk: 0 }), "chunk is 0"],
    [() => run({}, { tolerance: 0 }), "tolerance is 0"],
    [() => almostLinearAttention(x, head, { epsilon: 2 }), "epsilon is 2; it must be in (0, 1)"],
    [() => baselineGradients(x, head, { target }, { method: "magic" as "autograd" }), "method"],
    [
      () => baselineGradients(x, head, { target }, { method: "autograd", features: 3 }),
      'features is of method "randomFeatures", and method is "autograd"; leave it out',
    ],
    [() => baselineGradients(x, head, { target }, { method: "randomFeatures", rank: 3 }), 'rank is of method "trunc'],
    [() => baselineGradients(x, head, { target }, { method: "truncatedSvd", seed: 3 }), 'seed is of method "random'],
    [() => fitAdapters(head, []), "there is no example"],
    [() => fitAdapters(head, [{ x, target }, null] as never, { steps: 1 }), "example 1 is null; give { x, target }"],
    [() => fitAdapters(head, [{ x, target }, { x }] as never, { steps: 1 }), "example 1: there is no target"],
    [() => fitAdapters(head, { x, target, weight: 1 } as never), 'the example: there is no option "weight"'],
    [
      () => fitAdapters({ ...head, q: { weight: w, b: [[1], [1]], a: [[1, 2]] } }, { x, target }, { alpha: 8 }),
      "alpha is of new adapters, and q of the head have their own; leave it out",
    ],
    [
      () => fitAdapters(head, { x, target }, { optimizer: adam(), learningRate: 1 }),
      "learningRate does nothing with an optimizer",
    ],
    [() => fitAdapters(head, { x, target }, { optimizer: {} as never }), "optimizer has no init and update"],
    [
      () =>
        fitAdapters(
          head,
          [
            { x, target },
            { x, target: w },
          ],
          { steps: 1 },
        ),
      "example 1 has x [3,2] and target [2,2]; give [length, 2] and [length, 2]",
    ],
    [() => fitAdapters(head, { x, target }, { rank: 3 }), "rank is 3, more than the weight [2, 2] can have"],
    [() => fitAdapters(head, { x, target }, { adapters: [] }), "adapters is []"],
  ];
  for (const [call, message] of cases) await expect(call(), message).rejects.toThrow(message);
});

it("says so where numbers end, in place of gradients that are none, and goes on where only squares do", async () => {
  const scaled = (size: number) => [
    [size, 0],
    [0, size],
  ];
  for (const strategy of ["exact", "auto"]) {
    await expect(run({ v: scaled(1e200) }, { strategy })).rejects.toThrow(
      errorLike("NonFiniteError", /the loss left the range of numbers; scale the values/),
    );
    const huge = { gradient: [1, 2, 3].map(() => [1e308, 1e308]) };
    await expect(run({}, { strategy }, huge)).rejects.toThrow(
      errorLike("NonFiniteError", /the gradients left the range of numbers/),
    );
  }
  const far = await run({ q: scaled(1e170), k: scaled(1e-170) }, { strategy: "exact" });
  expect(far.range).toBeCloseTo((await run({})).range, 12);
  await expect(run({ q: scaled(1e20), k: scaled(1e20) }, { strategy: "almostLinear", degree: 4 })).rejects.toThrow(
    NormExceededError,
  );
});

it("says which degree a larger range would need", async () => {
  const error = await run({}, { strategy: "almostLinear", degree: 8, range: 0.5 }).catch((each) => each);
  expect(error).toBeInstanceOf(NormExceededError);
  expect(error.range).toBeCloseTo(2 / Math.SQRT2, 12);
  expect(error.neededDegree).toBeGreaterThan(8);
  expect(error.message).toContain(`leave range out, or give ${error.range} and degree ${error.neededDegree}`);
});

it("stops where a polynomial gives weights that are none", async () => {
  const far = {
    q: [
      [9, 0],
      [0, 9],
    ],
    k: [
      [9, 0],
      [0, 9],
    ],
  };
  await expect(run(far, { strategy: "almostLinear", degree: 3 })).rejects.toThrow(
    "which must be above 0: the polynomial has degree 3",
  );
});

it("warns of an adapter whose rank is not below that of its weight", async () => {
  const adapter = (rank: number) => ({ weight: w, b: zeros([2, rank], "float64"), a: zeros([rank, 2], "float64") });
  expect((await run({ q: adapter(1), v: adapter(1) })).warnings).toEqual([]);
  const { warnings } = await run({ q: adapter(1), v: adapter(2) });
  expect(warnings).toEqual([
    "the adapter of v has rank 2, as much as the weight [2,2] itself: it is not of low rank; below 2 it saves work",
  ]);
  const tuned = await fitAdapters(head, { x, target }, { rank: 2, steps: 1 });
  expect(tuned.warnings.map((text) => text.slice(0, 16))).toEqual(["the adapter of q", "the adapter of v"]);
});

it("headFromWeights names what is missing", () => {
  const joint = { "h.0.attn.c_attn.weight": zeros([4, 12]) };
  expect(() => headFromWeights({}, { layer: 0, head: 0, heads: 2 })).toThrow("there is neither h.0.attn.c_attn.weight");
  expect(() => headFromWeights(joint, { layer: 0, head: 2, heads: 2 })).toThrow(
    "head is 2; it must be an integer from 0 to 1",
  );
  expect(() => headFromWeights(joint, { layer: 0, head: 0, heads: 3 })).toThrow("3 heads do not divide 4 columns");
  const a = { "base.h.0.attn.c_attn.lora_A.weight": zeros([2, 4]) };
  const place = { layer: 0, head: 0, heads: 2 };
  expect(() => headFromWeights(joint, { ...place, adapter: a })).toThrow(
    errorLike("FormatError", /the adapter lacks h.0.attn.c_attn.lora_B.weight/),
  );
  const other = { "base.h.3.attn.c_attn.lora_A.weight": zeros([2, 4]) };
  expect(() => headFromWeights(joint, { ...place, adapter: other })).toThrow(
    errorLike("FormatError", /nothing for the attention of layer 0; its tensors begin with base.h.3/),
  );
});
