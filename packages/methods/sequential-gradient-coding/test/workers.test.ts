import { join } from "node:path";
import { type Cluster, cluster } from "@offprint/cluster";
import { sgd } from "@offprint/optim";
import { tree } from "@offprint/tensor-core";
import {
  expectClose,
  failureOf,
  type InstalledJobs,
  installJobs,
  NatsMachines,
  natsServer,
  needsNatsServer,
  temporaryFolder,
} from "@offprint/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trainAlone } from "../claims/exact-run.js";
import { firstModels, type LogisticParams } from "../claims/logistic-regression.js";
import {
  type ClusterTrainingOptions,
  type ClusterTrainingResult,
  gc,
  mSgc,
  type Patience,
  type Scheme,
  StragglerError,
  srSgc,
  trainOnCluster,
  uncoded,
} from "../src/index.js";
import type { FatalConfig } from "./fixtures/jobs.js";
import { waves } from "./fixtures/waves.js";

const data = waves(96);
const job = (name: string) => `jobs#${name}`;
/** Nobody counts as slow before the round is over: an event. */
const forever: Patience = ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve()));

let installed: InstalledJobs;
let threads: Cluster;
beforeAll(async () => {
  const names = ["fatalRegression", "digitsRegression"];
  installed = await installJobs(join(import.meta.dirname, "fixtures", "jobs.ts"), names);
  const { entry, manifest } = installed;
  threads = await cluster({ kind: "threads", workers: 1, entry, manifest });
});
afterAll(() => threads.close());

/** Trains 8 steps with workers that die at work. */
function fatally(
  where: Cluster,
  scheme: Scheme,
  config: FatalConfig,
  options: Partial<ClusterTrainingOptions<LogisticParams>> = {},
) {
  const models = firstModels(scheme.delay + 1, 6);
  const problem = { job: job("fatalRegression"), models, optimizer: sgd({ learningRate: 1 }), data: 96, config };
  return trainOnCluster(where, scheme, problem, { steps: 8, patience: forever, ...options });
}

const jobsOf = ({ history }: ClusterTrainingResult<LogisticParams>) =>
  history.flatMap(({ updates }) => updates.map(({ job: t }) => t));
const inOrder = (count: number) => Array.from({ length: count }, (_, t) => t);

describe("training on threads", () => {
  it("a worker that is killed comes back, and nothing is lost", async () => {
    const scheme = mSgc({ workers: 3, burst: 1, window: 2, lambda: 1 });
    const exits = [
      [1, 2],
      [0, 5],
    ] as const;
    const run = await fatally(threads, scheme, { exits });
    expectClose(run.models, (await trainAlone(data, 2, 8)).models, 1e-9);
    expect(run.history.map(({ stragglers }) => stragglers).filter(({ length }) => length > 0)).toEqual([[1], [0]]);
    expect(jobsOf(run)).toEqual(inOrder(8));
  });

  it("a worker that never yields is ended with its round, and comes back", async () => {
    const scheme = srSgc({ workers: 3, burst: 1, window: 2, lambda: 1 });
    // The others have answered: an event.
    const patience: Patience = ({ round, answered }) => answered(round === 2 ? 2 : 3);
    const run = await fatally(threads, scheme, { exits: [[1, 2]], how: "hang" }, { patience });
    expectClose(run.models, (await trainAlone(data, scheme.delay + 1, 8)).models, 1e-9);
    expect(run.history[2]?.stragglers).toEqual([1]);
    expect(jobsOf(run)).toEqual(inOrder(8));
  });

  it("where a loss is one too many, the worker that comes back is asked again in the same round", async () => {
    const scheme = uncoded({ workers: 2 });
    const once = await fatally(threads, scheme, { exits: [[1, 3]], marks: temporaryFolder("exits") });
    expectClose(once.models, (await trainAlone(data, 1, 8)).models, 1e-12);
    expect(once.history.length).toBe(8);
    // Where tasks of several jobs are under way, it is told the weights of all again.
    const bursty = mSgc({ workers: 3, burst: 1, window: 3, lambda: 1 });
    const marks = temporaryFolder("exits");
    const exits = [
      [0, 4],
      [1, 4],
    ] as const;
    const several = await fatally(threads, bursty, { exits, marks });
    expectClose(several.models, (await trainAlone(data, bursty.delay + 1, 8)).models, 1e-9);
    expect(jobsOf(several)).toEqual(inOrder(8));
    // Who is lost every time ends the run.
    const { name, message } = await failureOf(() => fatally(threads, scheme, { exits: [[1, 3]] }));
    expect([name, message]).toEqual(["StragglerError", expect.stringMatching(/round 3 .* without worker 1;/)]);
  });

  it("without restart a lost worker straggles for ever: the run goes on while the scheme admits it, then says who and when", async () => {
    const restart = { restart: false };
    const scheme = gc({ workers: 2, stragglers: 1 });
    const coded = await fatally(threads, scheme, { exits: [[1, 3]] }, restart);
    expectClose(coded.models, (await trainAlone(data, 1, 8)).models, 1e-9);
    expect(coded.history.map(({ stragglers }) => stragglers.length)).toEqual([0, 0, 0, 1, 1, 1, 1, 1]);
    const exits = [
      [1, 1],
      [0, 4],
    ] as const;
    const lost = await failureOf(() => fatally(threads, scheme, { exits }, restart));
    expect(lost).toBeInstanceOf(StragglerError);
    expect([(lost as StragglerError).round, (lost as StragglerError).workers]).toEqual([4, [0, 1]]);
    // Bursts end: a worker that never comes back is not one.
    const bursty = mSgc({ workers: 2, burst: 1, window: 2, lambda: 1 });
    const gone = await failureOf(() => fatally(threads, bursty, { exits: [[1, 3]] }, restart));
    expect([gone.name, (gone as StragglerError).round]).toEqual(["StragglerError", 4]);
  });
});

