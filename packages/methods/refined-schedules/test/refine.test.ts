import { largestDifference } from "@offprint/claims";
import { ShapeError, ValueError } from "@offprint/tensor-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  optimalWeights,
  type RefineOptions,
  refineSchedule,
  resample,
  weightedBound,
  weightedStepSizes,
} from "../src/index.js";
import { randomNorms } from "./random-norms.js";

const norms = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 2, maxLength: 60 });
const settings = { seed: 5, numRuns: 200 };

describe("a refined schedule", () => {
  it("is linear decay for constant norms, of any size and with either exponent", () => {
    for (const options of [{}, { norm: "l1" }, { tau: 0 }, { power: 0.5 }] satisfies RefineOptions[]) {
      const { multipliers } = refineSchedule(new Float64Array(50).fill(0.3), options);
      expect(
        largestDifference(
          multipliers,
          Float64Array.from({ length: 50 }, (_, t) => (49 - t) / 49),
        ),
      ).toBeLessThan(1e-12);
    }
  });

  it("and its guarantees are those of norms in any unit, also where squares of norms overflow", () => {
    const g = Float64Array.from({ length: 60 }, (_, t) => 1 + 9 * Math.exp(-t / 9));
    const usual = { refined: refineSchedule(g), optimal: optimalWeights(g, 1.3) };
    for (const unit of [1e-6, 1e6, 1e-200, 1e200]) {
      const scaled = g.map((value) => value * unit);
      const { multipliers, bound, linearBound, learningRateRatio } = refineSchedule(scaled);
      expect(largestDifference(multipliers, usual.refined.multipliers)).toBeLessThan(1e-12);
      expect(bound / unit).toBeCloseTo(usual.refined.bound, 12);
      expect(linearBound / unit).toBeCloseTo(usual.refined.linearBound, 12);
      expect(learningRateRatio).toBeCloseTo(usual.refined.learningRateRatio, 12);
      const optimal = optimalWeights(scaled, 1.3);
      expect(optimal.bound / unit).toBeCloseTo(usual.optimal.bound, 12);
      const weights = optimal.weights.map((value) => value * unit);
      expect(largestDifference(weights, usual.optimal.weights)).toBeLessThan(1e-12);
    }
  });

  it("lies in [0, 1], with 1 as its largest and 0 as its last multiplier", () => {
    fc.assert(
      fc.property(norms, fc.double({ min: 0, max: 1, noNaN: true }), (g, tau) => {
        const { multipliers, peakIndex } = refineSchedule(g, { tau });
        expect(multipliers.every((m) => m >= 0 && m <= 1)).toBe(true);
        expect(multipliers[peakIndex]).toBe(1);
        expect(multipliers[g.length - 1]).toBe(0);
      }),
      settings,
    );
  });

  it("does not change with the unit of the norms", () => {
    fc.assert(
      fc.property(norms, fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (g, c) => {
        const scaled = refineSchedule(g.map((v) => c * v));
        const own = refineSchedule(g);
        expect(largestDifference(scaled.multipliers, own.multipliers)).toBeLessThan(1e-9);
        expect(scaled.learningRateRatio / own.learningRateRatio).toBeCloseTo(1, 9);
        expect(scaled.bound / (c * own.bound)).toBeCloseTo(1, 9);
      }),
      settings,
    );
  });

  it("survives norms whose squares overflow or vanish", () => {
    for (const size of [1e-200, 1e200]) {
      const { multipliers } = refineSchedule(
        [2, 1, 1, 1].map((v) => v * size),
        { tau: 0 },
      );
      expect(largestDifference(multipliers, refineSchedule([2, 1, 1, 1], { tau: 0 }).multipliers)).toBeLessThan(1e-12);
    }
  });

  it("stays above linear at the middle where norms fall, and below where they rise", () => {
    const falling = Float64Array.from({ length: 201 }, (_, t) => 3 - t / 100);
    const middle = (g: Float64Array) => refineSchedule(g, { tau: 0 }).multipliers[100];
    expect(middle(falling)).toBeGreaterThan(0.5);
    expect(middle(falling.slice().reverse())).toBeLessThan(0.5);
  });

  it("is w_t times what is left of the weights, over its largest, with the formula for the ratio of the peaks", () => {
    const g = randomNorms(40);
    const { multipliers, smoothed, weights, learningRateRatio, bound, linearBound } = refineSchedule(g, { tau: 0 });
    expect([...smoothed]).toEqual([...g]);
    const w = Array.from(g, (v) => 1 / (v * v));
    const eta = w.map((v, t) => v * w.slice(t + 1).reduce((a, b) => a + b, 0));
    expect(
      largestDifference(
        multipliers,
        eta.map((v) => v / Math.max(...eta)),
      ),
    ).toBeLessThan(1e-12);
    expect(largestDifference(weights, w) / Math.max(...w)).toBeLessThan(1e-12);
    const sum = w.reduce((a, b) => a + b);
    const scaled = w.map((v) => v / Math.sqrt(sum));
    const peaks = eta.map(
      (_, t) => (scaled[t] * scaled.slice(t + 1).reduce((a, b) => a + b, 0)) / scaled.reduce((a, b) => a + b),
    );
    const squares = g.reduce((total, v) => total + v * v, 0);
    expect(learningRateRatio).toBeCloseTo(Math.max(...peaks) * Math.sqrt(squares), 10);
    expect(bound).toBeCloseTo(1 / Math.sqrt(sum), 12);
    expect(linearBound).toBeCloseTo(Math.sqrt(squares) / 40, 12);
    expect(refineSchedule(g, { norm: "l1" }).learningRateRatio).toBe(1);
  });

  it("smooths with the next odd width where tau T is even, and not at all with tau 0", () => {
    const spike = new Float64Array(40).fill(1);
    spike.fill(5, 20, 22);
    // tau T = 4 gives width 5, which removes a spike of 2; tau T = 3 gives 3, which does not.
    expect(Math.max(...refineSchedule(spike, { tau: 0.1 }).smoothed)).toBe(1);
    expect(Math.max(...refineSchedule(spike, { tau: 0.075 }).smoothed)).toBe(5);
  });

  it("takes the exponent of the norm, or the one it is given", () => {
    const g = randomNorms(30);
    const same = (a: RefineOptions, b: RefineOptions) =>
      largestDifference(refineSchedule(g, a).multipliers, refineSchedule(g, b).multipliers);
    expect(same({ norm: "l1" }, { power: 1 })).toBe(0);
    expect(same({ norm: "l1", power: 2 }, {})).toBe(0);
    expect(same({ norm: "l1" }, {})).toBeGreaterThan(0.01);
  });

  it("of a longer run is that of the interpolated norms", () => {
    expect([...resample([1, 3], 5)]).toEqual([1, 1.5, 2, 2.5, 3]);
    expect([...resample([4], 3)]).toEqual([4, 4, 4]);
    expect([...resample([1, 2, 3], 1)]).toEqual([1]);
    const g = [5, 3, 2, 1];
    const longer = refineSchedule(g, { length: 31 });
    expect(largestDifference(longer.multipliers, refineSchedule(resample(g, 31)).multipliers)).toBe(0);
  });

  it("is not made of what is no array of numbers, and options are known", () => {
    expect(() => resample("abc" as never, 20)).toThrow(/resample: norms must be an array of numbers, got string/);
    expect(() => resample([], 20)).toThrow(/norms is empty/);
    expect(() => resample(["1", "2"] as never, 20)).toThrow(/norms\[0\] is a string/);
    expect(() => refineSchedule(undefined as never)).toThrow(ValueError);
    expect(() => refineSchedule([2, 1], { nrom: "l1" } as never)).toThrow(/no option "nrom"; did you mean "norm"/);
    expect(() => refineSchedule([2, 1], { norm: "l3" as "l2" })).toThrow(/norm is "l3"/);
  });

  it("leaves out what a logger could not record, and partial steps at the ends", () => {
    const clean = [3, 2, 1, 1, 1];
    const own = refineSchedule(clean).multipliers;
    const dirty = [3, Number.NaN, 2, 1, Infinity, 1, 1];
    expect(largestDifference(refineSchedule(dirty, { dropNonFinite: true }).multipliers, own)).toBe(0);
    expect(largestDifference(refineSchedule([99, 98, ...clean, 0, 0], { dropEdge: 2 }).multipliers, own)).toBe(0);
  });

  it("of one step is 1, with a warning", () => {
    const { multipliers, warnings, learningRateRatio } = refineSchedule([2]);
    expect([...multipliers]).toEqual([1]);
    expect(learningRateRatio).toBe(1);
    expect(warnings[0]).toMatch(/one step/);
  });

  it("warns where a few steps get the whole budget, and only there", () => {
    const collapsing = Float64Array.from({ length: 100 }, (_, t) => 10 ** (-t / 10));
    expect(refineSchedule(collapsing).warnings[0]).toMatch(/gradients vanish/);
    // Where they have collapsed over most of the run, so has their median.
    const early = Float64Array.from({ length: 100 }, (_, t) => (t < 20 ? 1 : 1e-3));
    expect(refineSchedule(early).warnings[0]).toMatch(/gradients vanish/);
    expect(refineSchedule(randomNorms(100)).warnings).toEqual([]);
  });

  it("rejects a smoothed norm of zero by its index, unless there is a floor", () => {
    const g = [2, 2, 0, 0, 0, 2, 2, 2];
    expect(() => refineSchedule(g, { tau: 0 })).toThrow(/index 2 is 0.*floor/);
    const { smoothed } = refineSchedule(g, { tau: 0, floor: 0.25 });
    expect([...smoothed]).toEqual([2, 2, 0.5, 0.5, 0.5, 2, 2, 2]);
    expect(() => refineSchedule([0, 0, 0], { floor: 0.5 })).toThrow(/index 0 is 0/);
  });

  it("rejects norms that cannot be, and options out of range", () => {
    const wrong: [ArrayLike<number>, RefineOptions, RegExp][] = [
      [[], {}, /no gradient norms/],
      [[1, -2], {}, /index 1 is -2/],
      [[Number.NaN], {}, /index 0 is NaN/],
      [[1, Infinity], {}, /index 1 is Infinity/],
      [[1, 2], { tau: 1.5 }, /tau is 1.5/],
      [[1, 2], { tau: Number.NaN }, /tau is NaN/],
      [[1, 2], { power: 0 }, /power is 0/],
      [[1, 2], { floor: -1 }, /floor is -1/],
      [[1, 2], { length: 0 }, /length is 0/],
      [[1, 2], { length: 2.5 }, /length is 2.5/],
      [[1, 2], { dropEdge: -1 }, /dropEdge is -1/],
      [[1, 2], { dropEdge: 1 }, /dropEdge is 1, which leaves nothing of 2 norms/],
    ];
    for (const [g, options, message] of wrong) {
      expect(() => refineSchedule(g, options)).toThrow(ValueError);
      expect(() => refineSchedule(g, options)).toThrow(message);
    }
  });
});

