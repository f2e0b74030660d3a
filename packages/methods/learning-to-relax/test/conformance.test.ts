import { runConformance } from "@offprint/solvers/conformance";
import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { RANGE, shiftedSystems } from "../claims/grid.js";
import { ChebCB, FixedSetting, omegaGrid, solveSequence, TsallisInf, tuneSequence } from "../src/index.js";

const tools = { describe, it, expect };
const settings = omegaGrid();
const systems = shiftedSystems(random.rng(0), "high", 12);

function* forever() {
  for (;;) yield* systems;
}

for (const solver of ["sor", "ssor-cg"] as const) {
  runConformance(
    `solveSequence, ${solver}`,
    {
      run: ({ seed, ...options }) => {
        const policy = new ChebCB({ settings, seed: (seed as string) ?? 0, range: RANGE });
        return solveSequence(forever(), policy, { solver, warmStart: solver === "ssor-cg", ...options });
      },
      limit: "rounds",
      short: 9,
      endless: { rounds: 1e9 },
      seeded: true,
      invalid: [{ solver: "lu" }, { maxIterations: 0 }, { tolerance: -1 }, { order: "random" }],
      nonFinite: [
        () => solveSequence([{ A: systems[0].A, b: new Float64Array(100).fill(Number.NaN) }], new FixedSetting(1)),
        () => solveSequence([{ ...systems[0], context: Number.NaN }], new FixedSetting(1)),
      ],
      outcome: ({ losses, history, rounds, policy }) => ({ losses, history, rounds, policy: JSON.stringify(policy) }),
    },
    tools,
  );
}

runConformance(
  "tuneSequence",
  {
    run: ({ seed, ...options }) => {
      const policy = new TsallisInf({ settings: [1, 2, 3], seed: (seed as string) ?? 0, minLoss: 0 });
      return tuneSequence(
        (done) => count(done),
        (problem, setting) => 1 + ((problem * setting) % 5),
        policy,
        options,
      );
    },
    limit: "rounds",
    short: 8,
    endless: { rounds: 1e9 },
    seeded: true,
    invalid: [],
    nonFinite: [() => tuneSequence([1], () => Number.NaN, new FixedSetting(1))],
    outcome: ({ losses, history, rounds, policy }) => ({ losses, history, rounds, policy: JSON.stringify(policy) }),
  },
  tools,
);

function* count(from: number) {
  for (let k = from; ; k++) yield k;
}
