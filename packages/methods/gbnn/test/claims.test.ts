import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { onnxRuntime } from "@offprint/onnx-runtime";
import type { Backend } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classification, judgeClassification } from "../claims/classification.js";
import { convolutionalBody, type HeadMethod, judgeHead } from "../claims/convolutional-body.js";
import { oneNetwork } from "../claims/exactness.js";
import { claims } from "../claims/index.js";
import { gbnn, type Method } from "../claims/method.js";
import { newtonStep } from "../claims/newton-step.js";
import { judgeRegression, regression, unstable } from "../claims/regression.js";
import { judgeSwitchingOff, switchingOff } from "../claims/switching-off.js";
import { boostHead, fitClassifier, fitRegressor, losses, toNetwork } from "../src/index.js";

let backend: Backend & { release(): Promise<void> };

beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});

afterAll(() => backend.release());

const run = (claim: Claim) => runClaim(claims, claim, { backend });

/** One block of all units, in place of the sequence. */
const oneBlock: Method = {
  regressor: (x, y, options = {}) => fitRegressor(x, y, { ...options, unitsPerStep: options.totalUnits ?? 60 }),
  classifier: (x, y, options = {}) => fitClassifier(x, y, { ...options, unitsPerStep: options.totalUnits ?? 60 }),
};

/** Blocks that are left as they were drawn, near enough. */
const untrained: Method = {
  regressor: (x, y, options) => fitRegressor(x, y, { ...options, maxIterations: 1, solver: "sgd" }),
  classifier: (x, y, options) => fitClassifier(x, y, { ...options, maxIterations: 1, solver: "sgd" }),
};

describe("claims fail for what is not the method", () => {
  it("are all there", () => {
    expect(claims.claims.map(({ id }) => id)).toEqual([
      "newton-step",
      "one-network",
      "regression",
      "large-step",
      "classification",
      "switching-off",
      "final-layers",
    ]);
  });

  it("Newton step: fails for a wrong factor and for a step without curvature", async () => {
    const halved = () => ({ ...losses.logExponential(), step: () => 1 });
    expect(await run(newtonStep({ ...losses, logExponential: halved }, 2))).toMatchObject({ holds: false });
    const flat = (classes: number) => ({ ...losses.softmax(classes), step: () => 1 });
    expect(await run(newtonStep({ ...losses, softmax: flat }, 2))).toMatchObject({ holds: false });
  });

  it("one network: fails where the output bias is that of all blocks, or the margin's factor is forgotten", async () => {
    const few = { quick: 12, full: 12 };
    const staleBias: typeof toNetwork = (model, options) => ({ ...toNetwork(model, options), b2: toNetwork(model).b2 });
    expect(await run(oneNetwork(staleBias, few))).toMatchObject({ holds: false });
    const noMargin: typeof toNetwork = (model, options) => toNetwork({ ...model, margin: 1 }, options);
    expect(await run(oneNetwork(noMargin, few))).toMatchObject({ holds: false });
  });

  it("regression: fails for one large block and for untrained blocks", async () => {
    expect(await run(regression(oneBlock, 2))).toMatchObject({ holds: false });
    expect(await run(regression(untrained, 1))).toMatchObject({ holds: false });
    expect(judgeRegression(0.781, 0.711)).toBe(true);
    expect(judgeRegression(0.711, 0.711)).toBe(false);
    expect(judgeRegression(0.73, 0.5)).toBe(false);
  });

  it("large step: fails where the step is small after all", async () => {
    const small: Method = {
      ...gbnn,
      regressor: (x, y, options) => fitRegressor(x, y, { ...options, learningRate: 0.1, maxIterations: 30 }),
    };
    expect(await run(unstable(small, 1))).toMatchObject({ holds: false });
  });

  it("classification: fails for untrained blocks, and where networks trained as a whole are better", async () => {
    expect(await run(classification(untrained, 1, ["lbfgs"]))).toMatchObject({ holds: false });
    const good = { boosted: 0.968, lead: -0.003 };
    expect(judgeClassification(good, good)).toBe(true);
    expect(judgeClassification({ ...good, boosted: 0.944 }, good)).toBe(false);
    expect(judgeClassification({ ...good, lead: 0.021 }, good)).toBe(false);
    expect(judgeClassification(good, { ...good, lead: 0.021 })).toBe(false);
  });

  it("switching off: fails where all units come in one block, or shorter runs are no prefixes", async () => {
    const shuffled: Method = {
      ...gbnn,
      regressor: (x, y, options = {}) =>
        fitRegressor(x, y, { ...options, maxIterations: 5, seed: options.totalUnits ?? 0 }),
    };
    expect(await run(switchingOff(shuffled, 1, 1))).toMatchObject({ holds: false });
    expect(judgeSwitchingOff([0.968, 0.964], [0.841, 0.816], 0)).toBe(true);
    expect(judgeSwitchingOff([0.968, 0.95], [0.841, 0.816], 0)).toBe(false);
    expect(judgeSwitchingOff([0.968, 0.964], [0.841, 0.79], 0)).toBe(false);
    expect(judgeSwitchingOff([0.968, 0.964], [0.841, 0.816], 1e-6)).toBe(false);
  });

  it("final layers: fails for a head of untrained blocks", async () => {
    const untrainedHead: HeadMethod = (body, task, x, y, options) =>
      boostHead(body, task, x, y, { ...options, maxIterations: 1, solver: "sgd" });
    expect(await run(convolutionalBody(untrainedHead, 1, 8))).toMatchObject({ holds: false });
    expect(judgeHead(0.967, 0.977, 0.98)).toBe(true);
    expect(judgeHead(0.967, 0.96, 0.98)).toBe(false);
    expect(judgeHead(0.967, 0.977, 0.95)).toBe(false);
  });
});
