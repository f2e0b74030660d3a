import { applyUpdates, sgd } from "@offprint/optim";
import { tensor, trace } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { fittedWarmups, multiplierSchedule, schedules } from "../src/index.js";

const rounded = (x: ArrayLike<number>) => Array.from(x, (v) => Number(v.toFixed(6)));

describe("the classical schedules", () => {
  it("have their formulas", () => {
    expect(rounded(schedules.flat(3))).toEqual([1, 1, 1]);
    expect(rounded(schedules.inverse(4))).toEqual([1, 0.5, 0.333333, 0.25]);
    expect(rounded(schedules.inverseSqrt(4))).toEqual(rounded([1, Math.SQRT1_2, 3 ** -0.5, 0.5]));
    expect(rounded(schedules.step(8))).toEqual([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01]);
    expect(rounded(schedules.step(4, { boundaries: [0.25], factor: 0.5 }))).toEqual([1, 0.5, 0.5, 0.5]);
    expect(rounded(schedules.cosine(4))).toEqual([1, 0.853553, 0.5, 0.146447]);
    expect(rounded(schedules.linear(4))).toEqual([1, 0.75, 0.5, 0.25]);
    expect(rounded(schedules.polynomial(4, { power: 2 }))).toEqual([1, 0.5625, 0.25, 0.0625]);
  });

  it("warm up to 1, then decay from there", () => {
    expect(rounded(schedules.warmupPolynomial(10, { warmup: 0.4 }))).toEqual([
      0.25, 0.5, 0.75, 1, 1, 0.833333, 0.666667, 0.5, 0.333333, 0.166667,
    ]);
    expect(rounded(schedules.warmupPolynomial(5, { warmup: 0 }))).toEqual(rounded(schedules.linear(5)));
    for (const fitted of Object.values(fittedWarmups)) {
      const m = schedules.warmupPolynomial(1003, fitted);
      expect(Math.max(...m)).toBeLessThanOrEqual(1);
      expect(Math.min(...m)).toBeGreaterThan(0);
    }
  });

  it("reject a number of steps and parameters that cannot be", () => {
    expect(() => schedules.linear(0)).toThrow(/schedules.linear: T is 0/);
    expect(() => schedules.cosine(1.5)).toThrow(/T is 1.5/);
    expect(() => schedules.step(4, { boundaries: [2] })).toThrow(/boundary is 2/);
    expect(() => schedules.step(4, { factors: 0.5 } as never)).toThrow(/no option "factors"; did you mean "factor"/);
    expect(() => schedules.step(4, { factor: -1 })).toThrow(/factor is -1/);
    expect(() => schedules.polynomial(4, { power: 0 })).toThrow(/power is 0/);
    expect(() => schedules.warmupPolynomial(4, { warmup: 1 })).toThrow(/warmup is 1/);
  });
});

describe("multipliers as a schedule of an optimizer", () => {
  it("give the rate of each update, and keep the last one", () => {
    const optimizer = sgd({ learningRate: multiplierSchedule([1, 0.5, 0.25], 0.8) });
    let params = tensor(new Float64Array([0]));
    let state = optimizer.init(params);
    const moves = [];
    for (let step = 0; step < 5; step++) {
      const update = optimizer.update(tensor(new Float64Array([-1])), state, params);
      state = update.state;
      moves.push(update.updates.item());
      params = applyUpdates(params, update.updates);
    }
    expect(moves).toEqual([0.8, 0.4, 0.2, 0.2, 0.2]);
  });

  it("compile into a step", () => {
    const schedule = multiplierSchedule([1, 0.5], 2);
    const graph = trace((step) => schedule(step), { shape: [], dtype: "float32" });
    expect(String(graph)).toMatch(/take/);
    expect((schedule(tensor(2)) as any).item()).toBe(1);
    expect((schedule(tensor(2)) as any).dtype).toBe("float32");
  });

  it("reject multipliers and peaks that cannot be", () => {
    expect(() => multiplierSchedule([1, -1], 1)).toThrow(/multipliers\[1\] is -1/);
    expect(() => multiplierSchedule([], 1)).toThrow(/empty/);
    expect(() => multiplierSchedule([1], Number.NaN)).toThrow(/peak/);
  });
});
