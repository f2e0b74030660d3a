import { runConformance, type SubjectOptions } from "@offprint/solvers/conformance";
import { mul, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { f2sa, hypergradient, maSoba, saba, soba, solveLower, stocBiO, ttsa } from "../src/index.js";
import { noisyQuadratic, quadraticProblem } from "./problems.js";

const tools = { describe, it, expect };
const { problem } = noisyQuadratic(2);
const { problem: still, star } = quadraticProblem(2);
const steps = { stepSize: 0.01, lowerStepSize: 0.1, maxIterations: 5, refinementSteps: 2 };
const bad = {
  ...problem,
  lower: (x: Tensor, y: Tensor) => mul(still.lower(x, y, null), tensor(Number.NaN, { dtype: "float64" })),
};
const endless = { maxIterations: 1e9, stepSize: 1e-9, lowerStepSize: 1e-9 };

function conforms(
  name: string,
  run: (options: SubjectOptions) => ReturnType<typeof soba>,
  nonFinite: () => unknown,
  invalid: readonly Record<string, unknown>[],
) {
  runConformance(
    name,
    {
      run,
      limit: "maxIterations",
      short: 5,
      endless,
      seeded: true,
      invalid: [{ stepSize: 0 }, { lowerStepSize: -1 }, { refinementSteps: 1.5 }, { evaluate: 3 }, ...invalid],
      nonFinite: [nonFinite],
      comparesStates: true,
    },
    tools,
  );
}

const anyRun = <R>(run: (options: typeof steps) => Promise<R>) =>
  ((options: SubjectOptions) => run({ ...steps, ...options })) as unknown as (
    o: SubjectOptions,
  ) => ReturnType<typeof soba>;

conforms(
  "stocBiO",
  anyRun((o) => stocBiO(problem, o)),
  () => stocBiO(bad, steps),
  [{ terms: 0 }, { lowerSteps: 0 }, { linearStepSize: 0 }],
);
conforms(
  "ttsa",
  anyRun((o) => ttsa(problem, o)),
  () => ttsa(bad, steps),
  [{ terms: 0 }],
);
conforms(
  "soba",
  anyRun((o) => soba(problem, o)),
  () => soba(bad, steps),
  [{ linearStepSize: -1 }],
);
conforms(
  "maSoba",
  anyRun((o) => maSoba(problem, o)),
  () => maSoba(bad, steps),
  [{ momentum: 1 }],
);
conforms(
  "f2sa",
  anyRun((o) => f2sa(problem, o)),
  () => f2sa(bad, steps),
  [{ multiplier: 0 }, { multiplierIncrement: -1 }],
);

const { sample, full } = problem;
if (sample === undefined || full === undefined) throw new Error("the problem has batches");
const part = { count: 3, batch: (i: number) => ({ x: full.upper.x.add(i - 1), y: full.upper.y.add(1 - i) }) };
const sums = { ...problem, parts: { upper: part, lower: part } };
conforms(
  "saba",
  anyRun((o) => saba(sums, o)),
  () => saba({ ...bad, parts: sums.parts }, steps),
  [{ linearStepSize: 0 }],
);

for (const solver of ["conjugateGradients", "neumann", "sgd"] as const) {
  const at = solver === "conjugateGradients" ? quadraticProblem(2, 3, 300, 1e6) : undefined;
  const [subject, x, y] = at
    ? [at.problem, at.problem.initial.x, at.star(at.problem.initial.x)]
    : [still, still.initial.x, star(still.initial.x)];
  const steps = (stepSize: number) => (at ? { tolerance: 0 } : { stepSize });
  runConformance(
    `hypergradient by ${solver}`,
    {
      run: (options) => hypergradient(subject, x, y, { solver, ...steps(1e-3), ...options }),
      limit: "maxIterations",
      short: 5,
      endless: { maxIterations: 1e9, ...steps(1e-12) },
      seeded: false,
      invalid: [{ solver: "magic" }, { stepSize: 0 }, { tolerance: -1 }],
      nonFinite: [
        () => hypergradient(still, tensor([Number.NaN, 0, 0], { dtype: "float64" }), star(still.initial.x), { solver }),
      ],
      comparesStates: solver !== "conjugateGradients",
    },
    tools,
  );
}

runConformance(
  "hypergradient by drawn batches",
  {
    run: (options) =>
      hypergradient(problem, problem.initial.x, problem.initial.y, {
        solver: "sgd",
        sampled: true,
        stepSize: 0.01,
        ...options,
      }),
    limit: "maxIterations",
    short: 5,
    endless: { maxIterations: 1e9, stepSize: 1e-12 },
    seeded: true,
    invalid: [{ solver: 3 }],
    comparesStates: true,
    nonFinite: [() => hypergradient(bad, problem.initial.x, problem.initial.y, { solver: "sgd" })],
  },
  tools,
);

for (const method of ["newton", "gradientDescent", "sgd"] as const) {
  // Large, so that even Newton's method takes its time.
  const { problem: wide } = quadraticProblem(2, 3, 300, 1e3);
  const quartic = { ...wide, lower: (x: Tensor, y: Tensor) => wide.lower(x, y, null).square() };
  const subject = method === "sgd" ? problem : quartic;
  runConformance(
    `solveLower by ${method}`,
    {
      run: (options) =>
        solveLower<unknown, unknown, never>(subject as never, subject.initial.x, {
          method,
          ...(method !== "sgd" && { tolerance: 0 }),
          ...(method !== "newton" && { stepSize: method === "sgd" ? 1e-3 : 1e-12 }),
          ...options,
        }),
      limit: "maxIterations",
      short: 5,
      endless: { maxIterations: 1e9, ...(method !== "newton" && { stepSize: 1e-12 }) },
      seeded: method === "sgd",
      invalid: [{ method: "none" }, { tolerance: -1 }, { stepSize: 0 }],
      comparesStates: true,
      nonFinite: [() => solveLower(bad, problem.initial.x, { method: method === "sgd" ? "sgd" : method })],
    },
    tools,
  );
}
