import { runConformance } from "@offprint/solvers/conformance";
import { random } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { smallProblem, twoMoons } from "../claims/problems.js";
import { type RobustRunState, samplePatterns, trainBackprop, trainConvex, trainRobust } from "../src/index.js";

const tools = { describe, it, expect };
const { x, y, patterns } = smallProblem(random.rng(21), 9);
const labels = Float64Array.from(y.data(), (value) => (value >= 0 ? 1 : -1));
const common = { beta: 0.05, tolerance: 1e-14 } as const;
const broken = [[1], [Number.NaN]];
const limits = [{ beta: 0 }, { tolerance: 0 }, { loss: "l1" }, { seed: 0.5 }];

for (const loss of ["squared", "hinge"] as const) {
  runConformance(
    `trainConvex by ADMM, loss ${loss}`,
    {
      run: (options) => trainConvex(x, loss === "squared" ? y : labels, { ...common, loss, patterns, ...options }),
      limit: "maxIterations",
      short: 120,
      endless: { maxIterations: 1e9 },
      seeded: false,
      invalid: [...limits, { rho: 0 }, { dualStep: 2 }, { method: "newton" }, { patterns: 0 }],
      nonFinite: [() => trainConvex(broken, [1, -1], { ...common, loss })],
    },
    tools,
  );
}

runConformance(
  "trainConvex by block descent",
  {
    run: (options) => trainConvex(x, labels, { ...common, loss: "bce", patterns, method: "admm-rbcd", ...options }),
    limit: "maxIterations",
    short: 60,
    endless: { maxIterations: 1e9 },
    seeded: true,
    invalid: [{ rbcd: { cap: 0 } }, { rbcd: { decay: 2 } }, { rbcd: { stepSize: -1 } }],
    nonFinite: [() => trainConvex(broken, [1, -1], { ...common, loss: "bce", method: "admm-rbcd" })],
  },
  tools,
);

runConformance(
  "trainConvex with sampled neurons",
  {
    run: (options) =>
      trainConvex(x, y, { ...common, loss: "squared", method: "scp", scp: { samples: 40 }, ...options }),
    limit: "maxIterations",
    short: 60,
    // Forty neurons may come to rest exactly, at once; of four hundred some always move.
    endless: { maxIterations: 1e9, tolerance: 1e-300, scp: { samples: 400 } },
    seeded: true,
    invalid: [{ scp: { samples: 0 } }, { scp: { weights: [[0], [0]] } }],
    nonFinite: [() => trainConvex(broken, [1, -1], { ...common, loss: "squared", method: "scp" })],
  },
  tools,
);

const moons = twoMoons(random.rng(22), 10, 0.12);
const usable = samplePatterns(moons.x, { count: 12, seed: 1 });

runConformance(
  "trainRobust",
  {
    async run(options) {
      const given = { ...common, loss: "hinge", eps: 0.05, patterns: usable, ...options } as const;
      const { state, ...result } = await trainRobust(moons.x, moons.y, given);
      return { ...result, state: state as RobustRunState };
    },
    limit: "maxIterations",
    short: 120,
    endless: { maxIterations: 1e9 },
    seeded: false,
    invalid: [...limits, { rho: -1 }, { relaxation: 2 }, { solver: "simplex" }, { eps: -1 }],
    nonFinite: [() => trainRobust(broken, [1, -1], { ...common, loss: "hinge", eps: 0.1 })],
  },
  tools,
);

runConformance(
  "trainBackprop against an adversary",
  {
    run: (options) =>
      trainBackprop(moons.x, moons.y, {
        ...{ loss: "bce", beta: 0.01, width: 4, steps: 8 },
        adversary: { kind: "pgd", eps: 0.1, steps: 3 },
        ...options,
      }),
    limit: "steps",
    short: 8,
    endless: { steps: 1e9 },
    seeded: true,
    invalid: [
      { width: 0 },
      { learningRate: 0 },
      { beta: -1 },
      { optimizer: "lion" },
      { adversary: { kind: "cw" } },
      { adversary: { eps: 1 } },
    ],
    nonFinite: [
      () => trainBackprop(broken, [1, -1], { loss: "bce", beta: 0.01, width: 4, steps: 8 }),
      () =>
        trainBackprop(moons.x, moons.y, {
          ...{ loss: "squared", beta: 0.01, width: 4, steps: 400 },
          ...{ optimizer: "sgd", learningRate: 1e3 },
        }),
    ],
  },
  tools,
);
