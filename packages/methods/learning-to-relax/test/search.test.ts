import { describe, expect, it } from "vitest";
import { goldenSection, hindsight, omegaGrid } from "../src/index.js";

describe("omegaGrid", () => {
  it("is 1.00, 1.05, ..., 1.95 unless told otherwise", () => {
    const grid = omegaGrid();
    expect(grid.length).toBe(20);
    expect(grid.slice(0, 4)).toEqual([1, 1.05, 1.1, 1.15]);
    expect(grid[19]).toBe(1.95);
    expect(omegaGrid(1.5, 1.5, 1)).toEqual([1.5]);
  });
});

describe("goldenSection", () => {
  const coarse = (cost: (w: number) => number) => {
    const grid = [1, 1.24, 1.48, 1.72, 1.96];
    return { grid, values: grid.map(cost) };
  };

  it("finds the middle of the lowest plateau of an integer cost", () => {
    const cost = (w: number) => Math.round(40 + 300 * Math.abs(w - 1.57));
    const { best, bestValue, grid, values } = goldenSection(cost, coarse(cost));
    expect(Math.abs(best - 1.57)).toBeLessThan(0.003);
    expect(bestValue).toBe(40);
    expect(grid.length).toBe(17);
    expect(values).toEqual(grid.map(cost));
    expect([...grid]).toEqual([...grid].sort((a, b) => a - b));
  });

  it("keeps within the evaluations, and looks between the neighbours of all best points", () => {
    let calls = 0;
    const flat = (w: number) => {
      calls += 1;
      expect(w).toBeGreaterThan(1);
      expect(w).toBeLessThan(1.96);
      return w > 1.2 && w < 1.75 ? 7 : 9;
    };
    const start = { grid: [1, 1.24, 1.48, 1.72, 1.96], values: [9, 7, 7, 7, 9] };
    const { best } = goldenSection(flat, start, 5);
    expect(calls).toBe(5);
    expect(best).toBeGreaterThan(1.4);
    expect(best).toBeLessThan(1.55);
    expect(goldenSection(flat, start, 0).best).toBeCloseTo(1.48, 12);
  });
});

describe("hindsight", () => {
  it("gives the best fixed setting and the sum of the least costs", () => {
    const { totals, best, bestTotal, instanceTotal } = hindsight([
      [5, 3, 9],
      [1, 3, 9],
      [8, 3, 1],
    ]);
    expect([...totals]).toEqual([14, 9, 19]);
    expect([best, bestTotal, instanceTotal]).toEqual([1, 9, 5]);
    expect(() => hindsight([])).toThrow(/one row per round/);
    expect(() => hindsight([[1, 2], [1]])).toThrow(/one row per round/);
  });
});
