import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { describe, expect, it, vi } from "vitest";
import { againstStraightThrough, frequency, twoStages } from "../claims/accuracy.js";
import { digitRuns } from "../claims/digit-runs.js";
import { claims } from "../claims/index.js";
import { bitExact, packedCost } from "../claims/inference.js";
import { quantizationErrorFormula } from "../claims/quantization.js";
import { laplaceMoments, packNetwork, periodic, straightThrough, xnorConv2d } from "../src/index.js";

const backend = await onnxRuntime({ device: "cpu", threads: 1 });

// Trainings take their time where the machine has other work.
vi.setConfig({ testTimeout: 120_000 });

const result = (claim: Claim) => runClaim(claims, claim, { backend });

/** Few images and epochs, so that a run takes a fraction of a second. */
const brief = () => ({ images: 256, epochs: [2, 1] as const });
const short = digitRuns(undefined, brief);

describe("the claims", () => {
  it("quantisation error: holds, and not for formulas of another distribution", async () => {
    expect((await result(quantizationErrorFormula())).holds).toBe(true);
    const wrong = (omega: number, b: number) => laplaceMoments(omega, b * 1.02);
    expect((await result(quantizationErrorFormula(wrong))).holds).toBe(false);
  });

  it("against straight-through: does not hold with straight-through weights in the place of the wave", async () => {
    const runs = digitRuns(() => straightThrough(), brief);
    const { holds, measured } = await result(againstStraightThrough(runs));
    expect(holds).toBe(false);
    expect((measured as Record<string, number>)["gain"]).toBeLessThan(0.03);
  });

  it("frequency: does not hold where all frequencies are one", async () => {
    const runs = digitRuns(() => periodic({ omega: 20 }), brief);
    const { holds, measured } = await result(frequency(runs));
    expect(holds).toBe(false);
    expect(new Set(Object.values(measured as Record<string, number>)).size).toBe(1);
  });

  it("two stages: does not hold where the second hardly knows the weights of the first", async () => {
    const runs = digitRuns(
      () => periodic({ omega: 1 }),
      () => ({ images: 256, epochs: [4, 1] }),
    );
    const { holds, measured } = await result(twoStages(runs));
    expect(holds).toBe(false);
    expect((measured as Record<string, number>)["lost, omega 20"]).toBeGreaterThan(0.02);
  });

  it("bit-exact: holds after a short training too, and not where a scale is off by a hundredth", async () => {
    expect((await result(bitExact(short))).holds).toBe(true);
    const shifted: typeof packNetwork = (trained) => {
      const alpha = trained.params.layer1.body.conv.alpha;
      const conv = { ...trained.params.layer1.body.conv, alpha: alpha.add(0.01) };
      const layer1 = { ...trained.params.layer1, body: { ...trained.params.layer1.body, conv } };
      return packNetwork({ ...trained, params: { ...trained.params, layer1 } });
    };
    expect((await result(bitExact(short, shifted))).holds).toBe(false);
  });

  it("packed cost: not for a convolution whose integers are wrong", async () => {
    const wrong: typeof xnorConv2d = (a, w) => xnorConv2d(a, w, { padding: 1, padValue: -1 });
    const { holds, measured } = await result(packedCost(wrong));
    expect(holds).toBe(false);
    expect((measured as Record<string, number>)["part of the memory"]).toBe(1 / 32);
  });

  it("are six, each with its own id", () => {
    expect(claims.claims.map(({ id }) => id)).toEqual([
      "quantisation-error",
      "against-straight-through",
      "frequency",
      "two-stages",
      "bit-exact",
      "packed-cost",
    ]);
  });
});
