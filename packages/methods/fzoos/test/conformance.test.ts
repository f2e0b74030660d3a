import { loadModel, toOnnx } from "@offprint/onnx-runtime";
import { runConformance } from "@offprint/solvers/conformance";
import { matmul, random, relu, type Tensor } from "@offprint/tensor-core";
import { errorLike } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { fedZo, fzoos } from "../src/index.js";

const tools = { describe, it, expect };
const clients = [0.2, 0.7].map((c) => (x: Float64Array) => x.reduce((sum, v) => sum + (v - c) ** 2, 0));
const problem = { clients, dimension: 2 };
const nan = { clients: [() => Number.NaN, clients[0]], dimension: 2 };
const slow = {
  clients: clients.map((f) => async (x: Float64Array) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return f(x);
  }),
  dimension: 2,
};
const common = [
  { localSteps: 0 },
  { optimizer: { kind: "newton", learningRate: 1 } },
  { optimizer: { learningRate: 1 } },
  { optimizer: { kind: "adam", learningRate: -1 } },
  { globalStep: 0 },
  { safeguard: "yes" },
  { target: Number.NaN },
  { maxQueries: 0 },
];

const few = {
  features: 16,
  maxLocalQueries: 12,
  maxFeatureQueries: 16,
  localSteps: 2,
  initialQueries: 3,
  active: { local: { count: 1, candidates: 4 }, server: { count: 2, candidates: 4 } },
};
runConformance(
  "fzoos",
  {
    run: (options) => fzoos(options.maxIterations === 1e9 ? slow : problem, { ...few, ...options } as never),
    limit: "maxIterations",
    short: 5,
    endless: { maxIterations: 1e9 },
    seeded: true,
    invalid: [
      ...common,
      { gamma: -1 },
      { gamma: "fast" },
      { correction: "some" },
      { kernel: "cubic" },
      { length: 0 },
      { noise: -1 },
      { noise: { deviation: -1 } },
      { features: 0 },
      { featureLength: 0 },
      { maxLocalQueries: 0 },
      { maxFeatureQueries: 0 },
      { initialQueries: -1 },
      { active: { local: { radius: "auto" } } },
      { active: { server: { count: 5, candidates: 2 } } },
      { active: { choice: "best" } },
    ],
    nonFinite: [() => fzoos(nan, few), () => fzoos({ ...problem, initial: [Number.NaN, 0] }, few)],
  },
  tools,
);

runConformance(
  "fedZo",
  {
    run: (options) => fedZo(problem, { localSteps: 2, correction: "scaffold2", ...options } as never),
    limit: "maxIterations",
    short: 5,
    endless: { maxIterations: 1e9 },
    seeded: true,
    invalid: [...common, { correction: "some" }, { directions: 3 }, { radius: 0 }],
    nonFinite: [() => fedZo(nan, {})],
  },
  tools,
);

describe("problems that are none", () => {
  const refused = (given: object, name: string, message: RegExp) =>
    expect(fzoos({ ...problem, ...given } as never, few)).rejects.toThrow(errorLike(name, message));

  it("are refused, with what to give instead", async () => {
    await refused({ clients: [] }, "ValueError", /one black box or more/);
    await refused({ clients: [3] }, "ValueError", /clients\[0\] has no black box/);
    await refused({ weights: [0.5, 0.4] }, "ValueError", /whose sum is 1/);
    await refused({ weights: [1] }, "ValueError", /2 numbers/);
    await refused({ dimension: undefined }, "ValueError", /give initial or dimension/);
    await refused({ initial: [1, 2, 3] }, "ShapeError", /must agree/);
    await refused({ initial: [2, 0], bounds: [0, 1] }, "ValueError", /outside of bounds in coordinate 0/);
    await refused({ weights: ["0.5", "0.5"] }, "ValueError", /2 numbers/);
    await refused({ bounds: 1 }, "ValueError", /bounds are 1; give a pair/);
    await refused({ bounds: [0, [1, 0]] }, "ValueError", /bounds of coordinate 1/);
    await refused({ black: 1 }, "ValueError", /"black"/);
  });

  it("black boxes that give no number are named", async () => {
    const text = { clients: [clients[0], () => "1" as never], dimension: 2 };
    await expect(fzoos(text, few)).rejects.toThrow(errorLike("ValueError", /black box of client 1 gave string/));
    await expect(fzoos(nan, few)).rejects.toThrow(errorLike("NonFiniteError", /black box of client 0 gave NaN/));
    const own = { clients: [{ blackBox: clients[0], points: { initial: () => [[1]] } }], dimension: 2 };
    await expect(fzoos(own, few)).rejects.toThrow(errorLike("ShapeError", /points.initial of client 0/));
  });

  it("a state of another problem is not gone on from", async () => {
    const { state } = await fzoos(problem, { ...few, maxIterations: 1 });
    await expect(fzoos({ clients, dimension: 3 }, { ...few, resume: state })).rejects.toThrow(/resume is of 2 coord/);
  });
});

it("a target ends the run; black boxes may be promises", async () => {
  const { status, objective, iterations } = await fzoos(slow, { ...few, target: 0.3, maxIterations: 40 });
  expect([status, objective <= 0.3, iterations < 40]).toEqual(["converged", true, true]);
});

it("the length of largest evidence is found once a round", async () => {
  const { status, objective, history } = await fzoos(problem, { ...few, length: "evidence", maxIterations: 4 });
  expect([status, objective < history[0].objective]).toEqual(["limit", true]);
});

it("random queries in the place of active ones cost as many", async () => {
  const run = (choice: "random" | "uncertain") =>
    fzoos(problem, { ...few, maxIterations: 2, active: { ...few.active, choice } });
  const [drawn, chosen] = [await run("random"), await run("uncertain")];
  expect(drawn.queries).toBe(chosen.queries);
  expect(drawn.x.toArray()).not.toEqual(chosen.x.toArray());
});

describe("black boxes in .onnx files", () => {
  it("are minimised from their outputs alone", async () => {
    const rng = random.rng(1);
    const weights = [0, 1].map(() => [rng.normal([3, 8], { std: 0.4 }), rng.normal([8, 1])] as const);
    const networks = weights.map(
      ([w1, w2]) =>
        (x: Tensor) =>
          matmul(relu(matmul(x, w1)), w2),
    );
    const models = await Promise.all(
      networks.map((network) => loadModel(toOnnx(network, { shape: [1, 3], dtype: "float32" }))),
    );
    const clients = models.map((model) => async (x: Float64Array) => {
      const { output0 } = await model.run({ input0: [Array.from(x)] });
      return output0.data()[0] ** 2;
    });
    const few = {
      features: 32,
      localSteps: 3,
      initialQueries: 5,
      maxIterations: 3,
      active: { local: { count: 1, candidates: 5 }, server: { count: 2, candidates: 5 } },
    };
    const start = [0.9, 0.8, 0.9];
    const meanAt = async (x: Float64Array) => {
      const [a, b] = await Promise.all(clients.map((client) => client(x)));
      return (a + b) / 2;
    };
    const { x, objective, history } = await fzoos({ clients, initial: start, bounds: [-1, 1] }, few);
    expect(history).toHaveLength(3);
    expect(objective).toBeCloseTo(await meanAt(x.data() as Float64Array), 12);
    expect(objective).toBeLessThan(await meanAt(Float64Array.from(start)));
    for (const model of models) await model.release();
  });
});