describe.skipIf(natsServer === undefined)(`training on machines ${needsNatsServer}`, () => {
  let processes: NatsMachines;
  let machines: Cluster;
  beforeAll(async () => {
    // Two of them are killed.
    processes = await NatsMachines.start(installed, 3);
    machines = await cluster({ kind: "nats", ...processes.options });
    await processes.known(machines);
  });
  afterAll(async () => {
    await machines?.close();
    await processes?.end();
  });

  it("gives the numbers of threads, bit for bit, whoever is slow", async () => {
    const scheme = mSgc({ workers: 4, burst: 2, window: 3, lambda: 2 });
    const silent = [[], [0], [0], [], [], [1, 2], [1]];
    const trained = await Promise.all(
      [threads, machines].map((each) =>
        trainOnCluster(
          each,
          scheme,
          {
            ...{ job: job("digitsRegression"), models: firstModels(4, 6), optimizer: sgd({ learningRate: 1 }) },
            ...{ data, config: { silent } },
          },
          { steps: 6, patience: ({ round, answered }) => answered(4 - (silent[round]?.length ?? 0)) },
        ),
      ),
    );
    const [here, there] = trained.map(({ models, history }) => tree.toJson({ models, history }));
    expect(there).toBe(here);
    expectClose(trained[0].models, (await trainAlone(data, 4, 6)).models, 1e-9);
    expect(trained[0].history.flatMap(({ stragglers }) => stragglers).length).toBe(5);
  });

  it("a machine that is killed at work takes its workers with it; they come up on another one, and nothing is lost or counted twice", async () => {
    const config = (): FatalConfig => ({ exits: [[0, 3]], how: "process", marks: temporaryFolder("kills") });
    const lost = await fatally(machines, mSgc({ workers: 4, burst: 1, window: 2, lambda: 2 }), config());
    expect(jobsOf(lost)).toEqual(inOrder(8));
    expect(lost.history[3]?.stragglers).toContain(0);
    expectClose(lost.models, (await trainAlone(data, 2, 8)).models, 1e-9);
    // What a scheme cannot do without is asked again in the same round.
    const asked = await fatally(machines, uncoded({ workers: 4 }), config());
    expect(jobsOf(asked)).toEqual(inOrder(8));
    expect(asked.history.length).toBe(8);
    expectClose(asked.models, (await trainAlone(data, 1, 8)).models, 1e-12);
  });

  it("a server that goes down in the middle of a round is waited for", async () => {
    let restarted: Promise<void> | undefined;
    const run = await fatally(
      machines,
      uncoded({ workers: 4 }),
      {},
      {
        onAnswer({ round }) {
          if (round === 3) restarted ??= processes.server.down().then(() => processes.server.up());
        },
      },
    );
    await restarted;
    expect(restarted).toBeDefined();
    expect(jobsOf(run)).toEqual(inOrder(8));
    expectClose(run.models, (await trainAlone(data, 1, 8)).models, 1e-12);
  });
});