describe("the best weights", () => {
  it("are where the bound is least: no change of a single weight lowers it", () => {
    const g = randomNorms(20);
    const { weights, bound } = optimalWeights(g, 2);
    expect(weightedBound(weights, g, 2)).toBeCloseTo(bound, 12);
    for (let t = 0; t < 20; t++) {
      const slope = (h: number) =>
        weightedBound(
          weights.map((w, i) => (i === t ? w * (1 + h) : w)),
          g,
          2,
        );
      expect((slope(1e-4) - slope(-1e-4)) / 2e-4).toBeCloseTo(0, 6);
      expect(slope(0.3)).toBeGreaterThan(bound);
    }
  });

  it("give D G / sqrt(T) and linear decay for constant norms", () => {
    const { stepSizes, bound } = optimalWeights(new Float64Array(100).fill(3), 2);
    expect(bound).toBeCloseTo((2 * 3) / 10, 12);
    const expected = Float64Array.from({ length: 100 }, (_, t) => (2 / (3 * 10)) * (1 - (t + 1) / 100));
    expect(largestDifference(stepSizes, expected)).toBeLessThan(1e-12);
  });

  it("divide by the sum of all weights, not by the last", () => {
    expect([...weightedStepSizes([1, 2, 5])]).toEqual([(1 * 7) / 8, (2 * 5) / 8, 0]);
  });

  it("reject a distance, norms or weights that cannot be", () => {
    expect(() => optimalWeights([1, 2], 0)).toThrow(/distance D is 0/);
    expect(() => optimalWeights([1, 0], 1)).toThrow(/index 1 is 0/);
    expect(() => optimalWeights([], 1)).toThrow(/no gradient norms/);
    expect(() => weightedBound([1, 2], [1], 1)).toThrow(ShapeError);
    expect(() => weightedBound([0, 0], [1, 1], 1)).toThrow(/all weights are 0/);
    expect(() => weightedStepSizes([0])).toThrow(/all weights are 0/);
    expect(() => weightedStepSizes([1, -1])).toThrow(/weights\[1\] is -1/);
  });
});
