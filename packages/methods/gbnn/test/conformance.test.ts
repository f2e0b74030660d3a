import { runConformance } from "@offprint/solvers/conformance";
import { describe, expect, it } from "vitest";
import { classes, friedman } from "../claims/problems.js";
import { fitClassifier, fitRegressor, gridSearch, nestedGridSearch, trainWhole } from "../src/index.js";

const tools = { describe, it, expect };
const { inputs, targets } = friedman(0, 60);
const wines = classes("wine", 0);
const broken = [[Number.NaN], [1], [2]];
const long = { totalUnits: 1e6, unitsPerStep: 100, maxIterations: 1e6 };

for (const solver of ["lbfgs", "adam"] as const) {
  runConformance(
    `fitRegressor by ${solver}`,
    {
      run: (options) => fitRegressor(inputs, targets, { maxIterations: 6, solver, ...options }),
      limit: "totalUnits",
      short: 5,
      endless: long,
      seeded: true,
      invalid: [{ unitsPerStep: 0 }, { subsample: 0 }, { learningRate: -1 }, { seed: Number.NaN }],
      nonFinite: [() => fitRegressor(broken, [0, 1, 2]), () => fitRegressor([[0], [1]], [0, Infinity])],
    },
    tools,
  );
}

runConformance(
  "fitClassifier",
  {
    run: (options) => fitClassifier(wines.inputs, wines.targets, { maxIterations: 6, ...options }),
    limit: "totalUnits",
    short: 5,
    endless: long,
    seeded: true,
    invalid: [{ alpha: -1 }, { activation: "gelu" }],
    nonFinite: [() => fitClassifier(broken, ["a", "b", "a"])],
  },
  tools,
);

const grid = { unitsPerStep: [1, 2], subsample: [1], learningRate: [0.1] };
const base = { totalUnits: 2, maxIterations: 3 };

runConformance(
  "gridSearch",
  {
    run: (options) => gridSearch(inputs, targets, { task: "regression", grid, folds: 3, base, ...options }),
    limit: "maxIterations",
    short: 5,
    endless: { base: long, maxIterations: 6 },
    seeded: true,
    invalid: [{ folds: 1 }, { task: "ranking" }, { folds: 61 }],
    nonFinite: [() => gridSearch(broken, [0, 1, 2], { task: "regression", folds: 2 })],
  },
  tools,
);

runConformance(
  "nestedGridSearch",
  {
    run: (options) =>
      nestedGridSearch(inputs, targets, {
        task: "regression",
        grid: { ...grid, unitsPerStep: [1] },
        folds: 2,
        outerFolds: 5,
        base,
        ...options,
      }),
    limit: "maxIterations",
    short: 4,
    endless: { base: long, maxIterations: 5 },
    seeded: true,
    invalid: [{ outerFolds: 1 }, { task: "ranking" }],
    nonFinite: [() => nestedGridSearch(broken, [0, 1, 2], { task: "regression", folds: 2 })],
  },
  tools,
);

for (const solver of ["lbfgs", "sgd"] as const) {
  runConformance(
    `trainWhole by ${solver}`,
    {
      run: (options) => trainWhole(inputs, targets, { units: 4, solver, ...options }),
      limit: "maxIterations",
      short: 5,
      endless: { units: 4000, maxIterations: 1e6 },
      seeded: true,
      invalid: [{ units: 0 }, { alpha: -1 }, { loss: "hinge" }],
      nonFinite: [() => trainWhole(broken, [0, 1, 2])],
    },
    tools,
  );
}
