import { adam } from "@offprint/optim";
import { runConformance } from "@offprint/solvers/conformance";
import { add, asTensor, cast, matmul, mul, random, type TensorLike, zeros } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { draw } from "../claims/problem.js";
import { fitAdapters, loraGradients } from "../src/index.js";

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

  it("keeps the adapters' dtype among sequences of several", async () => {
    const single = (each: TensorLike) => cast(asTensor(each), "float32");
    const head = { q: single(frozen.q), k: single(frozen.k), v: single(frozen.v) };
    const first = { x: single(x), target: single(target) };
    const mixed = await fitAdapters(head, [first, { x, target }], { steps: 4, rank: 1 });
    const alike = await fitAdapters(head, [first, first], { steps: 4, rank: 1 });
    expect(mixed.adapters.q?.b.dtype).toBe("float32");
    expect(mixed.history).toEqual(alike.history);
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

  it("goes on with a state of the same adapters alone", async () => {
    const { state } = await fitAdapters(frozen, { x, target }, { steps: 2, rank: 1 });
    const resumed = (inner: object, rank = 1) =>
      fitAdapters(frozen, { x, target }, { steps: 3, rank, resume: { ...state, inner: { ...state.inner, ...inner } } });
    await expect(resumed({}, 2)).rejects.toThrow(
      "resume has q.a of shape [1,4], and options say [2,4]; give the same rank",
    );
    await expect(resumed({ adapters: null })).rejects.toThrow("adapters of resume is null");
    for (const gone of [{ optimizer: undefined }, { record: undefined }]) {
      await expect(resumed(gone)).rejects.toThrow("resume is not where training stands");
    }
  });
});
