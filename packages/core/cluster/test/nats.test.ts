import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import {
  type Cluster,
  type ClusterWorker,
  cluster,
  joinCluster,
  type Outcome,
  type WorkerLostError,
} from "@offprint/cluster";
import { encodeFrame } from "@offprint/tensor-core/internal";
import { NatsTestServer, natsServer, needsNatsServer, WorkerProcess } from "@offprint/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type BuiltJobs, buildJobs } from "./built-jobs.js";
import { collected } from "./collected.js";
import { Relay } from "./relay.js";

const job = (name: string) => `@fixture/jobs#${name}`;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe.skipIf(natsServer === undefined)(`jobs through NATS ${needsNatsServer}`, () => {
  let built: BuiltJobs;
  let server: NatsTestServer;
  let master: Cluster;
  const ended: (() => Promise<unknown>)[] = [];
  let names = 0;
  let name = "";

  const connection = () => ({ ...server.connection, manifest: built.manifest, name });
  /** A job counts as lost late, so that a worker that is slow keeps it; tests that lose workers wait less. */
  const openMaster = async (more: object = {}) => {
    const opened = await cluster({ kind: "nats", ackWait: 60_000, ...connection(), ...more });
    ended.push(() => opened.close());
    return opened;
  };
  const join_ = async (more: object = {}): Promise<ClusterWorker> => {
    const worker = await joinCluster({ ...connection(), workers: 2, entry: built.entry, ...more });
    ended.push(() => worker.close());
    return worker;
  };
  const startProcess = async (more: object = {}): Promise<WorkerProcess> => {
    const worker = new WorkerProcess(built.agent, { ...connection(), workers: 2, entry: built.entry.href, ...more });
    ended.push(() => worker.end());
    await worker.joined;
    return worker;
  };

  beforeAll(async () => {
    built = await buildJobs();
    server = await NatsTestServer.start();
  });
  afterEach(async () => {
    await Promise.all(ended.splice(0).map((end) => end()));
  });
  afterAll(() => server.remove());
  const fresh = async (more: object = {}) => {
    name = `test-${++names}`;
    master = await openMaster(more);
  };

  it("give the same as on threads: values, chance, errors, ids", async () => {
    await fresh();
    await join_();
    const threads = await cluster({ kind: "threads", workers: 2, entry: built.entry, manifest: built.manifest });
    ended.push(() => threads.close());
    const both = async (work: (where: Cluster) => Promise<Outcome<unknown>[]>) => {
      const [here, there] = [await work(threads), await work(master)];
      const bare = (outcomes: Outcome<unknown>[]) => outcomes.map(({ worker: _, ...rest }) => rest);
      expect(bare(there)).toEqual(bare(here));
      return there;
    };
    const list = Array.from({ length: 20 }, (_, k) => k);
    const drawn = await both((where) => collected(where.map(job("drawn"), list, { seed: "s" })));
    expect(new Set(drawn.map(({ value }) => String(value))).size).toBe(20);
    const odd = { n: [NaN, -0], floats: new Float64Array([0.1]), big: 5n };
    await both((where) => collected(where.map(job("echo"), [odd])));
    const [failed] = await both((where) => collected(where.map(job("fails"), [{ message: "no" }], { retries: 1 })));
    expect([failed!.error?.message, failed!.attempts]).toEqual(["no", 2]);
    // Equal arguments are one job, and every place in the list gets its outcome.
    const equal = await both((where) => collected(where.map(job("square"), [3, 3, 3])));
    expect(equal.map(({ value }) => value)).toEqual([9, 9, 9]);
  });

  it("carry values above a megabyte, and values that were put", async () => {
    await fresh();
    await join_();
    const large = Float64Array.from({ length: 2e5 }, (_, k) => k);
    const [outcome] = await collected(master.map<unknown, Float64Array>(job("echo"), [large]));
    expect(outcome!.value).toEqual(large);
    const ref = await master.put(large);
    expect(await master.put(large)).toEqual(ref);
    const sums = await collected(
      master.map<unknown, number>(
        job("sumOf"),
        [0, 199_999].map((from) => ({ ref, from })),
      ),
    );
    expect(sums.map(({ value }) => value)).toEqual([(2e5 * (2e5 - 1)) / 2, 199_999]);
  });

  it("wait for workers that join late, and tell what jobs report", async () => {
    await fresh();
    const told: unknown[] = [];
    const outcomes = collected(
      master.map(job("reports"), [2, 1], { onProgress: ({ index, value }) => told.push([index, value]) }),
    );
    await pause(300);
    expect(master.status()).toEqual([]);
    const worker = await join_();
    expect((await outcomes).map(({ value }) => value)).toEqual(["reported", "reported"]);
    expect(told).toContainEqual([0, { k: 1 }]);
    expect(master.status().map(({ id }) => id)).toEqual([`${worker.id}/1`, `${worker.id}/2`]);
    expect(master.status()[0]!.versions[job("square")]).toBe("1.2.3");
  });

  it("go to another worker when theirs is killed, and are counted once", async () => {
    await fresh({ ackWait: 10_000 });
    await startProcess();
    await startProcess();
    const mark = join(built.manifest, "..", `mark-${name}`);
    const list = Array.from({ length: 24 }, (_, x) => ({ x, ms: 20, ...(x === 11 && { killsOnce: mark }) }));
    const found = await collected(master.map<unknown, number>(job("slowSquare"), list));
    expect(found.map(({ index, value, error }) => [index, value ?? error])).toEqual(list.map(({ x }) => [x, x * x]));
    const again = found.filter(({ attempts }) => attempts > 1);
    expect(again.length).toBeGreaterThan(0);
    expect(again.length).toBeLessThanOrEqual(2);
  });

  it("go to another worker when theirs is stopped, which counts as lost after three seconds", async () => {
    await fresh({ ackWait: 3000 });
    const first = await startProcess({ workers: 1 });
    const held = join(built.manifest, "..", `held-${name}`);
    const list = Array.from({ length: 6 }, (_, x) => ({ x, held }));
    const outcomes = collected(master.map<unknown, number>(job("heldOnce"), list));
    await expect.poll(() => existsSync(held)).toBe(true);
    first.child.kill("SIGSTOP");
    await startProcess({ workers: 1 });
    const found = await outcomes;
    expect(found.map(({ value }) => value)).toEqual([0, 1, 4, 9, 16, 25]);
    expect(found.some(({ attempts }) => attempts > 1)).toBe(true);
    await expect.poll(() => master.status().map(({ state }) => state)).toContain("lost");
  });

  it("wait for a worker that fell silent where the others have another version", async () => {
    await fresh();
    await join_({ manifest: built.otherManifest });
    const able = await startProcess({ workers: 1 });
    const id = await able.joined;
    const state = () => master.status().find((worker) => worker.id.startsWith(id))?.state;
    await expect.poll(state).toBe("idle");
    able.child.kill("SIGSTOP");
    await expect.poll(state).toBe("lost");
    const outcomes = collected(master.map<number, number>(job("square"), [7]));
    // Time to refuse it.
    await pause(2500);
    able.child.kill("SIGCONT");
    expect((await outcomes).map(({ value, error }) => value ?? error)).toEqual([49]);
  });

  it("that take their whole worker down are given up after four, with the workers' names; others are done", async () => {
    await fresh({ ackWait: 3000 });
    const workers = await Promise.all([1, 2, 3, 4, 5].map(() => startProcess({ workers: 1 })));
    const ids = await Promise.all(workers.map(({ joined }) => joined));
    const [outcome] = await collected(master.map(job("killsProcess"), [{ wait: false }]));
    const error = outcome!.error as WorkerLostError;
    expect([error.name, error.workers.length]).toEqual(["WorkerLostError", 4]);
    const killed = error.workers.map((worker) => worker.split("/")[0]!);
    expect(new Set(killed).size).toBe(4);
    expect(ids).toEqual(expect.arrayContaining(killed));
    const [next] = await collected(master.map<number, number>(job("square"), [5]));
    expect(next!.value).toBe(25);
  });

  it("that are given up while their program is cut off are given up there, too, when it is back", async () => {
    await fresh({ ackWait: 1000 });
    const relay = await Relay.start(server.port);
    ended.push(() => relay.end());
    const program = await openMaster({ ackWait: 1000, servers: relay.address });
    const workers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => startProcess({ workers: 1 })));
    // Workers ask for jobs of a kind as long as a program does that they hear.
    const stop = new AbortController();
    const held = collected(master.map(job("killsProcess"), [{ wait: true }], { signal: stop.signal })).catch(() => []);
    const listener = await connect({ servers: server.address });
    ended.push(() => listener.close());
    const givenUp = new Promise<void>((resolve) => {
      listener.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>", { callback: () => resolve() });
    });
    await listener.flush();
    const outcomes = collected(program.map(job("killsProcess"), [{ wait: false }]));

    await Promise.race(workers.map(({ child }) => once(child, "exit")));

    relay.cut();
    await givenUp;

    relay.mend();
    const [outcome] = await outcomes;
    stop.abort();
    await held;
    expect([outcome!.error?.name, outcome!.attempts]).toEqual(["WorkerLostError", 4]);
  });

  it("that end their thread leave the worker, and are given up after four", async () => {
    await fresh();
    await join_({ workers: 1 });
    const [outcome, fine] = await Promise.all([
      collected(master.map(job("exits"), [0])),
      collected(master.map(job("square"), [2])),
    ]);
    expect([outcome[0]!.error?.name, outcome[0]!.attempts, fine[0]!.value]).toEqual(["WorkerLostError", 4, 4]);
  });

  it("that block their thread for longer than the patience of the queue run once", async () => {
    await fresh();
    await join_();
    const outcomes = await collected(
      master.map(
        job("spin"),
        [1, 2].map((k) => ({ ms: 2500 + k, heed: false })),
      ),
    );
    expect(outcomes.map(({ value, attempts }) => [value, attempts])).toEqual([
      ["done", 1],
      ["done", 1],
    ]);
  });

  it("survive a restart of the server: no result is lost or counted twice", async () => {
    await fresh({ ackWait: 3000 });
    await startProcess();
    await startProcess();
    const list = Array.from({ length: 40 }, (_, x) => ({ x, ms: 100 }));
    const outcomes = collected(master.map<unknown, number>(job("slowSquare"), list));
    await pause(500);
    await server.down();
    await pause(600);
    await server.up();
    const found = await outcomes;
    expect(found.map(({ index, value, error }) => [index, value ?? error])).toEqual(list.map(({ x }) => [x, x * x]));
  });

  it("of a named run are not run again by a program that is started again", async () => {
    await fresh();
    await join_();
    const file = join(built.manifest, "..", `log-${name}`);
    const list = Array.from({ length: 12 }, (_, x) => ({ file, x, ms: 20 }));
    const early: number[] = [];
    for await (const { value } of master.map<unknown, number>(job("logged"), list, { id: "sweep", inFlight: 2 })) {
      early.push(value!);
      if (early.length === 5) break;
    }
    await master.close();
    const second = await openMaster();
    const outcomes = await collected(second.map<unknown, number>(job("logged"), list, { id: "sweep" }));
    expect(outcomes.map(({ value }) => value)).toEqual(list.map(({ x }) => x));
    const times = (x: number) => {
      const lines = readFileSync(file, "utf8").trim().split("\n");
      return lines.filter((line) => Number(line) === x).length;
    };
    for (const x of early) expect(times(x)).toBe(1);
    const zeros = times(0);
    // A run of another name begins anew.
    const anew = await collected(second.map<unknown, number>(job("logged"), [list[0]!], { id: "other" }));
    expect(anew[0]!.value).toBe(0);
    expect(times(0)).toBe(zeros + 1);
  });

  it("go on whatever else is said where workers and programs speak", async () => {
    await fresh();
    const told: string[] = [];
    const worker = await join_({ onEvent: (line: string) => told.push(line) });
    const team = await master.team<unknown, object, { rounds: number }>(job("counter"), {
      size: 1,
      initial: () => ({ factor: 1 }),
    });
    const stranger = await connect({ servers: server.connection.servers });
    ended.push(() => stranger.close());
    const lines = ["garbage", null, {}, { kind: "round" }, { kind: "begun", agent: "a", program: "b", kinds: 3 }];
    const messages = lines.map((line) => (line === "garbage" ? new Uint8Array(9) : encodeFrame(line)));
    const places = ["status", "programs", "abort", `agent.${worker.id}`, "events.any", "results.any.any", "team.any"];
    for (const place of places) {
      for (const message of messages) stranger.publish(`offprint.v1.${name}.${place}`, message);
    }
    await stranger.flush();
    expect((await collected(master.map(job("square"), [3]))).map(({ value }) => value)).toEqual([9]);
    expect((await team.round(() => ({})).all()).map(({ value }) => value?.rounds)).toEqual([1]);
    expect(told.some((line) => line.includes(`left out a message on offprint.v1.${name}.programs: frame:`))).toBe(true);
    await team.close();
  });

  it("end when the caller aborts", async () => {
    await fresh();
    const worker = await join_();
    const controller = new AbortController();
    const list = [
      { ms: 0, heed: true },
      { ms: 1e6, heed: true },
      { ms: 1e6, heed: false },
    ];
    const found: unknown[] = [];
    for await (const { value } of master.map(job("spin"), list, { signal: controller.signal })) {
      found.push(value);
      controller.abort();
    }
    expect(found).toEqual(["done"]);
    await expect.poll(() => worker.status().map(({ state }) => state)).toEqual(["idle", "idle"]);
  });

  it("are given back by a worker that leaves", async () => {
    await fresh();
    const leaving = await join_();
    const held = join(built.manifest, "..", `held-${name}`);
    const outcomes = collected(master.map<unknown, number>(job("heldOnce"), [{ x: 3, held }]));
    await expect.poll(() => existsSync(held)).toBe(true);
    await join_();
    await leaving.close();
    const [outcome] = await outcomes;
    expect([outcome!.value, outcome!.attempts]).toEqual([9, 2]);
  });

  it("are refused where nobody has them, or has another version, and as code", async () => {
    await fresh();
    await join_({ manifest: built.otherManifest });
    const [outcome] = await collected(master.map(job("square"), [1]));
    expect(outcome!.error?.name).toBe("JobRefusedError");
    expect(outcome!.error?.message).toContain("version 1.2.3, the workers have 1.3.0");
    const code = { module: "data:text/javascript,export const f = () => 1", name: "f" };
    await expect(collected(master.map(code, [1]))).rejects.toThrow("code is not sent");
    await expect(collected(master.map("@fixture/jobs#squares", [1]))).rejects.toThrow(
      'did you mean "@fixture/jobs#square"',
    );
  });
});
