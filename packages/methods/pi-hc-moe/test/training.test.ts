import { runConformance } from "@offprint/solvers/conformance";
import type { PointwiseParams } from "@offprint/spectral";
import { grad, mul, onesLike, random, sum, type Tensor, tensor, tree } from "@offprint/tensor-core";
import { errorLike, expectClose, expectGradient, failureOf } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { waves } from "../claims/waves.js";
import {
  burgers,
  diffusionSorption,
  evaluateSolver,
  fitSolver,
  fourierBasis,
  solveBurgers,
  solveDiffusionSorption,
} from "../src/index.js";
import { lengths } from "../src/learned-solution.js";

const pde = burgers({ times: 4, points: 8 });
const problems = { initial: waves(random.rng(1), 6, 8) };
const small = { inputs: 4, width: 4, layers: 1, modes: [2, 2], hidden: 4 };
const network = fourierBasis({ ...small, basis: 3 });
const solving = { experts: [1, 2], ridge: 0.1, maxIterations: 8 };

runConformance(
  "fitSolver",
  {
    run: (options) => fitSolver(network, pde, problems, { solving, batchSize: 2, ...options } as never),
    limit: "steps",
    short: 5,
    endless: { steps: 1e9 },
    seeded: true,
    invalid: [{ batchSize: 7 }, { clip: 0 }, { learningRate: -1 }],
    nonFinite: [() => fitSolver(network, pde, { initial: problems.initial.mul(Number.NaN) }, { solving, steps: 2 })],
  },
  { describe, it, expect },
);

it("the network's activation is gelu in its tanh form, with slopes that are its", () => {
  const alone = fourierBasis({ inputs: 1, basis: 1, width: 1, layers: 1, modes: [1, 1], hidden: 1 });
  const constant = (value: number) => (x: Tensor) => mul(onesLike(x), value);
  const drawn = alone.init(random.rng(0), "float64");
  // Ones on the way through and zeros beside it.
  const straight = (layer: PointwiseParams) => ({
    weight: constant(1)(layer.weight),
    bias: constant(0)(layer.bias as Tensor),
  });
  const params = {
    lift: straight(drawn.lift),
    layers: drawn.layers.map(({ convolution, skip }) => ({
      convolution: tree.map(constant(0), convolution),
      skip: straight(skip),
    })),
    hidden: straight(drawn.hidden),
    last: straight(drawn.last),
  };
  const gelu = (x: number) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  const values = [-30, -3, -0.7, 0, 0.2, 1.9, 4, 1e3];
  const of = (x: Tensor) => alone.apply(params, x.reshape([1, 1, 2, 4])).reshape([8]);
  expectClose(
    of(tensor(values, { dtype: "float64" })),
    values.map((x) => gelu(gelu(gelu(x)))),
    1e-14,
  );
  expectGradient(of, [
    tensor(
      values.map((x) => Math.min(x, 5)),
      { dtype: "float64" },
    ),
  ]);
});

describe("training lowers the loss", () => {
  for (const [name, given, basis] of [
    ["soft", "soft", 1],
    ["with one constraint", { ridge: 0.1, maxIterations: 8 }, 3],
    ["with experts", solving, 3],
  ] as const) {
    it(name, async () => {
      const net = fourierBasis({ ...small, basis, activateLast: basis > 1 });
      const { params, history } = await fitSolver(net, pde, problems, {
        solving: given,
        steps: 40,
        learningRate: 0.02,
      });
      expect(history[39].loss).toBeLessThan(history[0].loss);
      const { u, residuals, errors } = await evaluateSolver(net, params, pde, problems, { solving: given });
      expect(u.shape).toEqual([6, 4, 8]);
      expect(residuals.mean().item()).toBeLessThan(history[0].loss);
      expect(errors).toBeUndefined();
    });
  }

  it("of known solutions, and of an equation with conditions of its own", async () => {
    const reference = await solveBurgers(problems.initial, { times: 4, stepsBetween: 40 });
    const { params } = await fitSolver(network, pde, problems, { solving, reference, steps: 30, learningRate: 0.02 });
    const before = await evaluateSolver(network, network.init(random.rng(0), "float64"), pde, problems, {
      solving,
      reference,
    });
    const after = await evaluateSolver(network, params, pde, problems, { solving, reference });
    expect(after.errors?.mean().item()).toBeLessThan(before.errors?.mean().item() ?? 0);
    const sorption = diffusionSorption({ times: 5, points: 8 });
    const initial = random.rng(3).uniform([4], { low: 0.05, high: 0.2, dtype: "float64" });
    const right = solveDiffusionSorption(initial, { times: 5, points: 8 }).slice([null, null, 7]);
    const net = fourierBasis({ ...small, inputs: 3, basis: 3 });
    for (const given of [{ initial }, { initial, right }]) {
      const run = await fitSolver(net, sorption, given, { steps: 4, batchSize: 2 });
      expect(run.history.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    }
  });
});

it("lengths are those of any units, and have a gradient at 0", () => {
  const rows = tensor(
    [
      [3, 4],
      [0, 0],
      [-1, 1],
    ],
    { dtype: "float64" },
  );
  for (const unit of [1e-200, 1, 1e200]) {
    expectClose(lengths(mul(rows, unit)).div(unit), [5, 0, Math.SQRT2], 1e-14);
    const slope = grad((x: Tensor) => sum(lengths(mul(x, unit))))(rows);
    expectClose(
      slope.div(unit),
      [
        [0.6, 0.8],
        [0, 0],
        [-Math.SQRT1_2, Math.SQRT1_2],
      ],
      1e-14,
    );
  }
});

it("learns from problems in small units as well", async () => {
  const given = { solving: { ...solving, ridge: 0 }, steps: 30, learningRate: 0.02 };
  const { history } = await fitSolver(network, pde, { initial: mul(problems.initial, 1e-6) }, given);
  expect(history[0].loss).toBeLessThan(9e-7);
  expect(history[29].loss).toBeLessThan(history[0].loss);
});

it("says that a training diverged, with its last good state", async () => {
  const error = await failureOf(() => fitSolver(network, pde, problems, { solving, steps: 9, learningRate: 1e300 }));
  expect(error).toEqual(errorLike("NonFiniteError", /lower learningRate/));
  expect(error).toHaveProperty("state.iterations");
});

it("refuses what does not fit, by name", async () => {
  await expect(fitSolver(network, pde, problems, { solving: "soft", steps: 1 })).rejects.toThrow(/"soft" takes one/);
  await expect(fitSolver(network, pde, problems, { solving: { ridge: -1 } })).rejects.toThrow(/ridge is -1/);
  await expect(fitSolver(network, pde, problems, { reference: problems.initial })).rejects.toThrow(
    /reference has shape/,
  );
  const params = network.init(random.rng(0), "float64");
  const one = tensor(new Float64Array(32)).reshape([1, 4, 8]);
  await expect(evaluateSolver(network, params, pde, problems, { solving, reference: one })).rejects.toThrow(
    /evaluateSolver: reference has shape \[1,4,8\]; it must be \[6,4,8\]/,
  );
  expect(() => fourierBasis({ inputs: 0, basis: 1 })).toThrow(/inputs is 0/);
});
