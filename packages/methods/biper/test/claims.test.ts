import type { Claim } from "@offprint/claims";
import { runClaim } from "@offprint/claims/testing";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { type Tensor, tree } from "@offprint/tensor-core";
import { describe, expect, it, vi } from "vitest";
import { againstStraightThrough, frequency, twoStages } from "../claims/accuracy.js";
import { type DigitRuns, digitRuns } from "../claims/digit-runs.js";
import { claims } from "../claims/index.js";
import { bitExact, packedCost } from "../claims/inference.js";
import { quantizationErrorFormula } from "../claims/quantization.js";
import { laplaceMoments, packNetwork, straightThrough, xnorConv2d } from "../src/index.js";

const backend = await onnxRuntime({ device: "cpu", threads: 1 });

// Trainings take their time where the machine has other work.
vi.setConfig({ testTimeout: 120_000 });

const result = (claim: Claim) => runClaim(claims, claim, { backend });

/** Few images and epochs, so that a run takes a fraction of a second. */
const brief = () => ({ images: 256, batch: 64, epochs: [2, 1] as const });
const short = digitRuns(undefined, brief);

/** Runs that know one frequency, whatever is asked for. */
function ofOneFrequency(omega: number, runs: DigitRuns): DigitRuns {
  return { train: (context, methods) => runs.train(context, methods.map((method) => ({ ...method, omega }))) }; // biome-ignore format: one line
}

describe("the claims", () => {
  it("quantisation error: does not hold for formulas of another distribution", async () => {
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
    const { holds, measured } = await result(frequency(ofOneFrequency(60, short)));
    expect(holds).toBe(false);
    expect(new Set(Object.values(measured as Record<string, number>)).size).toBe(1);
  });

  it("two stages: does not hold where the second hardly knows the weights of the first", async () => {
    const longer = digitRuns(undefined, () => ({ ...brief(), epochs: [4, 1] }));
    const { holds, measured } = await result(twoStages(ofOneFrequency(1, longer)));
    expect(holds).toBe(false);
    expect((measured as Record<string, number>)["lost, omega 20"]).toBeGreaterThan(0.02);
  });

  it("bit-exact: does not hold where a scale is off by a hundredth", async () => {
    const shifted: typeof packNetwork = (model) => {
      const names = tree.paths(model.params);
      let next = 0;
      const off = (x: Tensor) => (names[next++] === "layer1.body.conv.alpha" ? x.add(0.01) : x);
      return packNetwork({ ...model, params: tree.map(off, model.params) as typeof model.params });
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
