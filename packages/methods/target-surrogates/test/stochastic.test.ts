import { largestDifference } from "@offprint/claims";
import {
  asTensor,
  ConvergenceError,
  linalg,
  matmul,
  stopGradient,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  transpose,
  tree,
} from "@offprint/tensor-core";
import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  baselines,
  linearModel,
  losses,
  type Metric,
  OnlineSso,
  type RateSchedule,
  sso,
  type TargetModel,
  type TargetOracle,
  targetLineSearch,
} from "../src/index.js";
import { double, rngOf, samples } from "./problems.js";

interface Trajectories {
  readonly x: number[][];
  readonly labels: number[];
  readonly batches: number[][];
  readonly runs: readonly {
    readonly loss: "logistic" | "softmax";
    readonly metric: Metric;
    readonly schedule: RateSchedule;
    readonly solver: "armijo" | "fixed";
    readonly eta: number;
    readonly params: number[][];
  }[];
}

const reference: Trajectories = readFixture(import.meta.url, "trajectories.json");

describe("stochastic surrogate optimisation", () => {
  it.each(reference.runs.map((run) => [`${run.loss}, ${run.metric}, ${run.schedule}, ${run.solver}`, run] as const))(
    "walks the path of an independent program: %s",
    async (_, { loss, metric, schedule, solver, eta, params }) => {
      const x = tensor(Float64Array.from(reference.x.flat()), { shape: [24, 3] });
      const { oracle } =
        loss === "softmax"
          ? losses.softmax(reference.labels)
          : losses.logistic(reference.labels.map((k) => (k > 0 ? 1 : 0)));
      const path: number[][] = [];
      await sso(linearModel(3, loss === "softmax" ? 3 : 1), { x }, oracle, {
        eta,
        schedule,
        metric,
        steps: 6,
        batch: reference.batches.map((rows) => Int32Array.from(rows)),
        experimental: true,
        inner: solver === "fixed" ? { solver, steps: 4, learningRate: 0.05 } : { solver, steps: 4 },
        checkpoint: { save: ({ inner }) => path.push([...inner.params.data()]) },
      });
      params.forEach((expected, t) => {
        expected.forEach((value, k) => {
          expect(path[t][k]).toBeCloseTo(value, 9);
        });
      });
    },
  );

  it("with one fixed step is stochastic gradient descent", async () => {
    const { x, labels } = samples("sgd", 60, 4);
    const { oracle } = losses.logistic(labels);
    const run = { steps: 50, batch: 16, seed: 5 };
    const ours = await sso(linearModel(4), { x }, oracle, {
      ...run,
      eta: 4,
      inner: { solver: "fixed", steps: 1, learningRate: 0.2, tolerance: 0 },
    });
    const sgd = await baselines.sgd(linearModel(4), { x }, oracle, { ...run, learningRate: 0.2 });
    expect(largestDifference(ours.params, sgd.params)).toBeLessThan(1e-12);
  });

  it("finds what interpolates the data, with a constant eta", async () => {
    const { x, w } = samples("interpolation", 60, 4);
    const { params } = await sso(linearModel(4), { x }, losses.squared(matmul(x, w)).oracle, {
      eta: 0.5,
      steps: 100,
      batch: 12,
      inner: { solver: "exact" },
    });
    expect(largestDifference(params, w)).toBeLessThan(1e-8);
  });

  it("makes one expensive call a step, whatever m, and counts the others apart", async () => {
    const { x, labels } = samples("calls", 40, 3);
    const { oracle } = losses.logistic(labels);
    let grads = 0;
    const counted: TargetOracle = (z, ids, needs) => {
      if (needs.grad) grads++;
      return oracle(z, ids, needs);
    };
    for (const m of [1, 5, 25]) {
      grads = 0;
      const { history } = await sso(linearModel(3), { x }, counted, {
        eta: 1,
        steps: 7,
        batch: 8,
        inner: { steps: m },
      });
      expect(grads).toBe(7);
      expect(history.map(({ gradCalls }) => gradCalls)).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(history[6].lossCalls).toBe(0);
      expect(history[6].forwardCalls).toBeGreaterThanOrEqual(7 * (2 + 1));
      expect(history[6].innerSteps).toBeLessThanOrEqual(m);
    }
    const searched = await sso(linearModel(3), { x }, counted, { eta: 1, steps: 7, batch: 8, metric: "armijo" });
    expect(searched.history[6].lossCalls).toBeGreaterThanOrEqual(7);
  });

  it("draws passes without replacement, and leaves out or keeps the smaller last batch", async () => {
    const { x, labels } = samples("passes", 10, 2);
    const { oracle } = losses.logistic(labels);
    const seen: number[][] = [];
    const watched: TargetOracle = (z, ids, needs) => {
      seen.push([...ids]);
      return oracle(z, ids, needs);
    };
    await sso(linearModel(2), { x }, watched, { eta: 1, steps: 6, batch: 4, dropLast: false });
    expect(seen.map((ids) => ids.length)).toEqual([4, 4, 2, 4, 4, 2]);
    expect(seen.slice(0, 3).flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    seen.length = 0;
    const ids = Int32Array.from({ length: 10 }, (_, i) => 9 - i);
    await sso(linearModel(2), { x, ids }, watched, { eta: 1, steps: 4, batch: 4 });
    expect(seen.map((each) => each.length)).toEqual([4, 4, 4, 4]);
    expect(new Set(seen.slice(0, 2).flat()).size).toBe(8);
  });

  it("with the logistic loss's curvature and an exact solver is Newton's method", async () => {
    const { x, labels, ids } = samples("newton", 50, 3);
    const { oracle } = losses.logistic(labels);
    const model = linearModel(3, 1, { initial: rngOf("w0").normal([3, 1], double).mul(0.3) });
    const { params } = await sso(model, { x }, oracle, {
      eta: 1,
      steps: 1,
      metric: "newton",
      newtonGuard: 0,
      inner: { solver: "exact" },
    });
    const said = await oracle(matmul(x, model.params), ids, { grad: true, curvature: true });
    const xt = transpose(x);
    const H = matmul(xt, x.mul(asTensor(said.curvature ?? 0)));
    const step = linalg.solve(H, matmul(xt, asTensor(said.grad ?? 0)));
    expect(largestDifference(params, model.params.sub(step))).toBeLessThan(1e-10);
  });
});

describe("metrics", () => {
  const { x, y } = samples("units", 24, 3);
  const { oracle } = losses.squared(y);
  const lossesOf = async (metric: Metric, unit: number, targets: TargetOracle, eta: number) => {
    const options = { metric, eta, steps: metric === "adam" ? 3 : 8, experimental: true };
    const solver = metric === "armijo" ? "exact" : "armijo";
    const { history } = await sso(linearModel(3), { x }, targets, { ...options, inner: { solver } });
    return history.map(({ loss }) => loss / unit);
  };

  it.each([1e-100, 1e-8, 1e8, 1e100])("see no unit of the loss in their line search: %f", async (unit) => {
    const usual = await lossesOf("armijo", 1, oracle, 1);
    const found = await lossesOf("armijo", unit, scaledBy(unit), 1 / unit);
    usual.forEach((loss, t) => {
      expect(found[t] / loss).toBeCloseTo(1, 8);
    });
    // a first step that is too long for the loss is shortened as far as it takes
    const vanishing = { metric: "armijo", eta: 1e-200, steps: 2, inner: { solver: "exact" } } as const;
    expect((await sso(linearModel(3), { x }, scaledBy(1e-200), vanishing)).history[1].eta).toBeLessThan(1e-195);
    expect((await lossesOf("armijo", 1e6, scaledBy(1e6), 1))[7]).toBeLessThan(1.001 * usual[7]);
  });

  it.each([
    ["adagrad", 1e-30],
    ["adagrad", 1e30],
    ["adagrad-diag", 1e-30],
    ["adagrad-diag", 1e30],
    ["adam", 1e-30],
    ["adam", 1e30],
  ] as const)("see no unit of the targets: %s, %f", async (metric, unit) => {
    const usual = await lossesOf(metric, 1, oracle, 1);
    const found = await lossesOf(metric, unit ** 2, losses.squared(y.mul(unit)).oracle, unit);
    usual.forEach((loss, t) => {
      expect(found[t] / loss).toBeCloseTo(1, 8);
    });
    expect(usual[2]).toBeLessThan(0.9 * usual[0]);
  });

  it.each([1e-100, 1e-8, 1e8, 1e100])("leave the inner search its unit: %f", async (unit) => {
    const [usual, found] = [
      await lossesOf("euclidean", 1, oracle, 1),
      await lossesOf("euclidean", unit, scaledBy(unit), 1 / unit),
    ];
    usual.forEach((loss, t) => {
      expect(found[t] / loss).toBeLessThan(1.2);
    });
    expect(usual[7]).toBeLessThan(0.9 * usual[0]);
  });

  it("stay where there is no gradient", async () => {
    const none: TargetOracle = (z) => ({ loss: new Float64Array(24), grad: z.mul(0) });
    for (const metric of ["armijo", "adagrad-diag", "adam"] as const) {
      const { params, history } = await sso(linearModel(3), { x }, none, {
        metric,
        eta: 2,
        steps: 3,
        experimental: true,
      });
      expect(params.data()).toEqual(new Float64Array(3));
      expect(history[2].eta).toBe(2);
    }
  });

  function scaledBy(unit: number): TargetOracle {
    return async (z, ids, needs) => {
      const { loss, grad = 0 } = await oracle(z, ids, needs);
      return { loss: asTensor(loss).mul(unit), grad: asTensor(grad).mul(unit) };
    };
  }
});

describe("line searches", () => {
  it("in target space take the first step that decreases the loss enough, and no gradient beside the one given", async () => {
    const { labels, ids } = samples("search", 20, 2);
    const { oracle } = losses.logistic(labels);
    const z = rngOf("z").normal([20, 1], double);
    const { eta, backtracks } = await targetLineSearch(oracle, z, ids, { etaPrev: 30 });
    const said = await oracle(z, ids, { grad: true, curvature: false });
    const g = asTensor(said.grad ?? 0);
    const squared = g.square().sum().item();
    const at = async (step: number) =>
      asTensor((await oracle(z.sub(g.mul(step)), ids, { grad: false, curvature: false })).loss)
        .sum()
        .item();
    const before = asTensor(said.loss).sum().item();
    expect(eta).toBeCloseTo(1.8 * 30 * 0.9 ** backtracks, 10);
    expect(backtracks).toBeGreaterThan(0);
    expect(await at(eta)).toBeLessThanOrEqual(before - 0.5 * eta * squared);
    expect(await at(eta / 0.9)).toBeGreaterThan(before - (0.5 * eta * squared) / 0.9);
    await expect(targetLineSearch(oracle, z, ids, { etaPrev: 1e30 })).rejects.toThrow(ConvergenceError);
    await expect(targetLineSearch(oracle, z, ids, { etaPrev: 1e30 })).rejects.toThrow(/give a shorter etaPrev/);
  });

  it("inside decrease the surrogate enough, go on below 100 trials, and give up without going uphill", async () => {
    const { x, y } = samples("inner", 30, 2);
    const steep = x.mul(1e2); // steps of 1e-4 and less
    const { oracle } = losses.squared(y);
    const accepted: number[] = [];
    const { history, params } = await sso(linearModel(2), { x: steep }, oracle, {
      eta: 1,
      steps: 20,
      inner: { steps: 10 },
      onProgress: ({ loss }) => void accepted.push(loss),
    });
    for (let t = 1; t < 20; t++) expect(accepted[t]).toBeLessThanOrEqual(accepted[t - 1] + 1e-14);
    expect(accepted[19]).toBeLessThan(0.9 * accepted[0]);
    expect(history[0].innerSteps).toBe(10);
    expect(params.shape).toEqual([2, 1]);
    // a gradient that points the wrong way
    const { linear: _, ...traced } = linearModel(2);
    const wrong: TargetModel<Tensor, TensorLike> = {
      ...traced,
      forward: (W, at) => stopGradient(matmul(at, W)).mul(2).sub(matmul(at, W)),
    };
    const stayed = await sso(wrong, { x: steep }, oracle, { eta: 1, steps: 3, inner: { steps: 10 } });
    expect(stayed.params.data()).toEqual(new Float64Array(2));
  });

  it.each([1e5, 1e9])("inside take features %f times as large at about the price of others", async (unit) => {
    const { x, y } = samples("inner", 30, 2);
    const { oracle } = losses.squared(y);
    const { linear: _, ...traced } = linearModel(2);
    const run = async (at: typeof x) => sso(traced, { x: at }, oracle, { eta: 1, steps: 3, inner: { steps: 10 } });
    const [usual, large] = [(await run(x)).history[2], (await run(x.mul(unit))).history[2]];
    expect(large.loss / usual.loss).toBeLessThan(1.01);
    expect(large.forwardCalls).toBeLessThan(2 * usual.forwardCalls);
  });

  it("inside can go on from the last step instead of the first", async () => {
    const { x, y } = samples("reset", 30, 2);
    const run = (reset: boolean) =>
      sso(linearModel(2), { x }, losses.squared(y).oracle, { eta: 1, steps: 12, inner: { steps: 1, reset } });
    const kept = await run(false);
    expect(kept.state.inner.lastStep).toBeGreaterThan(0.05);
    expect(kept.history[11].loss).toBeLessThan(kept.history[0].loss);
    expect(largestDifference(kept.params, (await run(true)).params)).toBeGreaterThan(0);
  });
});

describe("online surrogates", () => {
  it("are the stochastic method when the rounds are its batches", async () => {
    const { x, labels } = samples("online", 24, 3);
    const batches = [0, 1, 2, 3].map((k) => Int32Array.from({ length: 6 }, (_, i) => 6 * k + i));
    const options = { eta: 3, schedule: "exponential", metric: "adagrad", inner: { steps: 5 } } as const;
    const whole = await sso(linearModel(3), { x }, losses.logistic(labels).oracle, {
      ...options,
      steps: 4,
      batch: batches,
    });
    const online = new OnlineSso(linearModel(3), { ...options, rounds: 4 });
    const told: (number | undefined)[] = [];
    const observe = async (learner: Pick<OnlineSso<Tensor, TensorLike>, "observe">, rows: Int32Array) => {
      const { oracle } = losses.logistic(Float64Array.from(rows, (i) => labels[i]));
      return (await learner.observe(take(x, rows), oracle))?.loss;
    };
    for (const rows of batches.slice(0, 2)) told.push(await observe(online, rows));
    const later = new OnlineSso(linearModel(3), {
      ...options,
      rounds: 4,
      resume: tree.fromJson(tree.toJson(online.state)),
    });
    for (const rows of batches.slice(2)) told.push(await observe(later, rows));
    expect(later.rounds).toBe(4);
    expect(largestDifference(later.params, whole.params)).toBeLessThan(1e-12);
    told.forEach((loss, t) => {
      expect(loss).toBeCloseTo(whole.history[t].loss, 12);
    });
    await online.release();
  });
});
