import { runConformance } from "@offprint/solvers/conformance";
import { grad, mul, random, sub, type Tensor, tensor, zeros } from "@offprint/tensor-core";
import { expectClose, expectGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { fixedProblem, randomProblem } from "../claims/data.js";
import { lossOf, maskedScores, pooledTokens } from "../src/attention.js";
import { readExamples } from "../src/examples.js";
import { readHead } from "../src/heads.js";
import { type Head, trainAttention, trainAttentions } from "../src/index.js";
import { logExcess } from "../src/log-excess.js";
import { optimalOf, scoresOf } from "../src/token-scores.js";

const { examples, v } = fixedProblem(3, 4, 5);
const linear = { kind: "linear", v } as const;

for (const parameters of ["w", "kq"] as const) {
  runConformance(
    `trainAttention of ${parameters}`,
    {
      run: (options) => trainAttention(examples, { head: linear, parameters, recordEvery: 2, ...options }),
      limit: "steps",
      short: 10,
      endless: { steps: 1e9 },
      seeded: true,
      invalid: [{ learningRate: 0 }, { rank: 6 }, { loss: "hinge" }, { parameters: "v" }, { recordEvery: 0 }],
      comparesStates: true,
      nonFinite: [() => trainAttention({ ...examples, labels: [1, Number.NaN, 1] }, { head: linear })],
    },
    { describe, it, expect },
  );
}

it("refuses tokens in units in which nothing is learnt", async () => {
  for (const unit of [1e-200, 1e-150, 1e-6, 1e6, 1e150]) {
    const scaled = { tokens: mul(tensor(examples.tokens, { dtype: "float64" }), unit), labels: examples.labels };
    const message = /numbers up to .* with scores about .*, of which training learns nothing; divide both/;
    for (const parameters of ["w", "kq"] as const) {
      await expect(trainAttention(scaled, { head: linear, parameters })).rejects.toThrow(message);
    }
    await expect(trainAttentions([scaled], { head: linear })).rejects.toThrow(/set 0: tokens have numbers up to/);
  }
  const unequal = { ...examples, tokens: mul(tensor(examples.tokens, { dtype: "float64" }), 1e150) };
  const queries = mul(tensor(examples.queries ?? [], { dtype: "float64" }), 1e-150);
  await expect(trainAttention({ ...unequal, queries }, { head: linear, steps: 2 })).resolves.toMatchObject({
    steps: 2,
  });
});

describe("the objective", () => {
  const read = readExamples("test", examples);
  const rng = random.rng(5);
  const heads: Head[] = [
    linear,
    { kind: "relu", v: rng.normal([5, 3], { dtype: "float64" }) },
    { kind: "quadratic", v, lambda: 0.4 },
    { kind: "custom", predict: (pooled) => pooled.mul(pooled).sum(1) },
  ];

  it("has the gradients of finite differences, for every head and loss", () => {
    const w = rng.normal([5, 5], { dtype: "float64" });
    for (const head of heads) {
      for (const loss of ["logistic", "exponential", "linear"] as const) {
        const { predict, v: own } = readHead("test", head, 5);
        const value = (x: Tensor) =>
          lossOf(
            "test",
            loss,
          )(mul(read.labels, predict(pooledTokens(maskedScores(x, read).softmax(1), read.tokens), own))).mean();
        expectGradient(value, [w]);
      }
    }
  });

  it("is followed by one step of plain gradient descent, and by K and Q through theirs", async () => {
    const w = rng.normal([5, 5], { dtype: "float64" });
    const value = (x: Tensor) =>
      lossOf(
        "test",
        "logistic",
      )(
        mul(
          read.labels,
          readHead("test", linear, 5).predict(pooledTokens(maskedScores(x, read).softmax(1), read.tokens), v),
        ),
      ).mean();
    const slope = grad(value)(w);
    const one = await trainAttention(examples, {
      head: linear,
      initial: w,
      steps: 1,
      normalized: false,
      learningRate: 0.3,
    });
    expectClose(one.w, sub(w, mul(slope, 0.3)), { absolute: 1e-13 });
    const unit = await trainAttention(examples, { head: linear, initial: w, steps: 1 });
    expect(sub(unit.w, w).mul(sub(unit.w, w)).sum().item()).toBeCloseTo(0.01, 12);
    const [k, q] = [rng.normal([5, 2], { dtype: "float64" }), rng.normal([5, 2], { dtype: "float64" })];
    const product = k.matmul(q.transpose());
    const s = grad(value)(product);
    const two = await trainAttention(examples, {
      head: linear,
      parameters: "kq",
      initial: { k, q },
      steps: 1,
      normalized: false,
      learningRate: 0.3,
    });
    expectClose(two.k as Tensor, sub(k, mul(s.matmul(q), 0.3)), { absolute: 1e-12 });
    expectClose(two.q as Tensor, sub(q, mul(s.transpose().matmul(k), 0.3)), { absolute: 1e-12 });
  });

  it("has a log excess that is log(L - L_*) where that has digits, and finite where it has none", () => {
    const scores = scoresOf("test", read, v);
    const w = rng.normal([5, 5], { dtype: "float64" });
    const logistic = (m: number) => Math.log1p(Math.exp(-m));
    const best = optimalOf(scores).scores.map(logistic);
    const ideal = best.reduce((sum, one) => sum + one, 0) / 3;
    const { predict } = readHead("test", linear, 5);
    const loss = lossOf(
      "test",
      "logistic",
    )(mul(read.labels, predict(pooledTokens(maskedScores(w, read).softmax(1), read.tokens), v))).mean();
    expect(logExcess(w, read, scores).item()).toBeCloseTo(Math.log(loss.item() - ideal), 9);
    const far = mul(w, 1e4);
    expect(Number.isFinite(logExcess(far, read, scores).item())).toBe(true);
    expect(
      grad((x: Tensor) => logExcess(x, read, scores))(far)
        .data()
        .every((value: number) => Number.isFinite(value)),
    ).toBe(true);
    expectGradient((x: Tensor) => logExcess(x, read, scores), [w]);
  });

  it("knows nothing of tokens behind the mask", async () => {
    const padded = {
      tokens: tensor(
        (examples.tokens.toArray() as number[][][]).map((each) => [...each, [9, 9, 9, 9, 9]]),
        { dtype: "float64" },
      ),
      queries: examples.queries,
      labels: examples.labels,
      mask: [1, 2, 3].map(() => [true, true, true, true, false]),
    };
    const options = { head: linear, steps: 20, initial: "zero" } as const;
    const [a, b] = [await trainAttention(examples, options), await trainAttention(padded, options)];
    expectClose(b.w, a.w, { absolute: 1e-12 });
    expect(b.selected).toEqual(a.selected);
  });
});

it("grows for ever, selects the tokens of the highest scores, and says so in its records", async () => {
  const problem = randomProblem(random.rng(3), 6, 8, 10);
  const { history, attention, selected, status, k } = await trainAttention(problem.examples, {
    head: { kind: "linear", v: problem.v },
    steps: 400,
  });
  expect([status, k, history.length]).toEqual(["limit", undefined, 100]);
  for (let i = 1; i < history.length; i++) expect(history[i].step).toBe(history[i - 1].step + 4);
  const last = history[history.length - 1];
  expect(last.norm).toBeGreaterThan(5 * history[0].norm);
  expect(last.concentration).toBeCloseTo(attention.max(1).min().item(), 12);
  expect(selected.length).toBe(6);
});

describe("many sets at once", () => {
  const rng = random.rng(11);
  const sets = [3, 5, 4].map((length) => randomProblem(rng, 4, length, 6));

  it.each(["w", "kq"] as const)("are trained as each would be alone, %s", async (parameters) => {
    const options = { parameters, steps: 30, recordEvery: 15 } as const;
    const together = await trainAttentions(
      sets.map((each) => each.examples),
      { ...options, head: sets.map((each) => ({ kind: "linear", v: each.v })), seed: "many" },
    );
    for (const [i, set] of sets.entries()) {
      const alone = await trainAttention(set.examples, {
        ...options,
        head: { kind: "linear", v: set.v },
        seed: `many ${i}`,
      });
      expectClose(together.layers[i].w, alone.w, { absolute: 1e-11 });
      expectClose(together.layers[i].attention, alone.attention, { absolute: 1e-11 });
      expect(together.layers[i].selected).toEqual(alone.selected);
      for (const [r, record] of together.history.entries()) {
        expect(record.loss[i]).toBeCloseTo(alone.history[r].loss, 10);
        expect(record.concentration[i]).toBeCloseTo(alone.history[r].concentration, 10);
      }
    }
  });

  it("of other sizes are refused by number", async () => {
    const [first, second] = sets.map((each) => each.examples);
    const wide = randomProblem(rng, 4, 3, 5).examples;
    await expect(trainAttentions([first, wide], { head: linear })).rejects.toThrow(/set 1 has 4 examples in 5/);
    await expect(trainAttentions([], { head: linear })).rejects.toThrow(/there are no sets/);
    const head = { kind: "linear", v: sets[0].v } as const;
    await expect(trainAttentions([first, second], { head: [head] })).rejects.toThrow(/1 heads for 2 sets/);
    const curved = { kind: "quadratic", v: sets[0].v, lambda: 0.1 } as const;
    await expect(trainAttentions([first, second], { head: [head, curved] })).rejects.toThrow(
      /head 1 is of another kind/,
    );
    await expect(trainAttentions([first, second], { head, initial: [zeros([6, 6], "float64")] })).rejects.toThrow(
      /1 initial weights for 2 sets/,
    );
  });
});

runConformance(
  "trainAttentions",
  {
    run: (options) => trainAttentions([examples, examples], { head: linear, recordEvery: 2, ...options }),
    limit: "steps",
    short: 10,
    endless: { steps: 1e9 },
    seeded: true,
    invalid: [{ learningRate: 0 }, { rank: 6 }, { loss: "hinge" }, { parameters: "v" }, { recordEvery: 0 }],
    nonFinite: [() => trainAttentions([{ ...examples, labels: [1, Number.NaN, 1] }], { head: linear })],
  },
  { describe, it, expect },
);
