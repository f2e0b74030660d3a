import { random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  enumeratePatterns,
  fgsm,
  inOriginalUnits,
  networkToOnnx,
  patternBound,
  patternCount,
  pgd,
  predict,
  samplePatterns,
  saveModel,
  trainBackprop,
  trainConvex,
  trainRobust,
} from "../src/index.js";

const X = [[1], [2], [3]];
const y = [1, -1, 1];
const options = { loss: "hinge", beta: 0.1 } as const;
const own = (D: Uint8Array[]) => ({ D, draws: 0, exhausted: false, complete: false });
const net = { U: tensor([[1], [0]], { dtype: "float64" }), a: tensor([1], { dtype: "float64" }), bias: true };

describe("training refuses, and says what to give", () => {
  it.each([
    [[1, 2, 3], y, {}, /X has shape \[3\]; give a matrix/],
    [[[Number.NaN], [2], [3]], y, {}, /X\[0, 0\] is NaN; remove or replace/],
    [X, [1, -1], {}, /y has shape \[2\] for 3 samples/],
    [X, [1, 0, 1], {}, /y\[1\] is 0; labels must be -1 or 1/],
    [X, [1, Infinity, 1], { loss: "squared" }, /y\[1\] is Infinity/],
    [X, y, { beta: 0 }, /beta is 0; it must be a finite number > 0/],
    [X, y, { beta: Number.NaN }, /beta is NaN/],
    [X, y, { loss: "l1" }, /loss is "l1"; it must be squared, bce, hinge/],
    [X, y, { maxIterations: 0.5 }, /maxIterations is 0.5; it must be an integer >= 0/],
    [X, y, { tolerance: -1 }, /tolerance is -1/],
    [X, y, { seed: 0.5 }, /seed is 0.5/],
    [X, y, { bias: "no" }, /bias is no; it must be true or false/],
    [X, y, { average: 1 }, /average is 1; it must be true or false/],
    [X, y, { certify: "yes" }, /certify is yes; it must be true or false/],
    [X, y, { patterns: 0 }, /(patterns|count) is 0; it must be an integer >= 1/],
    [X, y, { patterns: own([]) }, /at least one pattern/],
    [X, y, { patterns: null }, /patterns is null; give a number, or what samplePatterns gives/],
    [X, y, { patterns: own([null as never]) }, /pattern 0 is null; give an array of 0 and 1/],
    [[[1e78], [2], [3]], y, {}, /X\[0, 0\] is 1e\+78, and its power of 4 no number; scale the columns/],
    [X, y, { patterns: own([Uint8Array.of(0, 1)]) }, /pattern 0 has length 2 for 3 samples/],
    [X, y, { patterns: own([Uint8Array.of(0, 1, 2)]) }, /pattern 0 has the entry 2/],
  ])("common input %#", async (inputs, targets, more, message) => {
    await expect(trainConvex(inputs, targets, { ...options, ...more } as never)).rejects.toThrow(message);
    await expect(trainRobust(inputs, targets, { ...options, eps: 0.1, ...more } as never)).rejects.toThrow(message);
  });

  it.each([
    [{ method: "newton" }, /method is "newton"; it must be one of "admm", "admm-rbcd", "scp"/],
    [{ method: "admm-rbcd" }, /needs a differentiable loss; use method admm/],
    [{ method: "scp" }, /needs a differentiable loss/],
    [{ rho: 0 }, /rho is 0/],
    [{ dualStep: 1.7 }, /dualStep is 1.7; it must be in \(0, 1.618\)/],
    [{ loss: "bce", method: "admm-rbcd", rbcd: { blockSize: 0 } }, /rbcd.blockSize is 0/],
    [{ loss: "bce", method: "admm-rbcd", rbcd: { decay: 2 } }, /rbcd.decay is 2/],
    [{ rbcd: { cap: 9 } }, /rbcd does nothing with method "admm"; leave it out/],
    [{ scp: { samples: 9 } }, /scp does nothing with method "admm"/],
    [{ loss: "bce", method: "admm-rbcd", scp: {} }, /scp does nothing with method "admm-rbcd"/],
    [{ loss: "bce", method: "scp", rbcd: {} }, /rbcd does nothing with method "scp"/],
    [{ loss: "bce", method: "scp", patterns: 9 }, /patterns does nothing with method "scp"/],
    [{ loss: "bce", method: "scp", rho: 1 }, /rho does nothing with method "scp"/],
    [{ loss: "bce", method: "scp", dualStep: 1 }, /dualStep does nothing with method "scp"/],
    [
      { loss: "bce", method: "scp", scp: { samples: 9, weights: [[1], [0]] } },
      /scp: samples does nothing with weights of your own/,
    ],
    [{ loss: "bce", method: "scp", scp: { samples: 0 } }, /scp.samples is 0/],
    [{ loss: "bce", method: "scp", scp: { weights: [[1, 2]] } }, /scp.weights has shape \[1,2\]; give \[2, neurons\]/],
    [{ loss: "bce", method: "scp", scp: { weights: [[0], [0]] } }, /column 0 of scp.weights has the norm 0/],
  ])("options of trainConvex %#", async (more, message) => {
    await expect(trainConvex(X, y, { ...options, ...more } as never)).rejects.toThrow(message);
  });

  it.each([
    [{ eps: -0.1 }, /eps\[0\] is -0.1; radii must be finite and >= 0/],
    [{ eps: [0.1, 0.1, 0.1] }, /eps has shape \[3\]/],
    [{ eps: Number.NaN }, /eps\[0\] is NaN/],
    [{ eps: "0.1" }, /eps is 0.1; give one radius/],
    [{ eps: 0.1, solver: "simplex" }, /solver is "simplex"/],
    [{ eps: 0.1, relaxation: 2 }, /relaxation is 2/],
    [{ eps: 0.1, solver: "conic", rho: 0.1 }, /rho does nothing with solver "conic"/],
    [{ eps: 0.1, solver: "conic", relaxation: 1 }, /relaxation does nothing with solver "conic"/],
    [{ eps: 0.1, rho: -1 }, /rho is -1/],
  ])("options of trainRobust %#", async (more, message) => {
    await expect(trainRobust(X, y, { ...options, ...more } as never)).rejects.toThrow(message);
  });

  it("states of other problems", async () => {
    const { state } = await trainConvex(X, y, options);
    const other = trainConvex([[1], [2]], [1, -1], { ...options, resume: state as never });
    await expect(other).rejects.toThrow(/resume has \d+ entries as `u`, not \d+ entries/);
    const robust = await trainRobust(X, y, { ...options, eps: 0.1, maxIterations: 10 });
    const wrong = trainRobust([[1], [2]], [1, -1], { ...options, eps: 0.1, resume: robust.state as never });
    await expect(wrong).rejects.toThrow(/resume has \d+ entries as `z.blocks`/);
    for (const [name, value] of [
      ["alpha", Infinity],
      ["rho", -1],
    ] as const) {
      const damaged = { ...state, inner: { ...state.inner, [name]: value } };
      await expect(trainConvex(X, y, { ...options, resume: damaged as never })).rejects.toThrow(
        `resume holds ${value} as \`${name}\`, which is finite and > 0`,
      );
    }
  });
});

