import { tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { cifar10Stages, imagenetStages, learningRateAt, tauAt } from "../src/index.js";
import { settleStage } from "../src/stage-options.js";

const rates = (epochs: number, warmUpEpochs?: number) =>
  Array.from({ length: epochs }, (_, e) =>
    learningRateAt(e, { epochs, learningRate: 0.1, ...(warmUpEpochs !== undefined && { warmUpEpochs }) }),
  );

describe("the learning rate", () => {
  it("rises over five epochs, joins the cosine without a jump, and ends above 0", () => {
    const list = rates(20);
    expect(list.slice(0, 5).map((v) => Number(v.toFixed(12)))).toEqual([0.02, 0.04, 0.06, 0.08, 0.1]);
    // The cosine starts at the last epoch of the warm-up with the same value.
    expect(list[4] - list[5]).toBeLessThan(0.1 * 0.02);
    for (let e = 5; e < 20; e++) expect(list[e]).toBeLessThan(list[e - 1]);
    expect(list[19]).toBeCloseTo(0.05 * (1 + Math.cos((Math.PI * 15) / 16)), 12);
    expect(list[19]).toBeGreaterThan(0);
  });

  it("falls from the first epoch without warm-up", () => {
    expect(rates(4, 0)[0]).toBe(0.1);
  });

  it("of a compiled step is that of its epoch", () => {
    const { schedule, rates: byEpoch } = settleStage("fitNetwork", { epochs: 8, learningRate: 0.1 }, 3);
    for (let step = 1; step <= 24; step++) {
      const value = schedule(tensor(step)) as ReturnType<typeof tensor>;
      expect(value.item()).toBeCloseTo(byEpoch![Math.floor((step - 1) / 3)], 7);
    }
  });

  it("is rejected out of range", () => {
    expect(() => learningRateAt(20, { epochs: 20, learningRate: 0.1 })).toThrow(/epoch is 20 of 20/);
    expect(() => learningRateAt(0, { epochs: 20, learningRate: -1 })).toThrow(/learningRate is -1/);
    expect(() => learningRateAt(0.5, { epochs: 20, learningRate: 1 })).toThrow(/epoch is 0.5/);
  });
});

describe("the weight of the regulariser", () => {
  it("grows exponentially from tauMin to tauMax", () => {
    const options = { epochs: 10, tauMin: 0.1, tauMax: 0.5 };
    expect(tauAt(0, options)).toBeCloseTo(0.1, 12);
    const a = 0.4 / (Math.E - 1);
    expect(tauAt(7, options)).toBeCloseTo(a * Math.exp(0.7) + 0.1 - a, 12);
    expect(a * Math.exp(1) + 0.1 - a).toBeCloseTo(0.5, 12);
  });

  it("is constant where both are equal", () => {
    for (let e = 0; e < 5; e++) expect(tauAt(e, { epochs: 5, tauMin: 0.037, tauMax: 0.037 })).toBeCloseTo(0.037, 15);
  });

  it("is rejected where negative", () => {
    expect(() => tauAt(0, { epochs: 5, tauMin: -1, tauMax: 1 })).toThrow(/tauMin is -1/);
  });
});

it("the paper's settings are valid", () => {
  for (const stages of [cifar10Stages, imagenetStages]) {
    for (const stage of [stages.stage1, stages.stage2]) {
      expect(settleStage("fitNetwork", stage, 196).rates!.length).toBe(stage.epochs);
    }
  }
  expect(settleStage("fitNetwork", cifar10Stages.stage1, 196).taus[599]).toBeCloseTo(0.037, 12);
});
