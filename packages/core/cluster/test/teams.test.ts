import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { type Answer, type Cluster, cluster, joinCluster, type Team } from "@offprint/cluster";
import { decodeFrame } from "@offprint/tensor-core/internal";
import { NatsTestServer, natsServer, needsNatsServer, WorkerProcess } from "@offprint/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { StatusMessage } from "../src/nats/messages.js";
import { namesOf } from "../src/nats/names.js";
import { type BuiltJobs, buildJobs } from "./built-jobs.js";

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const job = (name: string) => `@fixture/jobs#${name}`;

interface Asked {
  readonly wait?: number;
  readonly fail?: boolean;
  readonly exit?: boolean;
  readonly spin?: number;
}
interface Told {
  readonly rounds: number;
  readonly value: number;
  readonly chance: number;
}

/** What every kind of cluster must do. */
function declareTeams(open: () => Promise<Cluster>): void {
  let where: Cluster;
  let team: Team<Asked, Told> | undefined;
  beforeAll(async () => {
    where = await open();
  });
  afterEach(() => team?.close());
  afterAll(() => where.close());
  const counters = async (size: number, more: object = {}) => {
    team = await where.team<{ factor: number }, Asked, Told>(job("counter"), {
      size,
      initial: (member) => ({ factor: member + 1 }),
      ...more,
    });
    return team;
  };
  const values = (answers: Answer<Told>[]) => answers.map(({ value }) => value?.value);

  it("members keep their state and see what is broadcast", async () => {
    const opened = await counters(3);
    expect(values(await opened.round(() => ({})).all())).toEqual([1, 2, 3]);
    await opened.broadcast(new Float64Array([10]));
    const second = await opened.round((member) => ({ wait: 30 - 10 * member })).all();
    expect(values(second)).toEqual([10, 20, 30]);
    expect(second.map(({ value }) => value!.rounds)).toEqual([2, 2, 2]);
    // Above a megabyte it goes another way, to the same end.
    await opened.broadcast(Float64Array.from({ length: 2e5 }, () => 7));
    expect(values(await opened.round(() => ({})).all())).toEqual([7, 14, 21]);
  });

  it("chance depends on the seed, the member and the round", async () => {
    const chances = async (seed: number) => {
      const opened = await counters(2, { seed });
      const rounds = [await opened.round(() => ({})).all(), await opened.round(() => ({})).all()];
      await opened.close();
      return rounds.flat().map(({ value }) => value!.chance);
    };
    const first = await chances(1);
    expect(new Set(first).size).toBe(4);
    expect(await chances(1)).toEqual(first);
    expect(await chances(2)).not.toEqual(first);
  });

  it("a partial sum over shards is that of one process, bit for bit", async () => {
    const numbers = Float64Array.from({ length: 1000 }, (_, k) => Math.sin(k));
    const shards = await where.team<Float64Array, { power: number }, number>(job("shard"), {
      size: 4,
      initial: (member) => numbers.slice(250 * member, 250 * (member + 1)),
    });
    const answers = await shards.round(() => ({ power: 3 })).all();
    const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
    const direct = [0, 1, 2, 3].map((k) => sum([...numbers.slice(250 * k, 250 * (k + 1))].map((x) => x ** 3)));
    expect(sum(answers.map(({ value }) => value!))).toBe(sum(direct));
    await shards.close();
  });

  it("a round that is closed stops those who have not answered; they go on with their state", async () => {
    const opened = await counters(3);
    const round = opened.round((member) => ({ wait: member === 1 ? 1e9 : 0 }));
    const heard: number[] = [];
    for await (const { member } of round) {
      heard.push(member);
      if (heard.length === 2) round.close();
    }
    expect(heard.sort()).toEqual([0, 2]);
    const next = await opened.round(() => ({})).all();
    expect(next.map(({ value }) => value?.rounds)).toEqual([2, 2, 2]);
  });

  it("one that never yields is ended with its round, and made anew", async () => {
    const opened = await counters(2);
    const round = opened.round((member) => ({ spin: member === 0 ? 1e9 : 0 }));
    for await (const { member } of round) if (member === 1) round.close();
    const next = await opened.round(() => ({})).all();
    expect(next.map(({ value }) => value?.rounds)).toEqual([1, 2]);
  });

  it("an error is an answer; a member that ends is one too, and is made anew", async () => {
    const opened = await counters(3);
    await opened.broadcast(new Float64Array([2]));
    const answers = await opened.round((member) => (member === 0 ? { fail: true } : { exit: member === 1 })).all();
    expect(answers.map(({ error }) => error?.name)).toEqual(["JobError", "WorkerLostError", undefined]);
    const next = await opened.round(() => ({})).all();
    expect(next.map(({ value }) => value?.rounds)).toEqual([2, 1, 2]);
    // What is shared reaches the new one, too.
    expect(values(next)).toEqual([2, 4, 6]);
  });

  it("without restart a member that ends stays away", async () => {
    const opened = await counters(2, { restart: false });
    await opened.round((member) => ({ exit: member === 1 })).all();
    const next = await opened.round(() => ({})).all();
    expect(next.map(({ value, error }) => value?.rounds ?? error?.name)).toEqual([2, "WorkerLostError"]);
  });

  it("members can be left out of a round", async () => {
    const opened = await counters(3);
    const answers = await opened.round((member) => (member === 1 ? undefined : {})).all();
    expect(answers.map(({ member }) => member)).toEqual([0, 2]);
  });

  it("a round whose signal fires is over, without an error", async () => {
    const opened = await counters(2);
    const answers = await opened.round(() => ({ wait: 1e9 }), { signal: AbortSignal.timeout(50) }).all();
    expect(answers).toEqual([]);
  });

  it("a round can be listened to by many, and again when it is over", async () => {
    const opened = await counters(2);
    const round = opened.round(() => ({ wait: 10 }));
    const [first, second] = await Promise.all([round.all(), round.all()]);
    expect(values(first)).toEqual([1, 2]);
    expect([second, await round.all()]).toEqual([first, first]);
  });

  it("a signal for many rounds keeps nothing of those that are over", async () => {
    const opened = await counters(1);
    const { signal } = new AbortController();
    const listeners = new Set<unknown>();
    const [add, remove] = [signal.addEventListener, signal.removeEventListener];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners.add(args[1]);
      add.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners.delete(args[1]);
      remove.apply(signal, args);
    };
    for (let k = 0; k < 3; k++) await opened.round(() => ({}), { signal }).all();
    opened.round(() => ({}), { signal }).close();
    expect(listeners.size).toBe(0);
  });

  it("what is no round or no team is refused", async () => {
    const opened = await counters(1);
    expect(() => opened.round(3 as never)).toThrow("team.round: args is 3; give a function");
    expect(() => opened.round(() => ({}), { signal: 3 } as never)).toThrow("signal is no AbortSignal");
    await expect(where.team(job("counter"), undefined as never)).rejects.toThrow("give { size, initial }");
    await expect(counters(1, { restart: "no" })).rejects.toThrow('restart is "no"; give true or false');
  });

  it("a team that cannot be made says why", async () => {
    const make = (name: string, options: object = {}) =>
      where.team(job(name), { size: 1, initial: () => 0, ...options }).then(
        () => "made",
        (error: Error) => `${error.name}: ${error.message}`,
      );
    expect(await make("brokenMember")).toContain("no data here");
    expect(await make("noMember")).toContain("must return the function of its rounds");
    expect(await make("absent")).toContain("JobRefusedError");
    expect(await make("counter", { size: 0 })).toContain("size is 0");
    expect(await make("counter", { sizes: 1 })).toContain('no option "sizes"');
  });
}

