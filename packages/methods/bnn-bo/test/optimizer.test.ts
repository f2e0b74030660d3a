import { runConformance } from "@offprint/solvers/conformance";
import { tree } from "@offprint/tensor-core";
import { errorLike } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import {
  type BoSurrogate,
  bayesianOptimizer,
  compareSurrogates,
  ensemble,
  gp,
  hamiltonianMonteCarlo,
  hamiltonianProgram,
  ibnn,
  optimize,
  type Variable,
} from "../src/index.js";

const tools = { describe, it, expect };
const space: Variable[] = [
  { name: "a", kind: "real", lower: -5, upper: 10 },
  { name: "b", kind: "real", lower: 1e-3, upper: 10, scale: "log" },
];
const objective = ([a, b]: (string | number)[]) => (Number(a) - 1) ** 2 + Math.log(Number(b)) ** 2;

runConformance(
  "optimize",
  {
    run: (options) => optimize({ space, objective }, { initialTrials: 4, rawSamples: 4, ...options } as never),
    limit: "maxIterations",
    short: 5,
    endless: { maxIterations: 1e9 },
    seeded: true,
    invalid: [
      ...[
        { batchSize: 0 },
        { objectives: 0 },
        { maximize: "up" },
        { surrogate: {} },
        { acquisition: "best" },
        { initialTrials: 0 },
      ],
      ...[
        { samples: 0 },
        { rawSamples: 0 },
        { restarts: 0 },
        { searchSteps: -1 },
        { beta: -1 },
        { acquisition: "qEHVI" },
      ],
    ],
    nonFinite: [() => optimize({ space, objective: () => Number.NaN }, { maxIterations: 1 })],
  },
  tools,
);

const normal = hamiltonianProgram<null>((x) => x.square().sum().mul(-0.5));
runConformance(
  "hamiltonianMonteCarlo",
  {
    run: ({ samples, ...options }) =>
      hamiltonianMonteCarlo(normal, [0.5, -1], null, { burnIn: 3, samples: samples as number, ...options } as never),
    limit: "samples",
    short: 4,
    endless: { samples: 1e8 },
    seeded: true,
    invalid: [{ burnIn: -1 }, { path: 0 }, { stepSize: 0 }],
    nonFinite: [() => hamiltonianMonteCarlo(normal, [Number.NaN, 0], null)],
  },
  tools,
);