it.each([
  [undefined, "ValueError", /net is undefined; give a TwoLayerNet/],
  [{}, "ValueError", /net.bias is undefined; it must be true or false/],
  [{ bias: true }, "ValueError", /net.U is no tensor; give a network that was trained or loaded/],
  [{ bias: true, U: net.U }, "ValueError", /net.a is no tensor/],
  [{ ...net, a: tensor([Number.NaN], { dtype: "float64" }) }, "ValueError", /net.a holds NaN; weights must be finite/],
  [{ ...net, a: net.U }, "ShapeError", /net.U has shape \[2,1\] and net.a \[2,1\]; they must be \[features, neurons\]/],
])("what is no network is refused by all that takes one %#", (given, name, message) => {
  const wrong = given as never;
  for (const use of [
    () => predict(wrong, X),
    () => networkToOnnx(wrong),
    () => fgsm(wrong, X, y, 0.1, "hinge"),
    () => pgd(wrong, X, y, 0.1, "hinge"),
    () => inOriginalUnits(wrong, { mean: [0], std: [1] }),
    () => saveModel({ net: wrong, loss: "hinge" }),
  ]) {
    expect(use).toThrow(expect.objectContaining({ name, message: expect.stringMatching(message) }));
  }
});

it("patterns, bounds, baselines and networks refuse what does not fit", async () => {
  expect(() => samplePatterns(X, { count: 0 })).toThrow(/count is 0/);
  expect(() => samplePatterns(X, { count: 2, perturb: { eps: 0.1, perDirection: 0 } })).toThrow(/perDirection is 0/);
  expect(() => patternBound(12, 0, 0.1)).toThrow(/psi is 0; it must be in \(0, 1\]/);
  const wide = tensor(
    new Float64Array(300 * 20).map((_, p) => Math.sin(p)),
    { shape: [300, 20] },
  );
  expect(() => enumeratePatterns(wide)).toThrow(/use samplePatterns/);
  expect(() => predict(net, [[1], [Number.NaN]])).toThrow(/X\[1, 0\] is NaN; remove or replace/);
  expect(() => predict(net, [[1, 2]])).toThrow(/X has shape \[1,2\]; the network takes \[samples, 1\]/);
  expect(() => pgd(net, X, y, 0.1, "hinge", { steps: 0 })).toThrow(/steps is 0/);
  expect(() => fgsm(net, [[1, 2]], [1], 0.1, "hinge")).toThrow(/2 features/);
  const descent = { ...options, width: 3, steps: 5 };
  await expect(trainBackprop(X, y, { ...descent, width: 0 })).rejects.toThrow(/width is 0/);
  await expect(trainBackprop(X, y, { ...descent, optimizer: "lion" as never })).rejects.toThrow(/one of "sgd", "adam"/);
  await expect(trainBackprop(X, y, { ...descent, adversary: { kind: "cw" as never, eps: 1 } })).rejects.toThrow(
    /one of "fgsm", "pgd"/,
  );
  expect(() => inOriginalUnits({ ...net, bias: false }, { mean: [0], std: [1] })).toThrow(/no bias/);
  expect(() => inOriginalUnits(net, { mean: [0], std: [0] })).toThrow(/must be > 0/);
  expect(() => inOriginalUnits(net, { mean: [0], std: [1], targetmean: 3 } as never)).toThrow(
    /"targetmean"; did you mean/,
  );
  expect(() => inOriginalUnits(net, { mean: [Number.NaN], std: [1] })).toThrow(/must be finite/);
  expect(() => inOriginalUnits(net, { mean: [0], std: [1e-320] })).toThrow(/in these units: net.U holds Infinity/);
  const large = { ...net, a: tensor([1e300], { dtype: "float64" }) };
  expect(() => networkToOnnx(large)).toThrow(/float32 cannot; take dtype "float64"/);
  expect(networkToOnnx(large, { dtype: "float64" }).length).toBeGreaterThan(100);
  expect(() => samplePatterns(X, { count: 2, perturb: { eps: 0.1, perdirection: 2 } as never })).toThrow(
    /no option "perdirection"/,
  );
  expect(() => samplePatterns(X, { count: 2, usable: {} as never })).toThrow(/usable: there is no eps/);
  expect(() => enumeratePatterns(X, { usable: { eps: 1, ep: 1 } as never })).toThrow(/no option "ep"/);
  expect(() => patternCount(2.5, 2)).toThrow(/n is 2.5/);
  expect(() => pgd(net, X, y, 0.1, "hinge", { randomStart: 1 as never })).toThrow(/randomStart is 1/);
  const moved = { kind: "fgsm", eps: 0.1, steps: 3 } as const;
  await expect(trainBackprop(X, y, { ...descent, adversary: moved })).rejects.toThrow(
    /steps does nothing with kind "fgsm"/,
  );
});