describe("teams on threads", () => {
  let built: BuiltJobs;
  beforeAll(async () => {
    built = await buildJobs();
  });
  declareTeams(() => cluster({ kind: "threads", workers: 1, entry: built.entry, manifest: built.manifest }));
});

describe.skipIf(natsServer === undefined)(`teams through NATS ${needsNatsServer}`, () => {
  let built: BuiltJobs;
  let server: NatsTestServer;
  const ended: (() => Promise<unknown>)[] = [];
  const options = (name: string) => ({ ...server.connection, manifest: built.manifest, name });
  /** Members are spread over the machines that have been heard of, so those that a test counts on are waited for. */
  const open = async (name: string, machines: number) => {
    const master = await cluster({ kind: "nats", ...options(name) });
    while (master.status().length < machines) await pause(20);
    return master;
  };
  const startProcess = async (name: string) => {
    const worker = new WorkerProcess(built.agent, { ...options(name), workers: 1, entry: built.entry.href });
    ended.push(() => worker.end());
    return [worker, await worker.joined] as const;
  };
  beforeAll(async () => {
    built = await buildJobs();
    server = await NatsTestServer.start();
  });
  afterEach(async () => {
    await Promise.all(ended.splice(0).map((end) => end()));
  });
  afterAll(() => server.remove());

  describe("with workers of this process", () => {
    declareTeams(async () => {
      const workers = [1, 2].map(() => joinCluster({ ...options("teams"), workers: 1, entry: built.entry }));
      for (const worker of await Promise.all(workers)) afterAll(() => worker.close());
      return open("teams", 2);
    });
  });

  it("members go to another machine when theirs is killed, and the round ends with their loss", async () => {
    await startProcess("killed");
    await startProcess("killed");
    const master = await open("killed", 2);
    ended.push(() => master.close());
    const team = await master.team<number, { kill: boolean }, number>(job("killsMember"), {
      size: 4,
      initial: (member) => member,
    });
    const first = await team.round(() => ({ kill: false })).all();
    expect(first.map(({ value }) => value)).toEqual([0, 1, 2, 3]);
    expect(new Set(first.map(({ worker }) => worker)).size).toBe(2);
    const second = await team.round((member) => ({ kill: member === 0 })).all();
    const lost = second.filter(({ error }) => error?.name === "WorkerLostError").map(({ member }) => member);
    expect(lost).toContain(0);
    // One that had answered before its machine was killed says so now.
    await team.round(() => ({ kill: false })).all();
    const fourth = await team.round(() => ({ kill: false })).all();
    expect(fourth.map(({ value }) => value)).toEqual([0, 1, 2, 3]);
    expect(new Set(fourth.map(({ worker }) => worker)).size).toBe(1);
  });

  it("members whose machine is lost between two rounds say so in the next one, and are made anew elsewhere", async () => {
    const [first, lost] = await startProcess("between");
    await startProcess("between");
    const master = await open("between", 2);
    ended.push(() => master.close());
    const team = await master.team<{ factor: number }, Asked, Told>(job("counter"), {
      size: 4,
      initial: () => ({ factor: 1 }),
    });
    await team.round(() => ({})).all();
    await first.end();
    while (!master.status().some(({ id, state }) => id.startsWith(lost) && state === "lost")) await pause(50);
    const told = await team.round(() => ({})).all();
    const errors = told.flatMap(({ error }) => (error === undefined ? [] : [error.name]));
    expect(errors).toEqual(["WorkerLostError", "WorkerLostError"]);
    expect(told.flatMap(({ value }) => value?.rounds ?? [])).toEqual([2, 2]);
    const next = await team.round(() => ({})).all();
    expect(next.map(({ value }) => value?.rounds).sort()).toEqual([1, 1, 3, 3]);
    expect(new Set(next.map(({ worker }) => worker)).size).toBe(1);
  });

  /** Members that each worker says it holds. */
  const heldMembers = async (name: string) => {
    const listener = await connect({ servers: server.address, maxReconnectAttempts: -1 });
    ended.push(() => listener.close());
    const held = new Map<string, StatusMessage>();
    listener.subscribe(namesOf(name).status, {
      callback(_, { data }) {
        const message = decodeFrame<StatusMessage>(data);
        held.set(message.agent, message);
      },
    });
    return held;
  };

  it("members of a machine that stood still are lost, are made anew elsewhere, and end when it goes on", async () => {
    const said = await heldMembers("still");
    const [first, still] = await startProcess("still");
    await startProcess("still");
    const master = await open("still", 2);
    ended.push(() => master.close());
    const team = await master.team<{ factor: number }, Asked, Told>(job("counter"), {
      size: 4,
      initial: () => ({ factor: 1 }),
    });
    await team.round(() => ({})).all();
    await expect.poll(() => said.get(still)?.members).toBe(2);
    first.child.kill("SIGSTOP");
    const during = await team.round(() => ({})).all();
    expect(during.map(({ value, error }) => value?.rounds ?? error?.name).sort()).toEqual([
      2,
      2,
      "WorkerLostError",
      "WorkerLostError",
    ]);
    const next = await team.round(() => ({})).all();
    expect(next.map(({ value }) => value?.rounds).sort()).toEqual([1, 1, 3, 3]);
    first.child.kill("SIGCONT");
    await expect.poll(() => said.get(still)?.members).toBe(0);
    const last = await team.round(() => ({})).all();
    expect(last.map(({ value }) => value?.rounds).sort()).toEqual([2, 2, 4, 4]);
  });

  it("a program that computes for long loses nobody: it heard nobody meanwhile", async () => {
    await startProcess("busy");
    const master = await open("busy", 1);
    ended.push(() => master.close());
    const team = await master.team<{ factor: number }, Asked, Told>(job("counter"), {
      size: 2,
      initial: () => ({ factor: 1 }),
    });
    await team.round(() => ({})).all();
    const standStill = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5000);
    standStill();
    const rounds = async () => (await team.round(() => ({})).all()).map(({ value }) => value?.rounds);
    expect(await rounds()).toEqual([2, 2]);
    // Also while it waits for who was told to stop.
    const round = team.round((member) => ({ wait: member * 1e9 }));
    for await (const { member } of round) {
      expect(member).toBe(0);
      round.close();
      standStill();
    }
    expect(await rounds()).toEqual([4, 4]);
  });

  it("a member that is being made when the server goes down is there once it is made", async () => {
    const said = await heldMembers("gated");
    const [, id] = await startProcess("gated");
    const master = await open("gated", 1);
    ended.push(() => master.close());
    const [begun, gate] = ["begun", "gate"].map((file) => join(built.folder, file)) as [string, string];
    const first = master
      .team<object, object, string>(job("gatedMember"), { size: 1, initial: () => ({ begun, gate }) })
      .then((team) => team.round(() => ({})).all());
    await expect.poll(() => existsSync(begun)).toBe(true);
    await server.down();
    await server.up();
    await expect.poll(() => said.get(id)?.returns).toBe(1);
    // What is asked again has been answered when this has gone to the server and back.
    await master.put(1);
    writeFileSync(gate, "");
    expect((await first).map(({ value, error }) => value ?? error)).toEqual(["there"]);
  });

  it("a round goes on when the server comes back, and its members with their state", async () => {
    const master = await open("restarted", 0);
    ended.push(() => master.close());
    await startProcess("restarted");
    const team = await master.team<{ factor: number }, Asked, Told>(job("counter"), {
      size: 3,
      initial: () => ({ factor: 1 }),
    });
    await team.round(() => ({})).all();
    const round = team.round((member) => ({ wait: 400 * member })).all();
    await pause(100);
    await server.down();
    // Longer than a worker may be silent.
    await pause(4500);
    await server.up();
    expect((await round).map(({ value, error }) => value?.rounds ?? error)).toEqual([2, 2, 2]);
    const next = await team.round(() => ({})).all();
    expect(next.map(({ value }) => value?.rounds)).toEqual([3, 3, 3]);
  });
});
