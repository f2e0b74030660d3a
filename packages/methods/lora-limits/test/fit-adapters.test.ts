import { adam } from "@offprint/optim";
import { runConformance } from "@offprint/solvers/conformance";
import { add, matmul, mul, random, type Tensor, zeros } from "@offprint/tensor-core";
import { errorLike } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { draw } from "../claims/problem.js";
import { fitAdapters, headFromWeights, loraGradients } from "../src/index.js";

const rng = random.rng("fit");
const x = mul(draw(rng, [24, 4]), 0.5);
const weight = () => draw(rng, [4, 4], 0.5);
const frozen = { q: weight(), k: weight(), v: weight() };
const teacher = { ...frozen, v: add(frozen.v, mul(matmul(draw(rng, [4, 2]), draw(rng, [2, 4])), 0.5)) };
const { output: target } = await loraGradients(x, teacher, { gradient: zeros([24, 4], "float64") });

runConformance(
  "fitAdapters",
  {
    run: (options) => fitAdapters(frozen, { x, target }, { learningRate: 0.5, ...options }),
    limit: "steps",
    short: 6,
    endless: { steps: 1e9 },
    seeded: true,
    invalid: [
      { rank: 0 },
      { learningRate: -1 },
      { strategy: "fast" },
      { tolerance: 0 },
      { deviation: 0 },
      { alpha: -1 },
    ],
    nonFinite: [() => fitAdapters(frozen, { x: [[Number.NaN, 0, 0, 0]], target: [[0, 0, 0, 0]] })],
    outcome: ({ adapters, history, status, steps }) => ({ adapters, history, status, steps }),
  },
  { describe, it, expect },
);

describe("fitAdapters", () => {
  it("learns what a teacher with other values answers, with exact and almost linear gradients alike", async () => {
    const options = { rank: 2, steps: 60, optimizer: adam({ learningRate: 0.05 }), adapters: ["v"] } as const;
    const exact = await fitAdapters(frozen, { x, target }, { ...options, strategy: "exact" });
    const near = await fitAdapters(frozen, [{ x, target }], { ...options, strategy: "almostLinear", epsilon: 1e-9 });
    const [first, last] = [exact.history[0].loss, exact.history.at(-1)?.loss ?? Number.NaN];
    expect(last).toBeLessThan(0.05 * first);
    expect(near.history.at(-1)?.loss).toBeCloseTo(last, 8);
    expect(near.history.every(({ strategy, bound }) => strategy === "almostLinear" && bound > 0)).toBe(true);
    expect(Object.keys(exact.adapters)).toEqual(["v"]);
    const again = await loraGradients(x, exact.head, { target });
    expect((again.loss ?? 0) / 96).toBeLessThan(last * 1.2);
  });

  it("goes on with the adapters that a head has", async () => {
    const once = await fitAdapters(frozen, { x, target }, { steps: 5, rank: 1, alpha: 3, scaling: "rslora" });
    const twice = await fitAdapters(once.head, { x, target }, { steps: 1 });
    expect(twice.history[0].loss).toBeLessThan(once.history[4].loss);
    expect(Object.keys(twice.adapters)).toEqual(["q", "v"]);
    await expect(fitAdapters(frozen, { x, target }, { adapters: ["k"], resume: once.state })).rejects.toThrow(
      "resume holds adapters of [q,v], not of [k]",
    );
  });
});

