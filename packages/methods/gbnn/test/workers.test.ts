import { join } from "node:path";
import { type Cluster, cluster } from "@offprint/cluster";
import { random } from "@offprint/tensor-core";
import { failureOf, installJobs } from "@offprint/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FoldWorkers, type GridRecord, gridSearch, nestedGridSearch } from "../src/index.js";

let threads: Cluster;
let workers: FoldWorkers;
beforeAll(async () => {
  const { entry, manifest } = await installJobs(join(import.meta.dirname, "..", "src", "jobs.ts"), ["scoreFold"]);
  threads = await cluster({ kind: "threads", workers: 2, entry, manifest });
  workers = {
    put: (value) => threads.put(value),
    // Installed for this test under another name.
    map: (job, list, options) => threads.map(job.replace("@offprint/gbnn", "jobs"), list, options),
  };
});
afterAll(() => threads.close());

const x = random.rng(0).normal([24, 3], { dtype: "float64" });
const values = x.data();
const numbers = Float64Array.from({ length: 24 }, (_, i) => Math.sin(values[3 * i]) + values[3 * i + 1]);
const words = Array.from(numbers, (v) => (v > 0 ? "above" : "below"));
const settings = {
  grid: { unitsPerStep: [1, 2], subsample: [0.5, 1], learningRate: [0.3] },
  folds: 3,
  base: { totalUnits: 4, maxIterations: 10 },
  seed: 2,
} as const;

describe("a grid search on workers", () => {
  it("gives the numbers of one without, in the same order, classes or numbers", async () => {
    for (const [task, y] of [
      ["regression", numbers],
      ["classification", words],
    ] as const) {
      const here = await gridSearch(x, y, { task, ...settings });
      const there = await gridSearch(x, y, { task, ...settings, workers });
      expect(there).toEqual(here);
      expect(there.history).toHaveLength(12);
    }
    const nested = { task: "regression", ...settings, outerFolds: 2, folds: 2 } as const;
    expect(await nestedGridSearch(x, numbers, { ...nested, workers })).toEqual(
      await nestedGridSearch(x, numbers, nested),
    );
  });

  it("is stopped, aborted and gone on with, here or there", async () => {
    const whole = await gridSearch(x, numbers, { task: "regression", ...settings });
    const some = await gridSearch(x, numbers, {
      task: "regression",
      ...settings,
      workers,
      onProgress: ({ iteration }: GridRecord) => (iteration === 5 ? "stop" : undefined),
    });
    expect([some.status, some.iterations, some.table.length]).toEqual(["stopped", 5, 1]);
    const controller = new AbortController();
    const more = await gridSearch(x, numbers, {
      task: "regression",
      ...settings,
      workers: {
        put: workers.put,
        map: (job, list, options) => {
          controller.abort();
          return workers.map(job, list, options);
        },
      },
      resume: some.state,
      signal: controller.signal,
    });
    expect([more.status, more.iterations, more.history.length]).toEqual(["aborted", 5, 5]);
    for (const where of [{ workers }, {}]) {
      const rest = await gridSearch(x, numbers, { task: "regression", ...settings, ...where, resume: more.state });
      expect(rest).toEqual(whole);
    }
  });

  it("hands on what fails there, and refuses what cannot go there", async () => {
    const fails = { ...settings, base: { totalUnits: 4, maxIterations: -1 } };
    const failure = await failureOf(() => gridSearch(x, numbers, { task: "regression", ...fails, workers }));
    expect([failure.name, failure.message]).toEqual(["JobError", expect.stringMatching(/maxIterations/)]);
    const loss = { outputs: 1 } as never;
    await expect(gridSearch(x, numbers, { task: "regression", ...settings, base: { loss }, workers })).rejects.toThrow(
      /base.loss is a function/,
    );
    await expect(gridSearch(x, numbers, { task: "regression", workers: {} as never })).rejects.toThrow(
      /workers are not a cluster/,
    );
  });
});
