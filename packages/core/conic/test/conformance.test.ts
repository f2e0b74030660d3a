import { runConformance, type SubjectOptions } from "@offprint/solvers/conformance";
import { describe, expect, it } from "vitest";
import { type ConicOptions, type ConicProblem, solveConic } from "../src/index.js";
import { lowRankQuadratic, slowLinear, tridiagonal } from "./problem-set.js";

const { problem } = tridiagonal(12);

/** A linear programme on which the splitting turns in circles. */
const endless = slowLinear().problem;

const subject = (own: ConicOptions, short: number) => ({
  run: ({ endless: slow, ...options }: SubjectOptions) =>
    solveConic((slow ? endless : problem) as ConicProblem, { ...own, ...(options as ConicOptions) }),
  limit: "maxIterations" as const,
  short,
  endless: { endless: true, method: "splitting", tolerance: 1e-14, maxIterations: 1e9 },
  seeded: false,
  invalid: [
    { method: "simplex" },
    { tolerance: 0 },
    { tolerance: Number.NaN },
    { relaxation: 2 },
    { scale: -1 },
    { anderson: 1 },
    { initial: { x: [1], y: [1], s: [1] } },
  ],
  nonFinite: [
    () => solveConic({ ...problem, c: [Number.NaN] }),
    () => solveConic({ ...problem, b: (problem.b as number[]).map(() => Infinity) }),
    () => solveConic({ ...lowRankQuadratic(8, 2).problem, P: [[Number.NaN]] }),
  ],
});

runConformance("the interior-point method", subject({ method: "interior-point", tolerance: 1e-12 }, 5), {
  describe,
  it,
  expect,
});
runConformance("the splitting", subject({ method: "splitting", tolerance: 1e-12, anderson: false }, 100), {
  describe,
  it,
  expect,
});
