import { sgd } from "@offprint/optim";
import { runConformance } from "@offprint/solvers/conformance";
import { tensor, tree } from "@offprint/tensor-core";
import { expectClose, failureOf } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { digitsRegression } from "../claims/digits-job.js";
import { exactRun, trainAlone } from "../claims/exact-run.js";
import { inProcessCluster } from "../claims/in-process-cluster.js";
import { type LogisticParams, firstModels as modelsOf } from "../claims/logistic-regression.js";
import {
  begin,
  type ClusterTrainingOptions,
  combine,
  gc,
  ignoreStragglers,
  mSgc,
  noResults,
  type Patience,
  type Scheme,
  srSgc,
  trainOnCluster,
  uncoded,
} from "../src/index.js";
import { waves } from "./fixtures/waves.js";

const here = inProcessCluster(digitsRegression);
const data = waves(96);
const firstModels = (count: number) => modelsOf(count, 6);
const optimizer = sgd({ learningRate: 1 });
/** Nobody counts as slow before the round is over: an event. */
const forever: Patience = ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
const everyone =
  (scheme: Scheme, silent: readonly (readonly number[])[] = []): Patience =>
  ({ round, answered }) =>
    answered(scheme.workers - (silent[round]?.length ?? 0));

const train = (scheme: Scheme, options: ClusterTrainingOptions<LogisticParams>, config: object = {}) =>
  trainOnCluster(
    here,
    scheme,
    { job: "here#digitsRegression", models: firstModels(scheme.delay + 1), optimizer, data, config },
    { patience: everyone(scheme), ...options },
  );

