import { integrate, solveSync } from "@offprint/ode";
import { annealed } from "@offprint/ode/fit";
import { latentOde, maskedMeanSquaredError } from "@offprint/ode/latent";
import { adam } from "@offprint/optim";
import { runConformance } from "@offprint/solvers/conformance";
import {
  add,
  grad,
  jitSync,
  matmul,
  mean,
  mul,
  random,
  square,
  sub,
  type Tensor,
  tanh,
  tensor,
} from "@offprint/tensor-core";
import { centralDifferences, errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  errorRegularizer,
  fitOde,
  fitSde,
  flowing,
  kineticPenalized,
  penalized,
  steerEnd,
  steerTimes,
  stiffnessRegularizer,
  taylorPenalized,
} from "../src/index.js";

const rng = random.rng("nets");
const draw = (shape: number[], scale = 0.5) => mul(rng.normal(shape, { dtype: "float64" }), scale);
const weights = { a: draw([2, 6]), b: draw([6, 2]) };
type W = typeof weights;
const rate = (t: Tensor, z: Tensor, { a, b }: W) => matmul(tanh(add(matmul(z, a), t)), b);
const batch = { x: draw([5, 2], 1), y: draw([5, 2], 1) };
const data = () => [batch, { x: batch.y, y: batch.x }];
const model = {
  rate,
  initial: (_: W, { x }: typeof batch) => x,
  loss: (_: W, { y: z }: { y: Tensor }, { y }: typeof batch) => mean(square(sub(z, y))),
};
const optimizer = adam({ learningRate: 0.01 });

describe("regularisers", () => {
  const solve = (w: W, tolerance = 1e-5) =>
    integrate(rate, batch.x, [0, 1], {
      parameters: w,
      relativeTolerance: tolerance,
      absoluteTolerance: tolerance,
      maxSteps: 64,
    });

  it("are what the steps say, by every aggregate", () => {
    const solved = solve(weights);
    const { errors, stepSizes, stiffness, steps } = solveSync(
      (t: Tensor, y: Tensor) => rate(t, y, weights),
      batch.x,
      [0, 1],
      { relativeTolerance: 1e-5, absoluteTolerance: 1e-5 },
    );
    const each = [...errors].map((e, j) => e * stepSizes[j]);
    expectClose(
      errorRegularizer(solved, "sum").item(),
      each.reduce((a, b) => a + b),
      { relative: 1e-6 },
    );
    expectClose(errorRegularizer(solved).item(), each.reduce((a, b) => a + b) / steps, { relative: 1e-6 });
    expectClose(stiffnessRegularizer(solved, "max").item(), Math.max(...stiffness) / 3.5068, 1e-8);
    expect(errorRegularizer(solved).item()).toBeGreaterThan(0);
  });

  it("their gradients agree with differences of the frozen steps", () => {
    const { stepSizes, steps } = solve(weights);
    const n = steps.item();
    const always = {
      initial: 1,
      decide: (error: Tensor, memory: Tensor) => ({
        accepted: error.greaterEqual(0),
        factor: add(mul(error, 0), 1),
        memory,
      }),
    };
    const replay = jitSync((w: W) => {
      let [total, state, t] = [tensor(0, { dtype: "float64" }), batch.x, 0];
      for (let j = 0; j < n; j++) {
        const h = stepSizes.data()[j];
        const step = integrate(rate, state, [t, t + h], {
          parameters: w,
          relativeTolerance: 1e-5,
          absoluteTolerance: 1e-5,
          initialStep: 10,
          controller: always,
          maxSteps: 1,
        });
        total = add(
          total,
          add(mul(errorRegularizer(step, "sum"), 1 / n), mul(stiffnessRegularizer(step, "sum"), 1 / n)),
        );
        [state, t] = [step.y, t + h];
      }
      return total;
    });
    const slopes = grad((w: W) => add(errorRegularizer(solve(w)), stiffnessRegularizer(solve(w))))(weights);
    const whole = Float64Array.from([...weights.a.data(), ...weights.b.data()]);
    const at = (v: Float64Array) => replay({ a: f64(v.slice(0, 12), [2, 6]), b: f64(v.slice(12), [6, 2]) }).item();
    expectClose([...slopes.a.data(), ...slopes.b.data()], centralDifferences(at, whole), 1e-6);
  });

  it("of an empty span are nothing", () => {
    const solved = integrate(rate, batch.x, [1, 1], { parameters: weights });
    expect(errorRegularizer(solved).item()).toBe(0);
    expectClose(solved.y, batch.x, 0);
  });
});

