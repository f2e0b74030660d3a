import { linear, mlp } from "@offprint/nn";
import { add, matmul, mean, mul, random, square, type Tensor, take, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  dataCleaning,
  hypergradient,
  hyperParameters,
  hyperRepresentation,
  maSoba,
  oracles,
  solveLower,
} from "../src/index.js";

const float64 = { dtype: "float64" } as const;
const rng = random.rng(3);
const data = {
  train: { inputs: rng.normal([30, 4], float64), targets: rng.randint([30], { high: 3 }) },
  validation: { inputs: rng.normal([20, 4], float64), targets: rng.randint([20], { high: 3 }) },
};

describe("dataCleaning", () => {
  const problem = dataCleaning(data, { weightDecay: 0.1 });

  it("weighs each example's loss by the sigmoid of its number", () => {
    const numbers = tensor([3, 7], { dtype: "int32" });
    const x = rng.normal([30], float64);
    const params = linear({ inputs: 4, outputs: 3 }).init(random.rng(1), "float64");
    const { inputs, targets } = data.train;
    const logits = add(matmul(take(inputs, numbers), params.weight), params.bias ?? 0).toArray() as number[][];
    const losses = logits.map(
      (row, i) => Math.log(row.reduce((s, v) => s + Math.exp(v), 0)) - row[targets.data()[[3, 7][i]]],
    );
    const weights = [3, 7].map((i) => 1 / (1 + Math.exp(-x.data()[i])));
    const squares = [params.weight, params.bias ?? tensor(0)].map((p) => square(p).sum().item());
    const expected = (losses[0] * weights[0] + losses[1] * weights[1]) / 2 + 0.05 * (squares[0] + squares[1]);
    expectClose(problem.lower(x, params, numbers), expected, 1e-12);
  });

  it("has mixed products that touch the batch's examples alone", () => {
    const { x, y } = problem.initial;
    const v = linear({ inputs: 4, outputs: 3 }).init(random.rng(2), "float64");
    const product = oracles(problem).mixedXY(x, y, v, tensor([5, 9], { dtype: "int32" }));
    const touched = [...product.data()].map((value, i) => (value === 0 ? -1 : i)).filter((i) => i >= 0);
    expect(touched).toEqual([5, 9]);
  });

  it("gives wrong labels less weight", async () => {
    const r = random.rng(8);
    const inputs = r.normal([120, 2], float64);
    const right = [...inputs.data()].filter((_, i) => i % 2 === 0).map((v) => (v > 0 ? 1 : 0));
    const wrong = right.map((label, i) => (i < 12 ? 1 - label : label));
    const clean = { inputs: inputs.slice([{ start: 60 }]), targets: right.slice(60) };
    const dirty = { inputs: inputs.slice([{ stop: 60 }]), targets: wrong.slice(0, 60) };
    const cleaning = dataCleaning({ train: dirty, validation: clean }, { batchSize: "all" });
    const { x } = await maSoba(cleaning, { stepSize: 50, lowerStepSize: 0.5, maxIterations: 300 });
    const meanOf = (from: number, to: number) => mean(x.slice([{ start: from, stop: to }])).item();
    expect(meanOf(0, 12)).toBeLessThan(meanOf(12, 60) - 0.5);
  });
});

describe("hyperParameters", () => {
  it("has the gradient of ridge regression's validation loss in the logarithm of the strength", async () => {
    const targets = (n: number) => rng.normal([n], float64);
    const ridge = hyperParameters(
      { train: { ...data.train, targets: targets(30) }, validation: { ...data.validation, targets: targets(20) } },
      { loss: "squaredError", per: "tensor", batchSize: "all" },
    );
    expect(ridge.initial.x.shape).toEqual([2]);
    const outer = async (x: Tensor) =>
      ridge.upper(x, (await solveLower(ridge, x)).y, ridge.full?.upper as Tensor).item();
    const { x } = ridge.initial;
    const { gradient } = await hypergradient(ridge, x, (await solveLower(ridge, x)).y, { solver: "exact" });
    const h = 1e-5;
    for (const i of [0, 1]) {
      const moved = (by: number) =>
        tensor(
          [...x.data()].map((v, j) => (j === i ? v + by : v)),
          float64,
        );
      const slope = ((await outer(moved(h))) - (await outer(moved(-h)))) / (2 * h);
      expect(gradient.data()[i]).toBeCloseTo(slope, 7);
    }
  });
});

