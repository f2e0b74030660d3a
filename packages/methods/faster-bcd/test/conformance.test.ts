import { runConformance } from "@offprint/solvers/conformance";
import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { type BcdProblem, bcd, leastSquares, logistic } from "../src/index.js";
import { normals, scaled } from "./problems.js";

const tools = { describe, it, expect };
const rng = random.rng("conformance");
const { A } = scaled(rng, 30, 24);
const y = normals(rng, 30);
const problems: readonly (readonly [string, BcdProblem])[] = [
  ["a lasso", { smooth: leastSquares(A, y), composite: { kind: "l1", lambda: 1 } }],
  ["logistic regression", { smooth: logistic(A, y.map(Math.sign)) }],
];

for (const [name, problem] of problems) {
  runConformance(
    `bcd on ${name}`,
    {
      run: (options) => bcd(problem, { blockSize: 2, rule: "random", tolerance: 0, ...options }),
      limit: "maxIterations",
      short: 12,
      endless: { maxIterations: 1e9 },
      seeded: true,
      invalid: [
        { blockSize: 0 },
        { blocks: "sorted" },
        { rule: "best" },
        { update: "jump" },
        { tolerance: -1 },
        { norm: 3 },
        { sufficientDecrease: 1 },
        { initial: [1] },
      ],
      nonFinite: [
        () => leastSquares([[Number.NaN]], [1]),
        () => bcd(problem, { initial: new Float64Array(24).fill(Number.NaN) }),
        () => bcd({ smooth: { n: 1, value: () => 0, gradient: () => [Number.NaN] } }),
      ],
    },
    tools,
  );
}