describe("baselines", () => {
  it("TayNODE integrates the square of total derivatives: of y' = -2 y the K-th is (-2)^K y", () => {
    for (const order of [2, 3]) {
      const f = taylorPenalized((_t: Tensor, z: Tensor, _p: null) => mul(z, -2), order);
      const { y } = integrate(f, penalized(f64([1, 3], [2, 1])), [0, 1], {
        parameters: null,
        relativeTolerance: 1e-9,
        absoluteTolerance: 1e-9,
      });
      const area = (2 ** (2 * order) * (1 - Math.exp(-4))) / 4;
      expectClose(y.penalty, [area, 9 * area], 1e-6);
    }
    const driven = taylorPenalized((t: Tensor, z: Tensor, _p: null) => add(mul(z, 0), square(t)), 2);
    expectClose(integrate(driven, penalized(f64([1], [1, 1])), [0, 1], { parameters: null }).y.penalty, [4 / 3], 1e-6);
  });

  it("RNODE integrates kinetic energy and the estimate of the Jacobian", () => {
    const f = kineticPenalized((_t: Tensor, z: Tensor, _p: null) => mul(z, -2), f64([1, -1], [1, 2]));
    const { y } = integrate(f, penalized(f64([1, 1], [1, 2])), [0, 1], {
      parameters: null,
      relativeTolerance: 1e-9,
      absoluteTolerance: 1e-9,
    });
    expectClose(y.penalty, [2 * (1 - Math.exp(-4)) + 8], 1e-6);
  });

  it("FFJORD follows the density: of y' = a y the logarithm falls by the trace", () => {
    const f = flowing((_t: Tensor, z: Tensor, _p: null) => mul(z, 0.7), f64([1, -1], [1, 2]));
    const { y } = integrate(f, { z: f64([1, 2], [1, 2]), logDensity: f64([0.5], [1]) }, [0, 1], { parameters: null });
    expectClose(y.logDensity, [0.5 - 1.4], 1e-6);
  });

  it("STEER draws ends evenly within its width", () => {
    const ends = Array.from({ length: 2000 }, () => steerEnd(rng, 1, 0.5));
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(0.5);
    expect(Math.max(...ends)).toBeLessThanOrEqual(1.5);
    expectClose(ends.reduce((a, b) => a + b) / 2000, 1, 0.03);
  });

  it("weights fall exponentially", () => {
    expectClose(
      [0, 5, 10].map((e) => annealed([100, 10], e, 10)),
      [100, Math.sqrt(1000), 10],
      1e-12,
    );
    expect(() => annealed([1, 2], 0, 10)).toThrow(errorLike("ValueError", /must fall/));
    expect(() => annealed(-1, 0, 10)).toThrow(errorLike("ValueError", /lambda/));
  });
});

