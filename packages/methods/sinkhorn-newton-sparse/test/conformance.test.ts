import { runConformance } from "@offprint/solvers/conformance";
import { describe, expect, it } from "vitest";
import { compiledSinkhorn, exactTransport, sinkhorn, sinkhornNewtonSparse } from "../src/index.js";
import { assignmentProblem, randomProblem } from "./problems.js";

const tools = { describe, it, expect };
const problem = randomProblem(4, 12, 9);
const broken = { cost: [[0, Number.NaN]] };
/** At which no plan is ever good enough. */
const endless = { tolerance: 0, maxIterations: 1e9 };

runConformance(
  "sinkhornNewtonSparse",
  {
    run: (options) => sinkhornNewtonSparse(problem, { eta: 300, ...options }),
    limit: "maxIterations",
    short: 22,
    endless: { ...endless, sinkhornIterations: 1e9 },
    seeded: false,
    invalid: [{ eta: 0 }, { sinkhornIterations: -1 }, { keepPerRow: 0 }, { tolerance: -1 }, { gauge: "none" }],
    nonFinite: [() => sinkhornNewtonSparse(broken, { eta: 10 })],
  },
  tools,
);

runConformance(
  "sinkhornNewtonSparse on its way from easier levels",
  {
    run: (options) => sinkhornNewtonSparse(assignmentProblem(1, 8), { eta: 2000, anneal: true, ...options }),
    limit: "maxIterations",
    short: 26,
    endless: { ...endless, newtonIterations: 1e9, strict: false },
    seeded: false,
    invalid: [{ anneal: "always" }],
    nonFinite: [() => sinkhornNewtonSparse(broken, { eta: 10 })],
  },
  tools,
);

for (const domain of ["log", "kernel", "stabilised"] as const) {
  runConformance(
    `sinkhorn, ${domain}`,
    {
      run: (options) => sinkhorn(problem, { eta: 60, domain, tolerance: 0, ...options }),
      limit: "maxIterations",
      short: 6,
      endless,
      seeded: false,
      invalid: [{ eta: -1 }, { omega: 2 }, { domain: "exp" }, { tolerance: Number.NaN }],
      nonFinite: [() => sinkhorn(broken, { eta: 10, domain })],
    },
    tools,
  );
}

runConformance(
  "compiledSinkhorn",
  {
    run: (options) => compiledSinkhorn(problem, { eta: 60, tolerance: 0, stepsPerRun: 2, ...options }),
    limit: "maxIterations",
    short: 10,
    endless,
    seeded: false,
    invalid: [{ stepsPerRun: 0 }, { dtype: "int32" }],
    nonFinite: [() => compiledSinkhorn(broken, { eta: 10 })],
  },
  tools,
);

runConformance(
  "exactTransport",
  {
    // Exact solutions come soon: what is to be aborted is a larger problem.
    run: ({ large, ...options }) =>
      exactTransport(assignmentProblem(3, large ? 1200 : 40), { pivotsPerRecord: 1, ...options }),
    limit: "maxIterations",
    short: 12,
    endless: { large: true, maxIterations: 1e9 },
    seeded: false,
    invalid: [{ pivotsPerRecord: 0 }],
    nonFinite: [() => exactTransport(broken)],
  },
  tools,
);
