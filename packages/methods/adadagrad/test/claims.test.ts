import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { type Backend, tensor } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { criticalBatch } from "../claims/critical-batch.js";
import { claims } from "../claims/index.js";
import { judgeNoiseFloor, noiseFloor } from "../claims/noise-floor.js";
import { contenders, judgeBudget, oneBudget } from "../claims/one-budget.js";
import { judgeOrder, selectivity } from "../claims/selectivity.js";
import type { Trainer } from "../claims/softmax-20.js";
import { gradientStats, requiredBatchSize, trainAdaptive } from "../src/index.js";

let backend: Backend & { release(): Promise<void> };

beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});

afterAll(() => backend.release());

const run = (claim: Claim) => runClaim(claims, claim, { backend });

/** The size that the test would choose is not taken. */
const neverGrows: Trainer = (problem, options) =>
  trainAdaptive(problem, {
    ...options,
    initialBatch: Math.max(1024, options.initialBatch),
    test: { kind: "constant" },
  });

/** All tests ask for the largest batch. */
const alwaysLargest: Trainer = (problem, options) =>
  trainAdaptive(problem, {
    ...options,
    initialBatch: options.maxBatch ?? problem.data.size,
    test: { kind: "constant" },
  });

describe("claims hold for the method and fail for what is not the method", () => {
  it("are all there", () => {
    expect(claims.claims.map(({ id }) => id)).toEqual(["critical-batch", "noise-floor", "one-budget", "selectivity"]);
  });

  it("critical batch: holds, and fails without the square of eta and for half the samples' variance", async () => {
    expect(await run(criticalBatch())).toMatchObject({ holds: true });
    const stats = (gradients: Float64Array, shape: readonly [number, number]) =>
      gradientStats({ x: tensor(gradients, { shape }) });
    const notSquared = criticalBatch((g, shape, eta) =>
      requiredBatchSize(stats(g, shape), { kind: "norm", eta: Math.sqrt(eta) }),
    );
    expect(await run(notSquared)).toMatchObject({ holds: false });
    const otherTest = criticalBatch((g, shape, eta) =>
      requiredBatchSize(stats(g, shape), { kind: "inner-product", theta: eta }),
    );
    expect(await run(otherTest)).toMatchObject({ holds: false });
  });

  it("noise floor: fails where the batch does not grow", async () => {
    const constant: typeof trainAdaptive = (problem, options) =>
      trainAdaptive(problem, { ...options, test: { kind: "constant" } });
    expect(await run(noiseFloor(constant))).toMatchObject({ holds: false });
    const seen = [
      { ratio: 1.0001, least: 4e-6 },
      { ratio: 1.0014, least: 1.2e-5 },
      { ratio: 1.31, least: 9e-3 },
      { ratio: 1.047, least: 1.4e-3 },
    ];
    expect(judgeNoiseFloor(seen)).toBe(true);
    expect(judgeNoiseFloor([seen[3], ...seen.slice(1)])).toBe(false);
    expect(judgeNoiseFloor([seen[0], seen[2], ...seen.slice(2)])).toBe(false);
  });

  it("one budget: fails where the batch size is constant or the largest", async () => {
    const judged = contenders.slice(0, 3);
    expect(await run(oneBudget(neverGrows, judged))).toMatchObject({ holds: false });
    expect(await run(oneBudget(alwaysLargest, judged))).toMatchObject({ holds: false });
    expect(judgeBudget({ steps: 466, loss: 0.651 }, { steps: 1433, loss: 0.591 }, { loss: 1.051 })).toBe(true);
    expect(judgeBudget({ steps: 4660, loss: 0.651 }, { steps: 14330, loss: 0.591 }, { loss: 1.051 })).toBe(false);
    expect(judgeBudget({ steps: 466, loss: 0.9 }, { steps: 1433, loss: 0.591 }, { loss: 1.051 })).toBe(false);
  });

  it("selectivity: fails where all tests ask for the same", async () => {
    expect(await run(selectivity(alwaysLargest))).toMatchObject({ holds: false });
    expect(judgeOrder([47, 512, 1522, 3410, 10284, 19608])).toBe(true);
    expect(judgeOrder([47, 1522, 512, 3410, 10284, 19608])).toBe(false);
  });
});