describe("steerTimes", () => {
  it("are uniform about their own, keep their order, and stay at the beginning", () => {
    const times = [0, 0.1, 0.2, 1];
    const draws = Array.from({ length: 400 }, (_, i) => steerTimes(random.rng(i), 0, times, 0.3));
    for (const drawn of draws) expect([...drawn].sort((a, b) => a - b)).toEqual(drawn);
    const extent = (k: number) => [Math.min(...draws.map((d) => d[k])), Math.max(...draws.map((d) => d[k]))];
    expectClose(extent(0), [0, 0], 0);
    for (const [k, [low, high]] of [
      [0.05, 0.15],
      [0.15, 0.25],
      [0.7, 1.3],
    ].entries()) {
      const [least, most] = extent(k + 1);
      expect(least).toBeGreaterThanOrEqual(low);
      expect(most).toBeLessThanOrEqual(high);
      expectClose([least, most], [low, high], 0.05 * (high - low));
    }
    expect(steerTimes(random.rng(0), 0, times, 0)).toEqual(times);
    const backwards = steerTimes(random.rng(0), 1, [0.5, 0], 1);
    expect(backwards[0]).toBeGreaterThan(backwards[1]);
    expect(() => steerTimes(random.rng(0), 0, times, -1)).toThrow(errorLike("ValueError", /width/));
    expect(() => steerTimes(random.rng(0), 0, [Number.NaN], 1)).toThrow(errorLike("ValueError", /finite/));
  });

  it("refuse texts, times there and back, and no generator", () => {
    const none = undefined as never;
    const cases: [() => unknown, RegExp][] = [
      [() => steerEnd(random.rng(0), "1" as never, 0.1), /t1 is "1"; give a finite number/],
      [() => steerEnd(random.rng(0), Number.NaN, 0.1), /t1 is NaN/],
      [() => steerEnd(none, 1, 0.1), /rng is undefined; give a generator/],
      [() => steerTimes(none, 0, [1], 0.1), /rng is undefined; give a generator/],
      [() => steerTimes(random.rng(0), none, [1], 0.1), /t0 is undefined/],
      [() => steerTimes(random.rng(0), 0, { 0: 1 } as never, 0.1), /times is .*; give a list/],
      [() => steerTimes(random.rng(0), 0, [0.5, 0.2, 1], 0.1), /there and back; sort them/],
      [() => steerTimes(random.rng(0), 0.3, [0.2, 1], 0.1), /there and back; sort them/],
    ];
    for (const [call, message] of cases) expect(call).toThrow(errorLike("ValueError", message));
  });
});

