import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, cluster, joinCluster } from "@offprint/cluster";
import {
  bundleModules,
  errorLike,
  NatsTestServer,
  natsServer,
  needsNatsServer,
  temporaryFolder,
} from "@offprint/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { objectiveOnCluster, optimize, type Variable } from "../src/index.js";
import { cost, costAndHeat } from "./fixtures/trials.js";

const space: Variable[] = [
  { name: "a", kind: "real", lower: -5, upper: 8 },
  { name: "b", kind: "real", lower: 1e-3, upper: 10, scale: "log" },
];
const settings = { initialTrials: 3, maxIterations: 3, batchSize: 2, rawSamples: 4, seed: 3 };
const folder = temporaryFolder("offprint-bnn-bo-trials");
const manifest = join(folder, "package.json");
let entry: URL;
beforeAll(async () => {
  const inside = join(folder, "node_modules", "oven");
  const thread = join(import.meta.dirname, "..", "..", "..", "core", "cluster", "src", "threads", "thread-main.ts");
  const trials = join(import.meta.dirname, "fixtures", "trials.ts");
  const built = await bundleModules({ thread, trials }, inside);
  entry = built.thread;
  const declared = {
    ...{ name: "oven", version: "1.0.0", exports: { "./trials": "./trials.mjs" } },
    offprint: { jobs: { cost: "./trials", costAndHeat: "./trials" } },
  };
  writeFileSync(join(inside, "package.json"), JSON.stringify(declared));
  writeFileSync(manifest, JSON.stringify({ dependencies: { oven: "*" } }));
});

const local = (objective: (settings: readonly number[]) => number | number[]) => (at: (string | number)[]) =>
  objective(at.map(Number));

/** The runs of one cluster are those of this thread, number for number. */
async function expectSameRuns(where: Cluster): Promise<void> {
  const far = await optimize({ space, objective: objectiveOnCluster(where, "oven#cost") }, settings);
  const near = await optimize({ space, objective: local(cost) }, settings);
  expect(far.trials).toEqual(near.trials);
  expect(far.trials.length).toBe(7);
}

describe("trials on threads", () => {
  let threads: Cluster;
  beforeAll(async () => {
    threads = await cluster({ kind: "threads", workers: 2, entry, manifest });
  });
  afterAll(() => threads.close());

  it("give the run of one thread", () => expectSameRuns(threads));

  it("give several objectives", async () => {
    const objective = objectiveOnCluster(threads, "oven#costAndHeat");
    const values = await Promise.all([objective([2, 1]), objective([3, Math.E])]);
    expect(values).toEqual([costAndHeat([2, 1]), costAndHeat([3, Math.E])]);
  });

  it("end the run with the error of a trial", async () => {
    const beyond: Variable[] = [{ kind: "integer", lower: 10, upper: 11 }, space[1]];
    const objective = objectiveOnCluster(threads, "oven#cost", { retries: 1 });
    await expect(optimize({ space: beyond, objective }, settings)).rejects.toThrow(
      errorLike("JobError", /the oven cannot reach 1[01]/),
    );
  });

  it("are told to stop", async () => {
    const { signal } = { signal: AbortSignal.abort() };
    await expect(objectiveOnCluster(threads, "oven#cost", { signal })([1, 1])).rejects.toThrow(
      errorLike("OffprintError", /oven#cost gave no answer/),
    );
  });
});

describe.skipIf(natsServer === undefined)(`trials through NATS ${needsNatsServer}`, () => {
  let server: NatsTestServer;
  beforeAll(async () => {
    server = await NatsTestServer.start();
  });
  afterAll(() => server.remove());

  it("give the run of one thread", async () => {
    const connection = { ...server.connection, manifest, name: "oven" };
    const machines = await cluster({ kind: "nats", ...connection });
    const worker = await joinCluster({ ...connection, workers: 1, entry });
    try {
      await expectSameRuns(machines);
    } finally {
      await worker.close();
      await machines.close();
    }
  });
});