describe("training with stragglers", () => {
  it("gradients are exact and the models those of one process, whoever is slow", async () => {
    const [a, b, c] = [[0], [1], [2]];
    const cases: [Scheme, number[][]][] = [
      [uncoded({ workers: 4 }), []],
      [gc({ workers: 4, stragglers: 2 }), [a, [1, 3], [], b, c, [0, 2]]],
      [gc({ workers: 4, stragglers: 1, code: "fractional" }), [a, b, c, [3]]],
      [gc({ workers: 4, stragglers: 1, code: "mds" }), [a, b, c, [3]]],
      [srSgc({ workers: 4, burst: 1, window: 2, lambda: 2 }), [[0, 1], [], [1, 3], [], [0, 3]]],
      [mSgc({ workers: 4, burst: 2, window: 3, lambda: 2 }), [[], a, a, [], [], [1, 2], b]],
      [mSgc({ workers: 4, burst: 1, window: 2, lambda: 4 }), [[0, 1, 2, 3], [], [1, 2], []]],
      [mSgc({ workers: 4, burst: 2, window: 3, lambda: 1, model: "arbitrary" }), [a, [], a, [], [], [], b]],
    ];
    for (const [scheme, silent] of cases) {
      const run = await exactRun(trainOnCluster, here, "here#job", scheme, { data, silent, steps: 12 });
      expect(run.stragglers).toBe(silent.flat().length);
      expect([scheme.name, run.gradientError < 1e-8]).toEqual([scheme.name, true]);
      expect(run.lossError).toBeLessThan(1e-9);
      expect(run.weightError).toBeLessThan(1e-7);
    }
  });

  it("ignoring stragglers gives other gradients", async () => {
    const scheme = ignoreStragglers({ workers: 4 });
    const silent = [[0], [1], [0], [2]];
    const { gradientError, stragglers } = await exactRun(trainOnCluster, here, "here#job", scheme, {
      data,
      silent,
      steps: 4,
    });
    expect(stragglers).toBe(4);
    expect(gradientError).toBeGreaterThan(0.01);
  });

  it("whom a scheme cannot spare is waited for; the round's record says so", async () => {
    const scheme = gc({ workers: 4, stragglers: 1 });
    // Three have answered late: at an end is patience when one has.
    const { history } = await train(scheme, { steps: 3, patience: ({ answered }) => answered(1) });
    for (const { stragglers, waitedFor, kinds } of history) {
      expect(stragglers.length).toBeLessThanOrEqual(1);
      expect(waitedFor.length + stragglers.length).toBeLessThan(4);
      for (const worker of stragglers) expect(kinds[worker]).toBe(4);
    }
    const patient = await train(scheme, { steps: 3, patience: ({ answered }) => answered(1), waitOut: "all" });
    for (const { stragglers, waitedFor } of patient.history) {
      if (waitedFor.length > 0) expect(stragglers).toEqual([]);
    }
  });

  it("jobs of fewer models than T + 1 are refused, unless they may be stale", async () => {
    const scheme = mSgc({ workers: 4, burst: 2, window: 3, lambda: 2 });
    const problem = { job: "here#job", models: firstModels(3), optimizer, data, config: {} };
    await expect(trainOnCluster(here, scheme, problem, { steps: 3 })).rejects.toThrow(
      /give 4 or more, or set allowStale/,
    );
    const { steps, models } = await trainOnCluster(here, scheme, problem, {
      steps: 12,
      allowStale: true,
      patience: forever,
    });
    expect(steps).toBe(12);
    const alone = await trainAlone(data, 3, 12);
    // Updates come a round later than the next job begins: other weights, and not worse ones by much.
    expect(tree.toJson(models)).not.toBe(tree.toJson(alone.models));
  });

  it("goes on beyond its end with more steps, as new jobs", async () => {
    const scheme = mSgc({ workers: 4, burst: 1, window: 2, lambda: 2 });
    const first = await train(scheme, { steps: 5 });
    const second = await train(scheme, { steps: 11, resume: first.state });
    expect([first.steps, second.steps, second.status]).toEqual([5, 11, "limit"]);
    const alone = await trainAlone(data, 2, 11);
    expectClose(second.models, alone.models, 1e-9);
    expect(second.history.flatMap(({ updates }) => updates.map(({ job }) => job))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });

  it("sums in place of means, float32 models, other data: refused or right", async () => {
    const scheme = gc({ workers: 3, stragglers: 1 });
    const problem = {
      job: "here#job",
      models: firstModels(1),
      optimizer: sgd({ learningRate: 1 / 96 }),
      data,
      config: {},
    };
    const sums = await trainOnCluster(here, scheme, { ...problem, reduction: "sum" }, { steps: 4, patience: forever });
    expectClose(sums.models, (await trainAlone(data, 1, 4)).models, 1e-10);
    const failing = (more: object, options: object = {}) =>
      failureOf(() => trainOnCluster(here, scheme, { ...problem, ...more }, { steps: 2, ...options }));
    expect((await failing({ data: { x: data.x, y: tensor([1]) } })).message).toMatch(/leaves of 96 and 1 samples/);
    expect((await failing({ models: [] })).message).toMatch(/models is empty/);
    expect((await failing({ optimizer: {} })).message).toMatch(/optimizer must be/);
    expect((await failing({ data: 0 })).message).toMatch(/data is 0/);
    expect((await failing({}, { patience: 3 })).message).toMatch(/patience is number/);
    const loading = await failing({ data: 96 });
    // What a worker throws ends the run.
    expect([loading.name, loading.message]).toEqual(["JobError", expect.stringMatching(/load is missing/)]);
    expect(() =>
      combine(scheme, { job: 0, own: new Uint16Array(3), coded: new Uint8Array(3) }, noResults(scheme), 5),
    ).toThrow(/job 0 of GC\(1\) is not finished/);
    expect(begin(3).round).toBe(0);
  });

  runConformance(
    "trainOnCluster",
    {
      run: (options) => {
        const scheme = mSgc({ workers: 3, burst: 1, window: 2, lambda: 1 });
        const silent = [[0], [], [2], [], [1]];
        return train(scheme, { steps: 6, patience: everyone(scheme, silent), ...options }, { silent });
      },
      limit: "steps",
      short: 6,
      endless: { steps: 1e6 },
      seeded: false,
      invalid: [{ mu: -1 }, { waitOut: "some" }, { patience: "no" }, { onAnswer: 1 }],
      nonFinite: [
        () =>
          trainOnCluster(
            here,
            uncoded({ workers: 2 }),
            {
              job: "here#job",
              models: [{ ...firstModels(1)[0], b: tensor(Number.NaN, { dtype: "float64" }) }],
              optimizer,
              data,
            },
            { steps: 1 },
          ),
      ],
    },
    { describe, it, expect },
  );
});