describe("fitOde", () => {
  const fitted = (options: object) =>
    fitOde(model, weights, data, { optimizer, epochs: 2, tolerance: 1e-4, maxSteps: 32, ...options });

  it("without weight is plain training bit for bit", async () => {
    const [plain, zero] = [await fitted({ regularize: "none" }), await fitted({ lambda: 0, regularize: "both" })];
    expect(zero.history.map(({ loss }) => loss)).toEqual(plain.history.map(({ loss }) => loss));
  });

  it("adds the weighted regulariser to the loss", async () => {
    const [plain, weighed] = [await fitted({}), await fitted({ lambda: 0.5 })];
    expectClose(
      weighed.history[0].loss,
      plain.history[0].loss + 0.5 * (weighed.history[0].figures?.regularizer ?? 0),
      1e-12,
    );
  });

  it("draws ends, takes both heuristics, differentiates through the controller", async () => {
    const ways = [
      { steer: 0.3 },
      { regularize: "both", lambda: [1, 0.1] },
      { stepGradient: "through", lambda: 1 },
      { adjoint: "interpolating" },
    ];
    for (const way of ways) expect((await fitted(way)).history.at(-1)?.loss).toBeLessThan(10);
  });

  it("STEER moves saved times too, by what the model sees of them", async () => {
    // The loss tells where on a line the states were saved.
    const line = {
      rate: (_t: Tensor, z: Tensor, { a }: { a: Tensor }) => add(mul(z, 0), add(1, mul(a, 0))),
      initial: () => tensor([0], { dtype: "float64" }),
      loss: (_: { a: Tensor }, { ys, y }: { ys: Tensor; y: Tensor }) =>
        add(mul(ys.slice([0]).sum(), 1e4), add(mul(ys.slice([1]).sum(), 100), y.sum())),
    };
    const told = async (options: object) =>
      (
        await fitOde(line, { a: tensor(0, { dtype: "float64" }) }, () => [0, 0, 0].map((v) => tensor([v])), {
          ...{ optimizer, epochs: 1, saveAt: [0.2, 1], ...options },
        })
      ).history.map(({ loss }) => loss);
    expectClose(await told({}), [2101, 2101, 2101], 1e-9);
    const moved = await told({ steer: 0.1 });
    expect(new Set(moved).size).toBe(3);
    // 1e4 t + 101 u, with t within .1 of .2 and u of 1
    for (const loss of moved) expect(Math.abs(loss - 2101)).toBeLessThan(1000 + 10.1);
  });

  it("takes a model that says no types: states are tensors, batches what the data are", async () => {
    const whole = { u0: tensor([[1, 0]], { dtype: "float64" }), goal: tensor([[0, 1]], { dtype: "float64" }) };
    const { params } = await fitOde(
      {
        rate: (_t, z, { a, b }) => matmul(tanh(matmul(z, a)), b),
        initial: (_, { u0 }) => u0,
        loss: (_, { y }, { goal }) => mean(square(sub(y, goal))),
      },
      weights,
      () => [whole],
      { optimizer, epochs: 1 },
    );
    expect(params.a.shape).toEqual([2, 6]);
  });

  it("takes what an encoder makes of a batch, once", async () => {
    let encodings = 0;
    const encoding = {
      ...model,
      prepare: (_: W, { x, y }: typeof batch) => {
        encodings++;
        return { start: mul(x, 1), goal: y };
      },
      initial: (_: W, { start }: { start: Tensor; goal: Tensor }) => start,
      loss: (_: W, { y: z }: { y: Tensor }, { goal }: { start: Tensor; goal: Tensor }) => mean(square(sub(z, goal))),
    };
    const options = { optimizer, epochs: 2, tolerance: 1e-4, maxSteps: 32, lambda: 0.5 };
    const { history } = await fitOde(encoding, weights, data, options);
    expectClose(
      history.map(({ loss }) => loss),
      (await fitted({ lambda: 0.5 })).history.map(({ loss }) => loss),
      1e-12,
    );
    expect(encodings).toBeGreaterThan(0);
  });

  it("refuses what makes no sense", async () => {
    await expect(fitted({ saveAt: [0.5, 2] })).rejects.toThrow(errorLike("ValueError", /saveAt holds 2, outside/));
    await expect(fitted({ saveAt: [0.5, 0.2] })).rejects.toThrow(errorLike("ValueError", /order/));
    await expect(fitted({ span: [0, Number.NaN] })).rejects.toThrow(errorLike("ValueError", /span/));
    await expect(fitted({ lambda: [1, 2] })).rejects.toThrow(errorLike("ValueError", /lambda/));
    await expect(fitted({ regularize: "energy" })).rejects.toThrow(errorLike("ValueError", /regularize/));
    await expect(fitted({ method: "bogackiShampine", regularize: "stiffness", lambda: 1 })).rejects.toThrow(
      errorLike("UnsupportedError", /stiffness/),
    );
    await expect(fitted({ adjoint: "backsolve", lambda: 1 })).rejects.toThrow(errorLike("ValueError", /adjoint/));
    await expect(fitted({ optimizer: "adam" })).rejects.toThrow(errorLike("ValueError", /optimizer has no init/));
    const uncounted = () => fitOde(model, weights, () => 3 as never, { optimizer, epochs: 1 });
    await expect(uncounted()).rejects.toThrow(errorLike("ValueError", /data of epoch \d+ cannot be iterated/));
  });

  it("has parts that refuse what is no tensor, no function and no size", () => {
    const solved = integrate(rate, batch.x, [0, 1], { parameters: weights });
    const cases: [() => unknown, RegExp][] = [
      [() => penalized([[1]] as never), /penalized: z is no tensor/],
      [() => penalized(f64([1], [])), /penalized: z is a scalar/],
      [() => kineticPenalized(undefined as never, batch.x), /kineticPenalized: f is undefined; give a function/],
      [() => kineticPenalized((_t, z) => z, [[1]] as never), /kineticPenalized: e is no tensor/],
      [() => taylorPenalized("f" as never), /taylorPenalized: f is f; give a function/],
      [() => flowing((_t, z) => z, [[1]] as never), /flowing: e is no tensor/],
      [() => stiffnessRegularizer(solved, "mean", 0), /stabilitySize is 0; it must be a finite number > 0/],
    ];
    for (const [call, message] of cases) expect(call).toThrow(errorLike("ValueError", message));
  });
});

