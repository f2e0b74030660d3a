import { runConformance } from "@offprint/solvers/conformance";
import { log, neg, sum } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { adaSketchNewton, augmentedLagrangian, l1Sqp, sketchSolve } from "../src/index.js";
import { asCallbacks, hs, saddle } from "./problems.js";

const tools = { describe, it, expect };
const { problem, start } = hs(39);
const outside = { objective: (x: Parameters<typeof log>[0]) => sum(log(x)) };
/** Newton steps of a fixed length, for ever. */
const falling = { objective: (x: Parameters<typeof neg>[0]) => neg(sum(x)) };

runConformance(
  "adaSketchNewton",
  {
    run: (options) => adaSketchNewton(problem, start, { maxInnerSteps: 2e4, tolerance: 1e-10, ...options }),
    limit: "maxIterations",
    short: 5,
    // No direction is ever accurate enough.
    endless: { psi: 1e30, maxInnerSteps: 1e12, maxIterations: 1e9 },
    seeded: true,
    invalid: [
      { beta: 1 },
      { nu: 0.5 },
      { theta: "slow" },
      { psi: -1 },
      { sketch: { kind: "none" } },
      { tolerance: -1 },
    ],
    nonFinite: [() => adaSketchNewton(outside, [-1]), () => adaSketchNewton(problem, [1, 1, 1, Number.NaN])],
  },
  tools,
);

runConformance(
  "adaSketchNewton with callbacks and products",
  {
    run: (options) =>
      adaSketchNewton(asCallbacks(problem), start, {
        ...{ derivatives: "products", maxInnerSteps: 5, tolerance: 1e-12 },
        ...options,
      }),
    limit: "maxIterations",
    short: 4,
    endless: { psi: 1e30, maxInnerSteps: 1e12, maxIterations: 1e9 },
    seeded: true,
    invalid: [{ derivatives: "none" }, { shift: -1 }],
    nonFinite: [() => adaSketchNewton(asCallbacks(problem), [1, 1, 1, Number.NaN])],
  },
  tools,
);

for (const termination of ["twoTests", "adaptive"] as const) {
  runConformance(
    `l1Sqp, ${termination}`,
    {
      run: ({ forever, ...options }) =>
        forever ? l1Sqp(falling, [0], options) : l1Sqp(problem, start, { termination, tolerance: 1e-12, ...options }),
      limit: "maxIterations",
      short: 6,
      endless: { forever: true, maxIterations: 1e9 },
      seeded: false,
      invalid: [{ termination: "never" }, { tolerance: Number.NaN }],
      nonFinite: [() => l1Sqp(outside, [-1])],
    },
    tools,
  );
}

runConformance(
  "augmentedLagrangian",
  {
    run: ({ forever, ...options }) =>
      forever ? augmentedLagrangian(falling, [0], options) : augmentedLagrangian(problem, start, options),
    limit: "maxIterations",
    short: 8,
    endless: { forever: true, maxIterations: 1e9 },
    seeded: false,
    invalid: [{ tolerance: -1 }],
    nonFinite: [() => augmentedLagrangian(outside, [-1])],
  },
  tools,
);

const { K, b } = saddle(1);
for (const sketch of [{ kind: "kaczmarz" }, { kind: "block", size: 2 }] as const) {
  runConformance(
    `sketchSolve, ${sketch.kind}`,
    {
      run: (options) => sketchSolve(K, b, { sketch, tolerance: 0, ...options }),
      limit: "maxIterations",
      short: sketch.kind === "block" ? 2000 : 40_000,
      endless: { maxIterations: 1e15 },
      seeded: true,
      invalid: [{ tolerance: -1 }, { initial: [1] }, { sketch: { kind: "block", size: 0 } }],
      nonFinite: [() => sketchSolve(K, b.mul(Number.NaN))],
    },
    tools,
  );
}