describe("headFromWeights", () => {
  const r = random.rng("files");
  const single = (shape: number[]) => r.normal(shape);
  const close = (a: unknown, b: Tensor) => expect([...(a as Tensor).data()]).toEqual([...b.data()]);

  it("cuts a head out of GPT-2's matrix, with its bias and a PEFT adapter", () => {
    const joint = single([6, 18]);
    const bias = single([18]);
    const [a, b] = [single([2, 6]), single([18, 2])];
    const tensors = { "transformer.h.1.attn.c_attn.weight": joint, "transformer.h.1.attn.c_attn.bias": bias };
    const adapter = {
      "base_model.model.transformer.h.1.attn.c_attn.lora_A.weight": a,
      "base_model.model.transformer.h.1.attn.c_attn.lora_B.weight": b,
    };
    const head = headFromWeights(tensors, { layer: 1, head: 2, heads: 3, adapter, alpha: 16 });
    const k = head.k as { weight: Tensor; bias: Tensor; b: Tensor; a: Tensor; alpha: number };
    close(k.weight, joint.slice([null, { start: 10, stop: 12 }]));
    close(k.bias, bias.slice([{ start: 10, stop: 12 }]));
    close(k.b, a.transpose());
    close(k.a, b.slice([{ start: 10, stop: 12 }]).transpose());
    expect([k.alpha, head.causal]).toEqual([16, true]);
  });

  it("shares keys among heads where the model does", () => {
    const tensors = Object.fromEntries(
      [
        ["q", 8],
        ["k", 4],
        ["v", 4],
      ].map(([name, rows]) => [`model.layers.0.self_attn.${name}_proj.weight`, single([Number(rows), 5])]),
    );
    const head = headFromWeights(tensors, { layer: 0, head: 3, heads: 4 });
    close(
      (head.q as { weight: Tensor }).weight,
      tensors["model.layers.0.self_attn.q_proj.weight"].slice([{ start: 6, stop: 8 }]).transpose(),
    );
    close(
      (head.k as { weight: Tensor }).weight,
      tensors["model.layers.0.self_attn.k_proj.weight"].slice([{ start: 2, stop: 4 }]).transpose(),
    );
  });

  it("reads a joint matrix of a linear layer, which is the other way round", () => {
    const joint = single([4, 12]);
    const place = { layer: 0, head: 1, heads: 2 };
    const [own, turned] = [joint, joint.transpose()].map((weight) => {
      const head = headFromWeights({ "transformer.h.0.attn.c_attn.weight": weight }, place);
      return head.v as { weight: Tensor };
    });
    close(turned.weight, own.weight);
  });

  it("asks which of several models is meant", () => {
    const sides = ["model.encoder", "model.decoder"];
    const tensors = Object.fromEntries(
      sides.flatMap((side) =>
        ["q", "k", "v"].map((name) => [`${side}.layers.0.self_attn.${name}_proj.weight`, single([4, 4])]),
      ),
    );
    const place = { layer: 0, head: 0, heads: 1 };
    for (const [change, message] of [
      [{ adaptor: {} }, /no option "adaptor"; did you mean "adapter"/],
      [{ adapter: null }, /adapter is null; give its tensors by name/],
      [{ alpha: 8 }, /alpha is of an adapter, and none was given/],
    ] as const) {
      expect(() => headFromWeights(tensors, { ...place, ...change } as never)).toThrow(
        errorLike("ValueError", message),
      );
    }
    expect(() => headFromWeights(tensors, place)).toThrow(
      errorLike("FormatError", /of several models \(model.encoder.*model.decoder.*say by prefix/),
    );
    for (const [i, side] of sides.entries()) {
      const adapter = Object.fromEntries(
        sides.flatMap((each) =>
          ["A", "B"].map((part) => [
            `base_model.model.${each}.layers.0.self_attn.k_proj.lora_${part}.weight`,
            single(part === "A" ? [2, 4] : [4, 2]),
          ]),
        ),
      );
      for (const prefix of [side, `${side}.`]) {
        const head = headFromWeights(tensors, { ...place, adapter, prefix });
        close((head.q as { weight: Tensor }).weight, Object.values(tensors)[3 * i].transpose());
        const { a, b } = head.k as { a: Tensor; b: Tensor };
        close(b, Object.values(adapter)[2 * i].transpose());
        close(a, Object.values(adapter)[2 * i + 1].transpose());
      }
    }
  });

  it("refuses what it would leave out: normalised queries, and the magnitudes of DoRA", () => {
    const module = "model.layers.0.self_attn";
    const tensors = Object.fromEntries(
      ["q", "k", "v"].map((name) => [`${module}.${name}_proj.weight`, single([4, 4])]),
    );
    const place = { layer: 0, head: 0, heads: 2 };
    expect(() => headFromWeights({ ...tensors, [`${module}.k_norm.weight`]: single([2]) }, place)).toThrow(
      errorLike("UnsupportedError", /layer 0 normalises queries and keys \(k_norm\)/),
    );
    const adapter = {
      [`base_model.model.${module}.q_proj.lora_A.weight`]: single([2, 4]),
      [`base_model.model.${module}.q_proj.lora_B.weight`]: single([4, 2]),
      [`base_model.model.${module}.q_proj.lora_magnitude_vector`]: single([4]),
    };
    expect(() => headFromWeights(tensors, { ...place, adapter })).toThrow(
      errorLike("UnsupportedError", /the adapter is one of DoRA/),
    );
  });
});