const irregular = {
  times: f64([0, 0.2, 0.5, 1]),
  values: draw([4, 4, 2], 1),
  mask: random.rng(5).uniform([4, 4, 2]).less(0.6).cast("float64"),
};
const latent = latentOde({ features: 2, latent: 3, state: 4, gate: 4, rate: [6], deviation: 0.5 });

describe("fitOde of a latent ODE", () => {
  it("learns series by what was seen of them, regularised and with random times", async () => {
    const start = latent.init(random.rng(6));
    const { params, history } = await fitOde(latent.model, start, latent.batches(irregular, { batchSize: 4 }), {
      ...latent.solving(irregular),
      ...{ optimizer: adam({ learningRate: 0.03 }), epochs: 60, tolerance: 1e-4, lambda: [1, 0.1], steer: 0.05 },
    });
    expect(history.at(-1)?.figures?.regularizer).toBeGreaterThan(0);
    const missed = (p: typeof start) => {
      const { values } = latent.predictor()(p, irregular);
      return maskedMeanSquaredError(irregular.values, values, irregular.mask).item();
    };
    expect(missed(params)).toBeLessThan(0.5 * missed(start));
  });
});

const sde = {
  drift: (_t: Tensor, u: Tensor, { a, b }: W) => matmul(tanh(matmul(u, a)), b),
  diffusion: (_t: Tensor, u: Tensor) => mul(u, 0.2),
  initial: model.initial,
  loss: model.loss,
};
const tools = { describe, expect, it };

runConformance(
  "fitOde",
  {
    run: (options) =>
      fitOde(model, weights, data, {
        optimizer,
        epochs: 1,
        tolerance: 1e-3,
        maxSteps: 16,
        lambda: 1,
        steer: 0.2,
        ...options,
      }) as never,
    limit: "epochs",
    short: 3,
    endless: { epochs: 1e6 },
    seeded: true,
    invalid: [
      { lambda: -1 },
      { tolerance: 0 },
      { method: "none" },
      { steer: -1 },
      { regularize: "all" },
      { maxSteps: 0 },
    ],
    nonFinite: [() => fitOde(model, { a: weights.a.div(0), b: weights.b }, data, { optimizer, epochs: 1 })],
  },
  tools,
);

runConformance(
  "fitOde of a latent ODE",
  {
    run: (options) =>
      fitOde(latent.model, latent.init(random.rng(6)), latent.batches(irregular, { batchSize: 2 }), {
        ...latent.solving(irregular),
        ...{ optimizer, epochs: 1, tolerance: 1e-3, maxSteps: 16, lambda: 1, steer: 0.05 },
        ...options,
      }) as never,
    limit: "epochs",
    short: 3,
    endless: { epochs: 1e6 },
    seeded: true,
    invalid: [{ lambda: -1 }, { saveAt: [3] }],
    nonFinite: [() => latent.batches({ ...irregular, values: irregular.values.div(0) }, { batchSize: 2 })],
  },
  tools,
);

runConformance(
  "fitSde",
  {
    run: (options) =>
      fitSde(sde, weights, data, { optimizer, epochs: 1, tolerance: 0.2, initialStep: 0.2, lambda: 1, ...options }),
    limit: "epochs",
    short: 3,
    endless: { epochs: 1e6 },
    seeded: true,
    invalid: [{ lambda: -1 }, { tolerance: 0 }, { method: "none" }, { regularize: "stiffness" }],
    nonFinite: [() => fitSde(sde, { a: weights.a.div(0), b: weights.b }, data, { optimizer, epochs: 1 })],
  },
  tools,
);
