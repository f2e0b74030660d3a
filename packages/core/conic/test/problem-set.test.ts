import { describe, expect, it } from "vitest";
import { solveConic } from "../src/index.js";
import {
  blockTridiagonal,
  largestEigenvalue,
  lowRankQuadratic,
  nuclearNorm,
  redundantEqualities,
  tridiagonal,
} from "./problem-set.js";

// Extrapolation once took these to w = 0 (the eigenvalues), or along directions that only the Euclidean norm likes.
describe("easy problems end solved, and soon", () => {
  it.each([
    { ...tridiagonal(25), most: 300 },
    { ...largestEigenvalue(21), most: 100 },
    { ...largestEigenvalue(53), most: 100 },
    { ...nuclearNorm(7), most: 100 },
    { ...redundantEqualities(60), most: 100 },
    { ...lowRankQuadratic(60, 10), most: 300 },
    { ...blockTridiagonal(true), most: 200 },
  ])("$group, $name", async ({ problem, value, most }) => {
    const { status, objective, iterations } = await solveConic(problem, { method: "splitting" });
    expect(status).toBe("converged");
    expect(iterations).toBeLessThanOrEqual(most);
    if (value !== undefined) expect(Math.abs(objective - value)).toBeLessThanOrEqual(1e-5 * (1 + Math.abs(value)));
  });
});
