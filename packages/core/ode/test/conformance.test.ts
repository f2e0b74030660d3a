import { runConformance } from "@offprint/solvers/conformance";
import { tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { solve, solveSde } from "../src/index.js";
import { lorenz } from "./problems.js";

runConformance(
  "solve",
  {
    run: (options) => solve(lorenz.plain, lorenz.y0, [0, 50], { recordEvery: 10, ...options }),
    limit: "maxSteps",
    short: 45,
    endless: { maxSteps: 1e9, relativeTolerance: 1e-13, absoluteTolerance: 1e-13, stepSize: 1e-7 },
    seeded: false,
    invalid: [
      { relativeTolerance: 0 },
      { stopAt: [77] },
      { initialStep: -1 },
      { recordEvery: 0 },
      { dense: 1 },
      { method: "none" },
    ],
    nonFinite: [() => solve(lorenz.plain, [1, Number.NaN, 0], [0, 1]), () => solve((_t, y) => y, [1], [0, Infinity])],
  },
  { describe, expect, it },
);

runConformance(
  "solveSde",
  {
    run: (options) =>
      solveSde(
        (_t, [u]) => [1.5 * u],
        (_t, [u]) => [u],
        [1],
        [0, 1],
        { relativeTolerance: 1e-3, ...options },
      ),
    limit: "maxSteps",
    short: 6,
    endless: { maxSteps: 1e9, stepSize: 1e-7 },
    seeded: true,
    invalid: [{ relativeTolerance: 0 }, { method: "none" }, { saveAt: [3] }, { initialStep: 0 }],
    nonFinite: [
      () =>
        solveSde(
          (_t, y) => y,
          (_t, y) => y,
          tensor([Number.NaN]).data() as never,
          [0, 1],
        ),
    ],
  },
  { describe, expect, it },
);
