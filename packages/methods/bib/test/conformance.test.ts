import { runConformance } from "@offprint/solvers/conformance";
import { random, type Tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  cbasSequences,
  comsSequences,
  descendBalanced,
  designFigures,
  designSequences,
  designWith,
  evolveSequences,
  fitTable,
  reinforceSequences,
  trainSequenceModel,
} from "../src/index.js";
import { bent, scores, sequences, table } from "./problem.js";

const tools = { describe, it, expect };
const fit = fitTable(table, bent, { ridge: 1e-2 });
const broken = { sequences, scores: scores.map((score, i) => (i === 3 ? Number.NaN : score)) };
const unending = { steps: 1e7 };

runConformance(
  "designSequences",
  {
    run: (options) => designSequences(table, bent, { starts: 3, ridge: 1e-2, adaptiveRate: true, ...options }),
    limit: "steps",
    short: 5,
    endless: unending,
    seeded: true,
    invalid: [
      ...[
        { mode: "up" },
        { learningRate: 0 },
        { ridge: -1 },
        { target: Number.NaN },
        { starts: 0 },
        { outer: "second" },
      ],
      ...[
        { select: "best" },
        { heads: "two" },
        { joint: 1 },
        { auxiliary: 3 },
        { designRidge: -1 },
        { adaptiveRate: 2 },
      ],
    ],
    nonFinite: [
      () => designSequences(broken, bent),
      () => designSequences(table, { ...bent, features: (x: Tensor, w: Tensor) => bent.features(x, w).div(0) }),
    ],
  },
  tools,
);

const first = random.rng(3).normal([2, 5, 4], { dtype: "float64" });
runConformance(
  "descendBalanced",
  {
    run: (options) => descendBalanced(first, designFigures(bent), fit.tensors, options),
    limit: "steps",
    short: 5,
    endless: unending,
    seeded: false,
    invalid: [{ balance: 2 }, { balance: "even" }, { learningRate: -1 }],
    nonFinite: [() => descendBalanced(first.div(0), designFigures(bent), fit.tensors, { steps: 2 })],
  },
  tools,
);

const small = { count: 8, batchSize: 16 } as const;
const search = {
  limit: "steps",
  short: 5,
  endless: unending,
  seeded: true,
  invalid: [{ count: 0 }, { batchSize: 1 }],
} as const;
const lost = { ...fit, tensors: { ...fit.tensors, forward: fit.tensors.forward.div(0) } };

runConformance(
  "evolveSequences",
  {
    ...search,
    run: (options) => evolveSequences(fit, { ...small, ...options }),
    invalid: [...search.invalid, { mutations: 0 }, { parents: 0 }],
    nonFinite: [() => evolveSequences(lost, { steps: 2 })],
  },
  tools,
);

runConformance(
  "reinforceSequences",
  {
    ...search,
    run: (options) => reinforceSequences(fit, { ...small, ...options }),
    invalid: [...search.invalid, { learningRate: 0 }],
    nonFinite: [() => reinforceSequences(lost, { steps: 2 })],
  },
  tools,
);

runConformance(
  "cbasSequences",
  {
    ...search,
    run: (options) => cbasSequences(fit, { ...small, ...options }),
    invalid: [...search.invalid, { quantile: 1 }, { noise: 0 }],
    nonFinite: [() => cbasSequences(lost, { steps: 2 })],
  },
  tools,
);

runConformance(
  "comsSequences",
  {
    run: (options) => comsSequences(table, { starts: 4, hidden: 4, batchSize: 8, ascentSteps: 0, ...options }),
    limit: "steps",
    short: 5,
    endless: unending,
    seeded: true,
    invalid: [{ hidden: 0 }, { gap: -1 }, { ascentRate: 0 }, { ascentSteps: 0.5 }, { learningRate: Number.NaN }],
    nonFinite: [
      () => comsSequences(broken, { steps: 2 }),
      () => comsSequences(table, { steps: 9, learningRate: 1e300 }),
    ],
  },
  tools,
);

runConformance(
  "trainSequenceModel",
  {
    run: async (options) => {
      const { model: _, ...rest } = await trainSequenceModel(sequences, {
        ...{ width: 4, heads: 1, layers: 1, batchSize: 4, ...options },
      });
      return rest;
    },
    limit: "steps",
    short: 5,
    endless: unending,
    seeded: true,
    invalid: [{ heads: 3 }, { maskRate: 1 }, { learningRate: 0 }, { batchSize: 0 }, { width: 1.5 }, { pool: "max" }],
    nonFinite: [() => trainSequenceModel(sequences, { steps: 60, width: 4, batchSize: 4, learningRate: 1e30 })],
  },
  tools,
);

it("the designers from a fit are those from its table", async () => {
  const options = { starts: 3, steps: 4 } as const;
  const [one, other] = [
    await designWith(fit, options),
    await designSequences(table, bent, { ...options, ridge: 1e-2 }),
  ];
  expect(one.sequences).toEqual(other.sequences);
  expect([...one.logits.data()]).toEqual([...other.logits.data()]);
});
