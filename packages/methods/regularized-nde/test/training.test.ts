import { integrate, solveSync } from "@offprint/ode";
import { annealed } from "@offprint/ode/fit";
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

  it("refuses what makes no sense", async () => {
    await expect(fitted({ lambda: [1, 2] })).rejects.toThrow(errorLike("ValueError", /lambda/));
    await expect(fitted({ regularize: "energy" })).rejects.toThrow(errorLike("ValueError", /regularize/));
    await expect(fitted({ method: "bogackiShampine", regularize: "stiffness", lambda: 1 })).rejects.toThrow(
      errorLike("UnsupportedError", /stiffness/),
    );
    await expect(fitted({ adjoint: "backsolve", lambda: 1 })).rejects.toThrow(errorLike("ValueError", /adjoint/));
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