describe("the optimiser", () => {
  it("finds the least of a smooth function, in batches", async () => {
    const {
      x,
      objective: least,
      trials,
    } = await optimize({ space, objective }, { maxIterations: 7, batchSize: 3, seed: 2 });
    expect(trials.length).toBe(6 + 6 * 3);
    expect(least).toBeLessThan(0.2);
    expect(objective([...x])).toBe(least);
  });

  it("suggests what there is: integers, words, ranges", async () => {
    const mixed: Variable[] = [
      { kind: "integer", lower: -2, upper: 3 },
      { kind: "choice", values: ["red", "green", 7] },
      { kind: "real", lower: 0, upper: 1 },
    ];
    const optimizer = bayesianOptimizer(mixed, { initialTrials: 5, surrogate: ibnn() });
    for (let k = 0; k < 3; k++) {
      for (const settings of await optimizer.suggest(3)) {
        const [n, word, v] = settings;
        expect(Number.isInteger(n) && Number(n) >= -2 && Number(n) <= 3).toBe(true);
        expect(["red", "green", 7]).toContain(word);
        expect(Number(v) >= 0 && Number(v) <= 1).toBe(true);
        optimizer.observe(settings, Number(n) ** 2 + (word === "green" ? 0 : 1) + Number(v));
      }
    }
    expect(optimizer.best?.values[0]).toBeLessThan(4);
  });

  it("suggests the same whatever the units of the objectives, one or several", async () => {
    const suggested = async (units: number[], acquisition: "EI" | "qEI" | "qUCB" | "qPI" | "qEHVI") => {
      const several = acquisition === "qEHVI";
      const optimizer = bayesianOptimizer(space, {
        ...{ initialTrials: 6, acquisition },
        ...(several && { objectives: 2, reference: units.map((unit) => 200 * unit) }),
      });
      for (const settings of await optimizer.suggest(6)) {
        const values = [objective(settings) * units[0], (Number(settings[0]) + 6) * units[1]];
        optimizer.observe(settings, several ? values : values[0]);
      }
      const [[a, b]] = await optimizer.suggest();
      return [Number(a), Number(b)];
    };
    for (const acquisition of ["EI", "qEI", "qUCB", "qPI", "qEHVI"] as const) {
      const plain = await suggested([1, 1], acquisition);
      expect(await suggested([2 ** 60, 2 ** -60], acquisition)).toEqual(plain);
      expect(await suggested([2 ** -40, 2 ** 40], acquisition)).toEqual(plain);
    }
  });

  it("goes on from its state as if nothing had been between", async () => {
    const settings = { initialTrials: 3, seed: 4 };
    const straight = bayesianOptimizer(space, settings);
    let saved = bayesianOptimizer(space, settings);
    for (let k = 0; k < 5; k++) {
      const [there] = await straight.suggest();
      saved = bayesianOptimizer(space, { ...settings, state: tree.fromJson(tree.toJson(saved.state)) });
      const [here] = await saved.suggest();
      expect(here).toEqual(there);
      straight.observe(there, objective(there));
      saved.observe(here, objective(here));
    }
  });

  it("has a front and its hypervolume of several objectives", async () => {
    const optimizer = bayesianOptimizer(space, { objectives: 2, reference: [100, 100], initialTrials: 4 });
    for (let k = 0; k < 3; k++) {
      for (const settings of await optimizer.suggest(2))
        optimizer.observe(settings, [objective(settings), Number(settings[0]) + 6]);
    }
    expect(optimizer.best).toBe(undefined);
    expect(optimizer.front.length).toBeGreaterThan(0);
    expect(optimizer.progress).toBeGreaterThan(0);
  });

  it("refuses trials outside the space and values that are not finite", () => {
    const optimizer = bayesianOptimizer(space);
    expect(() => optimizer.observe([20, 1], 1)).toThrow(
      errorLike("ValueError", /a is 20; it must be a number in \[-5, 10\]/),
    );
    expect(() => optimizer.observe([1], 1)).toThrow(errorLike("ValueError", /1 settings/));
    expect(() => optimizer.observe([1, 1], Number.NaN)).toThrow(errorLike("ValueError", /finite/));
    expect(() => optimizer.observe([1, 1], [1, 2])).toThrow(errorLike("ShapeError", /1 objectives/));
    expect(() => bayesianOptimizer([])).toThrow(errorLike("ValueError", /one variable or more/));
    expect(() => bayesianOptimizer(space, { objectives: 2 })).toThrow(errorLike("ValueError", /reference/));
    expect(() => bayesianOptimizer([{ kind: "real", lower: 1, upper: 1 }])).toThrow(
      errorLike("ValueError", /lower < upper/),
    );
  });

  it("compares surrogates with even points from the same start", async () => {
    const traces = await compareSurrogates({ space, objective }, [gp()], {
      trials: 2,
      maxIterations: 3,
      initialTrials: 4,
    });
    expect(traces.map(({ name }) => name)).toEqual(["sobol", "gp"]);
    expect(traces[0].mean[0]).toBe(traces[1].mean[0]);
    expect(traces[1].standardError.length).toBe(3);
  });

  it("does not suggest even points again where the trials were made by an earlier optimiser", async () => {
    const settings = { initialTrials: 6, seed: 3 };
    const straight = await bayesianOptimizer(space, settings).suggest(5);
    const later = bayesianOptimizer(space, settings);
    for (const each of straight.slice(0, 2)) later.observe(each, objective(each));
    expect(await later.suggest(3)).toEqual(straight.slice(2));
  });

  it("of several objectives chooses more than five trials in parts, which differ", async () => {
    const settings = { objectives: 2, reference: [100, 100], initialTrials: 4, rawSamples: 4 };
    const of = async (q: number) => {
      const optimizer = bayesianOptimizer(space, settings);
      for (const a of [-4, 0, 3, 8]) optimizer.observe([a, 1 + a / 5 + 0.01 * a * a], [objective([a, 1]), a + 6]);
      return optimizer.suggest(q);
    };
    const seven = await of(7);
    expect(seven.slice(0, 5)).toEqual(await of(5));
    expect(new Set(seven.map((each) => each.join())).size).toBe(7);
  });

  it("refuses spaces that are none, by name", () => {
    const cases: [unknown, RegExp][] = [
      [[null], /x1.kind is undefined/],
      [[{ kind: "real", lower: "0", upper: "1" }], /bounds \["0", "1"\]; give finite numbers/],
      [[{ kind: "real", lower: 1, upper: 9, scale: "logarithmic" }], /x1.scale/],
      [[{ kind: "real", lower: 1, upper: 9, step: 2 }], /no option "step"/],
      [[{ kind: "choice", values: ["a", "b", "a"] }], /must be two or more, and different/],
    ];
    for (const [given, message] of cases) {
      expect(() => bayesianOptimizer(given as never)).toThrow(errorLike("ValueError", message));
    }
    expect(() => bayesianOptimizer(space).observe([1, 1], undefined as never)).toThrow(
      errorLike("ShapeError", /there are 0 values/),
    );
  });

  it("says when no trial exceeds the reference", async () => {
    const optimizer = bayesianOptimizer(space, { objectives: 2, reference: [-100, -100], initialTrials: 2 });
    expect(optimizer.warnings).toEqual([]);
    optimizer.observe([1, 1], [0, 0]);
    expect(optimizer.progress).toBe(0);
    expect(optimizer.warnings.join()).toContain("reference -100,-100");
    optimizer.observe([2, 1], [-101, -102]);
    expect(optimizer.warnings).toEqual([]);
  });

  it("takes the closed form for one trial at a time of Gaussian surrogates only", async () => {
    const of = (surrogate: BoSurrogate) => {
      const optimizer = bayesianOptimizer(space, { acquisition: "EI", surrogate, initialTrials: 1 });
      optimizer.observe([1, 1], 0);
      optimizer.observe([2, 1], 1);
      return optimizer;
    };
    expect((await of(gp()).suggest()).length).toBe(1);
    await expect(of(gp()).suggest(2)).rejects.toThrow(errorLike("ValueError", /one trial at a time/));
    const networks = of(ensemble({ members: 1, hidden: [2], trainingSteps: 1 }));
    await expect(networks.suggest()).rejects.toThrow(errorLike("ValueError", /Gaussian surrogates/));
  });
});
