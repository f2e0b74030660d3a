import { readFixture } from "@offprint/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Edge, medianFilter } from "../src/index.js";
import { randomNorms } from "./random-norms.js";

const fixture = readFixture<any>(import.meta.url, "scipy.json");

/** Straight from the definition: the padded sequence is written out, every window is sorted. */
function bruteForce(x: readonly number[], width: number, left: Edge, right: Edge): number[] {
  const half = (width - 1) / 2;
  const padded = [...x];
  const mirrored = (edge: Edge, at: number, step: number) => {
    if (edge === "nearest" || x.length === 1) return () => x[at];
    let [place, direction] = [at, step];
    return () => {
      if (place + direction < 0 || place + direction >= x.length) direction = -direction;
      place += direction;
      return x[place];
    };
  };
  const [before, after] = [mirrored(left, 0, 1), mirrored(right, x.length - 1, -1)];
  for (let i = 0; i < half; i++) padded.unshift(before());
  for (let i = 0; i < half; i++) padded.push(after());
  return x.map((_, t) => padded.slice(t, t + width).sort((a, b) => a - b)[half]);
}

describe("the running median", () => {
  it("is the brute-force one for all widths and edges, also wider than the sequence", () => {
    const edge = fc.constantFrom<Edge>("nearest", "reflect");
    const values = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 20 }), edge, edge, (x, half, left, right) => {
        const width = 2 * half + 1;
        expect([...medianFilter(x, width, { left, right })]).toEqual(bruteForce(x, width, left, right));
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  it("is that of SciPy away from the right edge, and everywhere when both are mirrored", () => {
    for (const { width, left, median } of fixture.filters) {
      const right = left;
      expect([...medianFilter(fixture.sequence, width, { left, right })]).toEqual(median);
    }
  });

  it("of width 1 is the sequence, of one value that value", () => {
    expect([...medianFilter([3, 1, 2], 1)]).toEqual([3, 1, 2]);
    expect([...medianFilter([7], 5)]).toEqual([7]);
  });

  it("removes spikes shorter than half the window", () => {
    const x = new Float64Array(100).fill(1);
    x.fill(1000, 40, 44);
    expect([...medianFilter(x, 9)]).toEqual([...new Float64Array(100).fill(1)]);
    expect(Math.max(...medianFilter(x, 7))).toBe(1000);
  });

  it("keeps to its window at a hundred thousand steps", () => {
    const x = randomNorms(100_000, 4);
    const filtered = medianFilter(x, 10_001);
    for (const t of [5000, 31_234, 94_000]) {
      expect(filtered[t]).toBe(x.slice(t - 5000, t + 5001).sort()[5000]);
    }
  });

  it("rejects even widths, and NaN by its index", () => {
    expect(() => medianFilter([1, 2], 4)).toThrow(/width is 4; it must be an odd integer/);
    expect(() => medianFilter([1, 2], 0)).toThrow(/width is 0/);
    expect(() => medianFilter([1, Number.NaN], 3)).toThrow(/index 1 is NaN/);
  });
});
