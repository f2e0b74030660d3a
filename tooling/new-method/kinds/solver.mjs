// What runs long, on the loop that all long work runs on: it begins as gradient descent.

/** @type {import("./kinds.mjs").Kind} */
export const solver = {
  summary: "runs long: stopped, saved, resumed",
  dependencies: ["solvers"],
  tested: [],
  types: (pascal) => ["Options", "Problem", "Record", "Result", "State"].map((name) => `${pascal}${name}`),
  source: (
    { camel, pascal },
    { title },
  ) => `import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  abs,
  checkOptions,
  grad,
  max,
  mul,
  requireFinite,
  requireFunction,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  sub,
  type Tensor,
} from "@offprint/tensor-core";

/** What is to be solved. */
export interface ${pascal}Problem {
  /** What is minimised: of a float64 tensor like \`initial\`, in tensor operations; a scalar. */
  readonly objective: (x: Tensor) => Tensor;
  /** \`[n]\` float64: where it begins. */
  readonly initial: Tensor;
}

/** What a run goes on from: a tree that survives \`tree.toJson\`. */
export interface ${pascal}State {
  /** \`[n]\` the point. */
  readonly x: Tensor;
  /** \`[n]\` the gradient there. */
  readonly gradient: Tensor;
  /** The objective there. */
  readonly objective: number;
}

/** One iteration: what \`onProgress\` is told. */
export interface ${pascal}Record {
  /** From 1. */
  readonly iteration: number;
  /** The objective after it. */
  readonly objective: number;
}

/** Options of \`${camel}\`. */
export interface ${pascal}Options extends RunOptions<${pascal}Record, RunState<${pascal}State, ${pascal}Record>> {
  /** Iterations at most, an integer >= 1. Default 1000. */
  readonly maxIterations?: number;
  /** Factor of the gradient in a step, > 0. Default 0.1. */
  readonly stepSize?: number;
  /** Converged when no number of the gradient is larger, >= 0. Default 1e-8. */
  readonly tolerance?: number;
}

/** What \`${camel}\` gives. */
export interface ${pascal}Result {
  /** \`[n]\` the last point. */
  readonly x: Tensor;
  /** The objective there. */
  readonly objective: number;
  /** How it ended. */
  readonly status: Status;
  /** Iterations done, those of resumed runs included. */
  readonly iterations: number;
  /** One record for each. */
  readonly history: readonly ${pascal}Record[];
  /** What a further run resumes from. */
  readonly state: RunState<${pascal}State, ${pascal}Record>;
}

const names = ["maxIterations", "stepSize", "tolerance", ...runOptionNames];

/**
 * ${title}.
 *
 * @throws ValueError for an option out of range, or one that there is not; NonFiniteError where the objective is not finite.
 */
export async function ${camel}(problem: ${pascal}Problem, options: ${pascal}Options = {}): Promise<${pascal}Result> {
  requireObject("${camel}", "problem", problem, "{ objective, initial }");
  checkOptions("${camel}", options, names);
  const { objective, initial } = problem;
  const { maxIterations = 1000, stepSize = 0.1, tolerance = 1e-8 } = options;
  requireFunction("${camel}", "problem.objective", objective);
  requireInteger("${camel}", "maxIterations", maxIterations, 1);
  requirePositive("${camel}", "stepSize", stepSize);
  requireNonNegative("${camel}", "tolerance", tolerance);
  const slope = grad(objective);
  const stateAt = (x: Tensor): ${pascal}State => {
    const value = objective(x);
    requireFinite("${camel}", "the objective", value);
    return { x, gradient: slope(x), objective: value.item() };
  };
  const { last, ...run } = await runLoop<${pascal}State, ${pascal}Record>(
    {
      owner: "${camel}",
      limit: maxIterations,
      initial: () => stateAt(initial),
      // A step gives a new state, and leaves the old one as it is.
      step: ({ x, gradient }) => stateAt(sub(x, mul(gradient, stepSize))),
      record: ({ objective: value }, iteration) => ({ iteration, objective: value }),
      finished: ({ gradient }) => (max(abs(gradient)).item() <= tolerance ? "converged" : undefined),
    },
    options,
  );
  return { ...run, x: last.x, objective: last.objective };
}
`,
  usage: ({ camel }, { slug }) => `import { ${camel} } from "@offprint/${slug}";
import { square, sub, sum, tensor } from "@offprint/tensor-core";

const initial = tensor([0, 0], { dtype: "float64" });
const { x, status } = await ${camel}({ objective: (x) => sum(square(sub(x, [1, -2]))), initial });
console.log(status, String(x)); // converged, close to [1, -2]`,
  options: [
    ["maxIterations", "1000", "iterations at most, an integer >= 1"],
    ["stepSize", "0.1", "factor of the gradient in a step, > 0"],
    ["tolerance", "1e-8", "converged when no number of the gradient is larger"],
  ],
  claim: ({ camel }) => ({
    imports: `import { quadratic } from "@offprint/claims/makers";
import { zerosLike } from "@offprint/tensor-core";
import { ${camel} } from "../src/index.js";`,
    method: `typeof ${camel}`,
    body: `    async run({ rng, signal }) {
      const { value, minimizer } = quadratic(rng, [1, 10]);
      const { history, status } = await method({ objective: value, initial: zerosLike(minimizer) }, { signal });
      return {
        measured: history.length,
        holds: status === "converged",
        detail: \`It must converge; it ended with "\${status}" at the objective \${figure(history.at(-1)?.objective ?? 0)}.\`,
        series: [
          {
            kind: "line",
            title: "Objective over the iterations",
            x: { label: "iteration" },
            y: { label: "objective", scale: "log" },
            curves: [{ name: "objective", y: history.map(({ objective }) => objective) }],
          },
        ],
      };
    },`,
  }),
  broken: ({ camel }) => [
    "Its steps are far too short.",
    `(problem, options) => ${camel}(problem, { ...options, stepSize: 1e-6 })`,
  ],
  rejection: ({ camel }) => [
    "rejects an iteration count below one, and says what to give",
    `  const problem = { objective: (x: Tensor) => x.sum(), initial: tensor([1, 2]) };
  await expect(${camel}(problem, { maxIterations: 0 })).rejects.toThrow(/maxIterations is 0; it must be an integer >= 1/);`,
  ],
  rejectionImports: `import { type Tensor, tensor } from "@offprint/tensor-core";`,
  conformance: ({ camel }) =>
    `import { runConformance } from "@offprint/solvers/conformance";
import { square, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { ${camel} } from "../src/index.js";

const float64 = (values: readonly number[]) => tensor(values, { dtype: "float64" });
const problem = { objective: (x: Tensor) => sum(square(x)), initial: float64([1, -2]) };

runConformance(
  "${camel}",
  {
    run: (options) => ${camel}(problem, { stepSize: 0.01, ...options }),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 1e9, stepSize: 1e-9 },
    seeded: false,
    invalid: [{ stepSize: 0 }, { tolerance: -1 }],
    nonFinite: [() => ${camel}({ ...problem, initial: float64([Number.NaN, 1]) })],
  },
  { describe, it, expect },
);
`,
  bench: ({ camel }, { title }) => `import { compare } from "@offprint/bench";
import { minimizeLbfgs } from "@offprint/solvers";
import { square, sub, sum, type Tensor, valueAndGrad, zeros } from "@offprint/tensor-core";
import { ${camel} } from "../src/index.js";

/** How long does a small problem take beside a quasi-Newton method? */
export async function run() {
  const objective = (x: Tensor) => sum(square(sub(x, 1)));
  const initial = zeros([100], "float64");
  await compare({
    name: ${JSON.stringify(title)},
    ours: () => ${camel}({ objective, initial }),
    // Functions, or cases of a Python script: see tooling/bench/README.md.
    peers: { "L-BFGS": () => minimizeLbfgs(valueAndGrad(objective), initial) },
  });
}
`,
  playground: ({ camel }, { slug }) => `import { ${camel} } from "@offprint/${slug}";
import { mul, square, sum, tensor } from "@offprint/tensor-core";

const objective = (x) => sum(mul(square(x), [1, 0.1]));
const initial = tensor([3, 3], { dtype: "float64" });
const { x, status, history } = await ${camel}({ objective, initial }, { maxIterations: 300 });
console.log(\`\${status} at \${x}\`);

display({
  kind: "line",
  title: "Objective over the iterations",
  x: { label: "iteration" },
  y: { label: "objective", scale: "log" },
  curves: [{ name: "${camel}", y: history.map(({ objective }) => objective) }],
});
`,
};
