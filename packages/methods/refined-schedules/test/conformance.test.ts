import { runConformance } from "@offprint/solvers/conformance";
import { describe, expect, it } from "vitest";
import { optimizeSchedule } from "../src/index.js";
import { randomNorms } from "./random-norms.js";

runConformance(
  "optimizeSchedule",
  {
    run: ({ long, ...options }) => optimizeSchedule(randomNorms(long ? 20_000 : 60), 1, { tolerance: 0, ...options }),
    limit: "maxIterations",
    short: 8,
    endless: { long: true, maxIterations: 1e9 },
    seeded: false,
    invalid: [{ tolerance: -1 }, { tolerance: Number.NaN }],
    nonFinite: [() => optimizeSchedule([1, Number.NaN], 1), () => optimizeSchedule([1, 2], Number.POSITIVE_INFINITY)],
  },
  { describe, it, expect },
);
