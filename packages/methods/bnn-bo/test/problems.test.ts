import { describe, expect, it } from "vitest";
import {
  ackley,
  branin,
  braninCurrin,
  brusselator,
  dtlz1,
  dtlz3,
  dtlz5,
  dtlz7,
  hartmann6,
  networkDraw,
  oil,
  pestControl,
  polynomial,
} from "../claims/index.js";

const at = (problem: ReturnType<typeof branin>, x: (number | string)[]) => problem.objective(x);

describe("problems", () => {
  it("have the minima that are known", () => {
    expect(at(branin(), [Math.PI, 2.275])[0]).toBeCloseTo(0.397887, 5);
    expect(at(hartmann6(), [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573])[0]).toBeCloseTo(-3.32237, 4);
    expect(at(ackley(4), [0, 0, 0, 0])[0]).toBeCloseTo(0, 12);
    expect(at(braninCurrin(), [0.5427728, 0.1516667])[0]).toBeCloseTo(0.397887, 4);
  });

  it("have the fronts that are known", () => {
    const plane = at(dtlz1(6, 3), [0.3, 0.8, 0.5, 0.5, 0.5, 0.5]);
    expect(plane.reduce((a, b) => a + b, 0)).toBeCloseTo(0.5, 12);
    for (const sphere of [
      at(dtlz3(6, 3), [0.3, 0.8, 0.5, 0.5, 0.5, 0.5]),
      at(dtlz5(6, 3), [0.3, 0.8, 0.5, 0.5, 0.5, 0.5]),
    ]) {
      expect(sphere.reduce((a, b) => a + b * b, 0)).toBeCloseTo(1, 12);
    }
    expect(at(dtlz7(4, 2), [0, 0, 0, 0])).toEqual([0, 4]);
  });

  it("give finite values, the same for the same seed", () => {
    expect(at(oil(), [0.5, 2, 0, 4, 0.1, 3, 1]).every(Number.isFinite)).toBe(true);
    expect(at(networkDraw(3, 5), [0.1, 0.2, 0.3])).toEqual(at(networkDraw(3, 5), [0.1, 0.2, 0.3]));
    const nothing = at(pestControl(), new Array(25).fill(0))[0];
    expect(at(pestControl(), new Array(25).fill(4))[0]).not.toBe(nothing);
    expect(at(polynomial(8), new Array(8).fill(0.5))[0]).not.toBe(0);
    expect(at(brusselator({ grid: 8, time: 0.05 }), [1, 2, 0.1, 0.1])[0]).toBeGreaterThan(0);
  });
});
