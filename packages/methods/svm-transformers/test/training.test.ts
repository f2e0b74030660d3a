import { runConformance } from "@offprint/solvers/conformance";
import { grad, mul, random, sub, type Tensor, tensor } from "@offprint/tensor-core";
import { expectClose, expectGradient } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { fixedProblem, randomProblem } from "../claims/data.js";
import { lossOf, maskedScores, pooledTokens } from "../src/attention.js";
import { readExamples } from "../src/examples.js";
import { readHead } from "../src/heads.js";
import { type Head, trainAttention } from "../src/index.js";
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
      nonFinite: [() => trainAttention({ ...examples, labels: [1, Number.NaN, 1] }, { head: linear })],
    },
    { describe, it, expect },
  );
}

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
        const predict = readHead("test", head, 5);
        const value = (x: Tensor) =>
          lossOf(
            "test",
            loss,
          )(mul(read.labels, predict(pooledTokens(maskedScores(x, read).softmax(1), read.tokens)))).mean();
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
        mul(read.labels, readHead("test", linear, 5)(pooledTokens(maskedScores(x, read).softmax(1), read.tokens))),
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
    const predict = readHead("test", linear, 5);
    const loss = lossOf(
      "test",
      "logistic",
    )(mul(read.labels, predict(pooledTokens(maskedScores(w, read).softmax(1), read.tokens)))).mean();
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
