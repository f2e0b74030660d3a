import { f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  growthOf,
  largestDifference,
  leastIterationSeconds,
  leastSeconds,
  leastSecondsInTurn,
  meanOf,
  medianOf,
} from "../src/index.js";

describe("measures", () => {
  it("are the mean and the median", () => {
    expect(meanOf([1, 2, 6])).toBe(3);
    expect(medianOf([9, 1, 3])).toBe(3);
    expect(medianOf(Float64Array.of(4, 1, 3, 100))).toBe(3.5);
    expect(() => meanOf([])).toThrow("meanOf: there are no values; give at least one.");
    expect(() => medianOf([])).toThrow("medianOf: there are no values");
  });

  it("are the power of a power law, and the least of several times", async () => {
    expect(growthOf([1, 2, 4, 8], [3, 12, 48, 192])).toBeCloseTo(2, 12);
    expect(() => growthOf([1, 2], [1])).toThrow("growthOf: 2 sizes and 1 values; give as many of both");
    let runs = 0;
    expect(await leastSeconds(async () => void runs++)).toBeGreaterThanOrEqual(0);
    expect(runs).toBeGreaterThanOrEqual(5);
    const turns: string[] = [];
    const work = (name: string) => () => void turns.push(name);
    const told: number[] = [];
    const times = await leastSecondsInTurn([work("a"), work("b")], false, (done) => void told.push(done));
    expect([times.length, turns.slice(0, 4)]).toEqual([2, ["a", "b", "a", "b"]]);
    // More turns than five are for a machine that has the time.
    expect(told).toEqual([0.2, 0.4, 0.6, 0.8, ...new Array(told.length - 4).fill(1)]);
    expect(told.length).toBeGreaterThanOrEqual(5);
    const records = (count: number) => (tick: () => void) => {
      for (let k = 0; k < count; k++) tick();
    };
    expect(await leastIterationSeconds(records(3))).toBeGreaterThanOrEqual(0);
    await expect(leastIterationSeconds(records(2))).rejects.toThrow("the run had 2 records");
  });

  it("are the largest difference of arrays, tensors and trees", () => {
    expect(largestDifference([1, 2], Float64Array.of(1, 2.5))).toBe(0.5);
    expect(largestDifference(f64([[1, 2]]), [[0, 2]])).toBe(1);
    expect(largestDifference({ a: f64([1]), b: [f64([3, 4])] }, { a: f64([1]), b: [f64([3, 6])] })).toBe(2);
    expect(largestDifference([Infinity], [Infinity])).toBe(0);
    expect(largestDifference([1, Number.NaN, 2], [1, 1, 1])).toBeNaN();
    expect(() => largestDifference([1], [1, 2])).toThrow("leaf 0 has the shapes [1] and [2]");
    expect(() => largestDifference(f64([[1, 2]]), f64([1, 2]))).toThrow("leaf 0 has the shapes [1,2] and [2]");
    expect(() => largestDifference([f64([1])], [f64([1]), f64([1])])).toThrow("the trees have 1 and 2 leaves");
  });
});
