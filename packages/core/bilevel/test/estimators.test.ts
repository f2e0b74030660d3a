import { add, mul, random, sub, tensor } from "@offprint/tensor-core";
import { expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { movingAverage, msvr, msvrGamma, storm } from "../src/index.js";

const [estimate, now, before] = [1, 2, 3].map((seed) => random.rng(seed).normal([4], { dtype: "float64" }));

describe("estimators", () => {
  it("movingAverage of beta 0 is what was drawn, of a constant the constant", () => {
    expectClose(movingAverage(estimate, now, 0), now, 1e-15);
    expectClose(movingAverage(now, now, 0.7), now, 1e-15);
  });

  it("storm without noise shrinks the error by 1 - beta", () => {
    expectClose(sub(storm(estimate, now, before, 0.3), now), mul(sub(estimate, before), 0.7), 1e-14);
  });

  it("msvr with alpha 1 and gamma 0 is the last value; with all blocks sampled it is storm", () => {
    expectClose(msvr(estimate, now, before, 1, 0), now, 1e-15);
    const alpha = 0.2;
    const gamma = msvrGamma(7, 7, alpha);
    expect(gamma).toBeCloseTo(1 - alpha, 15);
    expectClose(msvr(estimate, now, before, alpha, gamma), storm(estimate, now, before, alpha), 1e-14);
  });

  it("msvr makes up for the iterations without a sample, in the mean over which blocks are drawn", () => {
    const [m, sampled, alpha] = [5, 2, 0.3];
    const gamma = msvrGamma(m, sampled, alpha);
    // Without noise, from the exact value before: the block is drawn with probability I / m, and stays otherwise.
    const drawn = msvr(before, now, before, alpha, gamma);
    const mean = add(mul(drawn, sampled / m), mul(before, 1 - sampled / m));
    const expected = mul(sub(now, before), (1 - sampled / m) * (alpha / (1 - alpha)));
    expectClose(sub(mean, now), expected, 1e-14);
  });

  it("refuse what has no sense", () => {
    expect(() => msvrGamma(4, 5, 0.1)).toThrow(/sampled is 5/);
    expect(() => msvrGamma(4, 2, 1)).toThrow(/alpha is 1; it must be in \(0, 1\)/);
    expect(msvrGamma(4, 4, 1)).toBe(0);
    expectClose(storm(tensor([1]), tensor([2]), tensor([1]), 1), [2], 1e-7);
  });
});
