import { type GradientLM, gpt2 } from "@offprint/language";
import { grad, random, stack, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { attributeGeneration, baselines, reagent, replacers } from "../src/index.js";
import { expected, ids, lm, wide } from "./pytorch-baselines.js";
import { byZero, onesPrompt, oracle, smallLM } from "./small-models.js";

function expectClose(found: ArrayLike<number>, wanted: readonly number[], digits: number): void {
  expect(found.length).toBe(wanted.length);
  for (let i = 0; i < found.length; i++) expect(found[i]).toBeCloseTo(wanted[i], digits);
}

describe("against PyTorch:", () => {
  const names = [
    "inputXGradient",
    "gradientNorm",
    "integratedGradients",
    "attentionMean",
    "attentionLast",
    "attentionRollout",
  ] as const;
  it.each(names)("%s", async (name) => {
    const { scores, target, importance } = await baselines[name](lm, ids);
    expect(target).toBe(expected.target);
    expectClose(scores, expected[name], 9);
    expect(importance.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  });
});

describe("integrated gradients", () => {
  it("sum to the log-probability at the prompt less that without it", async () => {
    for (const [model, prompt, points] of [
      [smallLM(), Int32Array.of(3, 1, 4, 1, 5), 64],
      [lm, ids, 128],
    ] as const) {
      const { scores, target } = await baselines.integratedGradients(model, prompt, { rule: "gaussLegendre", points });
      const x = await model.embed(prompt);
      const logits = model.logitsFromEmbeds(stack([x, x.mul(0)]));
      const logP = [0, 1].map((row) => Math.log(logits.slice([row]).softmax().data()[target]));
      expect(scores.reduce((a, b) => a + b, 0)).toBeCloseTo(logP[0] - logP[1], 6);
    }
    const { scores } = await baselines.integratedGradients(lm, ids, { rule: "gaussLegendre", points: 64 });
    const midpoint = await baselines.integratedGradients(lm, ids, { rule: "midpoint", points: 400 });
    expectClose(midpoint.scores, Array.from(scores), 3);
  });

  it("are input times gradient for a model that is linear in the embeddings", async () => {
    const weight = random.rng(0).normal([4, 3], { dtype: "float64" });
    const table = random.rng(1).normal([5, 3], { dtype: "float64" });
    const linear: GradientLM = {
      vocabSize: 5,
      nextLogits: (prompts) => prompts.map(() => [0, 0, 0, 0, 0]),
      embed: (prompt) => table.take(tensor(prompt)),
      nextLogitsFromEmbeds: (x) => tensor(new Float64Array(5 * x.shape[0]), { shape: [x.shape[0], 5] }),
      logProbabilityGradient: (x) => grad((y: Tensor) => sum(y.mul(weight)))(x) as Tensor,
    };
    const prompt = Int32Array.of(0, 3, 1, 4);
    const { scores } = await baselines.inputXGradient(linear, prompt, { target: 0 });
    for (const rule of ["riemann", "midpoint", "gaussLegendre"] as const) {
      const path = await baselines.integratedGradients(linear, prompt, { target: 0, rule, points: 7 });
      expectClose(path.scores, Array.from(scores), 12);
    }
    const shap = await baselines.gradientShap(linear, prompt, { target: 0 });
    expectClose(shap.scores, Array.from(scores), 12);
  });

  it("do not depend on how the points are batched", async () => {
    const a = await baselines.integratedGradients(lm, ids, { points: 20 });
    const b = await baselines.integratedGradients(lm, ids, { points: 20, batchSize: 6 });
    expectClose(b.scores, Array.from(a.scores), 12);
  });
});

describe("attention", () => {
  it("rollout of identity attention stays at the last token", async () => {
    const eye = tensor([0, 1, 2].map((i) => [0, 1, 2].map((k) => (i === k ? 1 : 0))));
    const identity = { ...oracle(() => 0.5), attentions: () => stack([stack([eye, eye]), stack([eye, eye])]) };
    const { scores } = await baselines.attentionRollout(identity, onesPrompt(3));
    expect(Array.from(scores)).toEqual([0, 0, 1]);
  });

  it("rollout and means sum to 1", async () => {
    for (const method of [baselines.attentionRollout, baselines.attentionMean, baselines.attentionLast]) {
      expect((await method(lm, ids)).scores.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    }
  });
});

describe("the perturbing baselines", () => {
  const additive = oracle((prompt) => 0.4 + 0.1 * prompt[0] + 0.3 * prompt[1] + 0.05 * prompt[3]);

  it("leave one out gives the fall of the probability", async () => {
    const { scores } = await baselines.leaveOneOut(additive, onesPrompt(4), { target: 1, replacer: byZero });
    expectClose(scores, [0.1, 0.3, 0, 0.05], 12);
  });

  it("LIME finds the weights of a model that is linear in which embeddings are there", async () => {
    const weights = [0.1, 0.3, 0, 0.05];
    const kept = {
      ...additive,
      embed: () => tensor(new Float64Array([1, 1, 1, 1]), { shape: [4, 1] }),
      nextLogitsFromEmbeds(x: Tensor) {
        const on = x.data();
        const rows = Array.from(
          { length: x.shape[0] },
          (_, k) => 0.4 + weights.reduce((t, w, i) => t + w * on[4 * k + i], 0),
        );
        return tensor(new Float64Array(rows.flatMap((p) => [Math.log(1 - p), Math.log(p)])), {
          shape: [rows.length, 2],
        });
      },
    };
    const { scores } = await baselines.lime(kept, onesPrompt(4), { target: 1, ridge: 1e-9, samples: 60 });
    expectClose(scores, weights, 6);
  });

  it("random scores follow their seed only", async () => {
    const [a, b] = [
      await baselines.random(additive, onesPrompt(4), { seed: 1 }),
      await baselines.random(additive, onesPrompt(4), { seed: 1 }),
    ];
    expect(a.scores).toEqual(b.scores);
  });
});

it("bad options are refused with their names", async () => {
  const prompt = ids;
  await expect(baselines.integratedGradients(lm, prompt, { points: 0 })).rejects.toThrow(/points is 0/);
  await expect(baselines.integratedGradients(lm, prompt, { rule: "simpson" as never })).rejects.toThrow(
    /rule is "simpson"/,
  );
  await expect(baselines.gradientShap(lm, prompt, { draws: 0 })).rejects.toThrow(/draws is 0/);
  await expect(baselines.gradientShap(lm, prompt, { sigma: -1 })).rejects.toThrow(/sigma is -1/);
  await expect(baselines.lime(lm, prompt, { ridge: 0 })).rejects.toThrow(/ridge is 0/);
  await expect(baselines.lime(lm, prompt, { kernelWidth: 0 })).rejects.toThrow(/kernelWidth is 0/);
  await expect(baselines.gradientNorm(lm, prompt, { target: 100 })).rejects.toThrow(/target is 100/);
  await expect(baselines.attentionMean({ ...lm, attentions: () => tensor([1]) }, prompt)).rejects.toThrow(
    /attentions gave shape/,
  );
  expect(() => lm.embed(new Int32Array(0))).toThrow(/ids is empty/);
  await expect(lm.nextLogits([new Int32Array(41)])).rejects.toThrow(
    /prompt's length is 41; it must be an integer from 1 to 40/,
  );
  expect(() => gpt2(wide, { heads: 3 })).toThrow(/does not divide/);
});

describe("a generated continuation", () => {
  it("is explained token by token, by the prefix of each", async () => {
    const model = smallLM();
    const prompt = Int32Array.of(3, 1, 4);
    const replacer = replacers.uniform({ vocabSize: 11 });
    const {
      ids: all,
      map,
      promptLength,
    } = await attributeGeneration(model, prompt, {
      maxNewTokens: 3,
      method: (prefix, target) => reagent(model, prefix, { target, replacer, maxIterations: 4, probes: 2 }),
    });
    expect(promptLength).toBe(3);
    expect(all.length).toBe(6);
    expect(map.shape).toEqual([3, 5]);
    for (let k = 0; k < 3; k++) {
      const row = Float64Array.from(map.slice([k]).data());
      expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      for (let i = 0; i < 5; i++) expect(row[i] > 0).toBe(i < 3 + k);
      const next = (await model.nextLogits([all.slice(0, 3 + k)])) as Tensor;
      expect(next.argMax({ axis: 1 }).data()[0]).toBe(all[3 + k]);
    }
  });

  it("ends at a stop token", async () => {
    const model = smallLM();
    const method = async (prefix: Int32Array) => ({ importance: new Float64Array(prefix.length) });
    const prompt = Int32Array.of(3, 1, 4);
    const free = await attributeGeneration(model, prompt, { maxNewTokens: 3, method });
    expect(free.status).toBe("limit");
    const ended = await attributeGeneration(model, prompt, { maxNewTokens: 3, method, stopIds: [free.ids[3]] });
    expect(ended).toMatchObject({ status: "converged", iterations: 1 });
    expect(ended.ids.length).toBe(4);
  });

  it("may be given", async () => {
    const method = async (prefix: Int32Array) => ({ importance: new Float64Array(prefix.length) });
    const options = { maxNewTokens: 5, method, continuation: Int32Array.of(7, 2) };
    const { ids: all, explained } = await attributeGeneration(smallLM(), Int32Array.of(3, 1, 4), options);
    expect(Array.from(all)).toEqual([3, 1, 4, 7, 2]);
    expect(explained.map(({ importance }) => importance.length)).toEqual([3, 4]);
  });
});