it("ends where more patterns are wanted than there are, and takes radii below all rounding", async () => {
  expect(samplePatterns(X, { count: 1e9 })).toMatchObject({ exhausted: true, draws: 10_000 });
  const { networkObjective } = await trainRobust(X, y, { ...options, eps: 1e-300, maxIterations: 50 });
  const clean = await trainRobust(X, y, { ...options, eps: 0, maxIterations: 50 });
  expect(networkObjective).toBeGreaterThan(0.5 * clean.networkObjective);
});

describe("a run can be aborted while its patterns are drawn", () => {
  // Sixty samples in six dimensions have eleven million patterns: a hundred million draws of them take minutes.
  const inputs = random.rng(5).normal([60, 5], { dtype: "float64" });
  const targets = Float64Array.from({ length: 60 }, (_, k) => (k % 2 === 0 ? 1 : -1));
  const common = { loss: "squared", beta: 0.1, maxIterations: 5 } as const;

  it.each([
    ["trainConvex", (more: object) => trainConvex(inputs, targets, { ...common, ...more })],
    ["trainRobust", (more: object) => trainRobust(inputs, targets, { ...common, eps: 0, ...more })],
  ] as const)("%s, and goes on with all of them", async (_name, train) => {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    const early = await train({ patterns: 1e6, signal: controller.signal });
    expect(early).toMatchObject({ status: "aborted", iterations: 0 });
    expect(early.patterns.D).toHaveLength(1);
    const whole = await train({ patterns: 12 });
    const resumed = await train({ patterns: 12, resume: early.state });
    expect(resumed.net.U.toArray()).toEqual(whole.net.U.toArray());
    expect(resumed.iterations).toBe(5);
  });
});