describe("hyperRepresentation", () => {
  const tasks = Array.from({ length: 3 }, (_, k) => ({
    support: { inputs: rng.normal([8, 4], float64), targets: rng.randint([8], { high: 2 }) },
    query: { inputs: rng.normal([6, 4], float64), targets: rng.randint([6], { high: 2 + (k > 5 ? 1 : 0) }) },
  }));
  const options = { body: mlp({ sizes: [4, 5, 3] }), head: linear({ inputs: 3, outputs: 2 }), weightDecay: 0.3 };

  it("of several tasks has the mean of the tasks' hypergradients", async () => {
    const together = hyperRepresentation(tasks, { ...options, batchSize: "all" });
    const { x } = together.initial;
    const { y } = await solveLower(together, x);
    const all = oracles(together).gradsF(x, y, together.full?.upper as never);
    expect(all.y.weight.shape).toEqual([3, 3, 2]);
    const { gradient } = await hypergradient(together, x, y, { solver: "exact" });
    const alone = await Promise.all(
      tasks.map(async (task) => {
        const one = hyperRepresentation([task], { ...options, batchSize: "all" });
        return (await hypergradient(one, x, (await solveLower(one, x)).y, { solver: "exact" })).gradient;
      }),
    );
    const [whole, parts] = [gradient, alone].map((g) => JSON.parse(JSON.stringify(g, (_, v) => v?.toArray?.() ?? v)));
    const average = (path: (g: never) => number[][]) => {
      const rows = (parts as never[]).map(path);
      return rows[0].map((row, i) => row.map((_, j) => (rows[0][i][j] + rows[1][i][j] + rows[2][i][j]) / 3));
    };
    const first = (g: never) => (Object.values(g)[0] as { weight: number[][] }).weight;
    expectClose(first(whole as never), average(first), 1e-8);
  });

  it("draws batches of tasks whose lower gradients are unbiased", () => {
    const some = hyperRepresentation(tasks, { ...options, tasksPerBatch: 2, batchSize: 4 });
    const { x, y } = some.initial;
    const batch = some.sample?.lower(random.rng(1));
    expect(batch?.tasks.shape).toEqual([2]);
    expect(batch?.numbers.shape).toEqual([2, 4]);
    const whole = some.lower(x, y, some.full?.lower as never).item();
    const pairs = [
      [0, 1],
      [0, 2],
      [1, 2],
    ].map(([a, b]) => {
      const rows = some.full?.lower.numbers as Tensor;
      return some.lower(x, y, {
        tasks: tensor([a, b], { dtype: "int32" }),
        numbers: take(rows, tensor([a, b], { dtype: "int32" })),
      });
    });
    expectClose(
      mul(
        pairs.reduce((a, b) => add(a, b)),
        1 / 3,
      ),
      whole,
      1e-10,
    );
  });

  it("draws some tasks with all of their examples", () => {
    const { sample, full } = hyperRepresentation(tasks, { ...options, tasksPerBatch: 2, batchSize: "all" });
    const drawn = sample?.lower(random.rng(1));
    expect(drawn?.tasks.shape).toEqual([2]);
    const every = full?.lower.numbers.toArray() as number[][];
    expect(drawn?.numbers.toArray()).toEqual(every.slice(0, 2));
  });

  it("refuses targets that are no classes, and models and numbers that are none", () => {
    const inputs = [[1], [2], [3]];
    const of =
      (targets: unknown, more: object = {}) =>
      () => {
        const examples = { inputs, targets } as never;
        return dataCleaning({ train: examples, validation: examples }, more);
      };
    for (const label of [0.5, Number.NaN, -1]) {
      expect(of([0, 1, label])).toThrow(
        errorLike("ValueError", /target 2 of train is .*; give class numbers, integers/),
      );
    }
    expect(of([[0], [1], [1]])).toThrow(
      errorLike("ShapeError", /train has targets of shape \[3,1\]; give a class number/),
    );
    expect(of([0, 1, 2], { classes: 2 })).toThrow(errorLike("ValueError", /classes is 2; it must be an integer >= 3/));
    expect(of([0, 1, 2], { loss: "squaredError", classes: 3 })).toThrow(/classes does nothing with a loss other than/);
    expect(of([0, 1, 2], { model: {} })).toThrow(errorLike("ValueError", /model.init is undefined; give a function/));
    for (const initialLogStrength of [Number.NaN, "3" as never]) {
      expect(() => hyperParameters(data, { initialLogStrength })).toThrow(
        /initialLogStrength is .*; give a finite number/,
      );
    }
    expect(() => hyperRepresentation(tasks, { ...options, zeroHead: "no" as never })).toThrow(
      /zeroHead is "no"; it must be one of true, false/,
    );
    expect(() => hyperRepresentation(tasks, { ...options, head: {} as never })).toThrow(/head.init is undefined/);
  });

  it("runs, and refuses what does not fit", async () => {
    const some = hyperRepresentation(tasks, { ...options, batchSize: 4 });
    const { counts } = await maSoba(some, { stepSize: 0.1, lowerStepSize: 0.1, maxIterations: 3 });
    expect(counts.productsG).toBe(3);
    expect(() => hyperRepresentation([], options)).toThrow(/no tasks/);
    expect(() => hyperRepresentation(tasks, { ...options, tasksPerBatch: 4 })).toThrow(/tasksPerBatch is 4/);
    expect(() => dataCleaning({ train: data.train } as never)).toThrow(/validation has no inputs and targets/);
    expect(() => dataCleaning(data, { weightDecay: -1 })).toThrow(/weightDecay is -1/);
    expect(() => hyperParameters(data, { loss: "hinge" as never })).toThrow(/loss is hinge/);
  });
});
