import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, cluster } from "@offprint/cluster";
import { tree } from "@offprint/tensor-core";
import {
  errorLike,
  type InstalledJobs,
  installJobs,
  NatsMachines,
  natsServer,
  needsNatsServer,
  temporaryFolder,
} from "@offprint/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ClientAnswer, type ClientTeam, fedZo, fzoos, type Question } from "../src/index.js";
import type { Given } from "./fixtures/jobs.js";

const folder = temporaryFolder("clients");
let installed: InstalledJobs;
let threads: Cluster;
beforeAll(async () => {
  installed = await installJobs(join(import.meta.dirname, "fixtures", "jobs.ts"), ["client"]);
  const { entry, manifest } = installed;
  threads = await cluster({ kind: "threads", workers: 1, entry, manifest });
});
afterAll(() => threads.close());

const centres = [0.2, 0.7];
const initial = [0.5, 0.1];
const few = {
  features: 16,
  maxLocalQueries: 12,
  maxFeatureQueries: 16,
  localSteps: 2,
  maxIterations: 4,
  initialQueries: 3,
  active: { local: { count: 1, candidates: 4 }, server: { count: 2, candidates: 4 } },
};
/** Of {@link fedZo}: a thread or a process compiles less for it. */
const differences = { maxIterations: 4, localSteps: 2, correction: "scaffold1" } as const;
const here = centres.map((c) => (x: Float64Array) => x.reduce((sum, v, k) => sum + (1 + k) * (v - c) ** 2, 0));
const callsOf = (name: string, member: number) => Number(readFileSync(join(folder, `${name}-${member}.calls`), "utf8"));
const teamOf = (name: string, more: (member: number) => Partial<Given> = () => ({}), where = threads) =>
  where.team<Given, Question, ClientAnswer>("jobs#client", {
    size: 2,
    initial: (member) => ({
      centre: centres[member],
      calls: join(folder, `${name}-${member}.calls`),
      ...more(member),
    }),
  });
const keeping = (name: string) => (member: number) => ({ keep: join(folder, `${name}-${member}.json`) });

describe("clients in threads of their own", () => {
  it("give the same numbers as in this one, bit for bit, and keep what they know", async () => {
    const own = await fzoos({ clients: here, initial }, few);
    const team = await teamOf("same", keeping("same"));
    const theirs = await fzoos({ clients: team, initial }, few);
    expect(theirs.x.toArray()).toEqual(own.x.toArray());
    expect(tree.toJson(theirs.history)).toBe(tree.toJson(own.history));
    expect(tree.toJson(theirs.weights)).toBe(tree.toJson(own.weights));
    expect(theirs.state.inner.members).toEqual([null, null]);
    expect(callsOf("same", 0) + callsOf("same", 1)).toBe(own.queries + own.checks);
    await team.close();
    const other = await teamOf("differences");
    const [remote, local] = [
      await fedZo({ clients: other, initial }, differences),
      await fedZo({ clients: here, initial }, differences),
    ];
    expect(remote.x.toArray()).toEqual(local.x.toArray());
    await other.close();
  });

  it("a client whose process ends goes on from what it kept: no answer is lost, none counted twice", async () => {
    const own = await fzoos({ clients: here, initial }, few);
    const team = await teamOf("lost", (member) => ({
      ...keeping("lost")(member),
      ...(member === 1 && { dieAt: 20 }),
    }));
    const theirs = await fzoos({ clients: team, initial }, few);
    expect(theirs.x.toArray()).toEqual(own.x.toArray());
    expect([theirs.queries, theirs.checks]).toEqual([own.queries, own.checks]);
    await team.close();
  });

  it("a run goes on with another team from the saved states, or from what the clients kept", async () => {
    const own = await fzoos({ clients: here, initial }, few);
    for (const kept of [false, true]) {
      const name = kept ? "again-kept" : "again";
      const more = kept ? keeping(name) : () => ({});
      const first = await teamOf(name, more);
      const half = await fzoos({ clients: first, initial }, { ...few, maxIterations: 2 });
      await first.close();
      expect(half.state.inner.members.every((member) => (member === null) === kept)).toBe(true);
      const second = await teamOf(name, more);
      const resume = tree.fromJson<typeof half.state>(tree.toJson(half.state));
      const whole = await fzoos({ clients: second, initial }, { ...few, resume });
      expect(whole.x.toArray()).toEqual(own.x.toArray());
      expect(whole.queries).toBe(own.queries);
      await second.close();
    }
  });

  it("a client without what it knew, and one whose values are not finite, end the run and are named", async () => {
    const forgetful = await teamOf("forgetful", (member) => (member === 1 ? { dieAt: 20 } : {}));
    const run = (clients: ClientTeam) => fedZo({ clients, initial }, { maxIterations: 4, localSteps: 2 });
    await expect(run(forgetful)).rejects.toThrow(/client.*resume it from a saved state/);
    await forgetful.close();
    const broken = await teamOf("broken", (member) => (member === 1 ? { breakAt: 20 } : {}));
    await expect(run(broken)).rejects.toThrow(errorLike("NonFiniteError", /client.* gave NaN/));
    await broken.close();
  });
});

describe.skipIf(natsServer === undefined)(`clients on machines of their own ${needsNatsServer}`, () => {
  let machines: NatsMachines;
  let where: Cluster;
  beforeAll(async () => {
    machines = await NatsMachines.start(installed, 2);
    where = await cluster({ kind: "nats", ...machines.options });
    await machines.known(where);
  });
  afterAll(async () => {
    await where?.close();
    await machines?.end();
  });

  it("give the same numbers as in this process, bit for bit", async () => {
    const own = await fzoos({ clients: here, initial }, few);
    const team = await teamOf("far", () => ({}), where);
    const theirs = await fzoos({ clients: team, initial }, few);
    await team.close();
    expect(theirs.x.toArray()).toEqual(own.x.toArray());
    expect(tree.toJson(theirs.history)).toBe(tree.toJson(own.history));
    expect(tree.toJson(theirs.weights)).toBe(tree.toJson(own.weights));
    expect(callsOf("far", 0) + callsOf("far", 1)).toBe(own.queries + own.checks);
  });

  it("a client whose machine is killed goes on elsewhere from what it kept: no answer is lost, none counted twice", async () => {
    const own = await fedZo({ clients: here, initial }, differences);
    const killed = (member: number) => (member === 1 ? { dieAt: 20, whole: true } : {});
    const team = await teamOf("killed", (member) => ({ ...keeping("killed")(member), ...killed(member) }), where);
    const theirs = await fedZo({ clients: team, initial }, differences);
    await team.close();
    expect(theirs.x.toArray()).toEqual(own.x.toArray());
    expect([theirs.queries, theirs.checks]).toEqual([own.queries, own.checks]);
  });

  it("a server that goes down between a question and its answer is waited for", async () => {
    const own = await fedZo({ clients: here, initial }, differences);
    let restarted: Promise<void> | undefined;
    const team = await teamOf("down", keeping("down"), where);
    const asking: ClientTeam = {
      size: team.size,
      round(args) {
        const round = team.round((member) => {
          const question = args(member);
          if (question?.kind === "local" && question.round === 1) {
            restarted ??= machines.server.down().then(() => machines.server.up());
          }
          return question;
        });
        return { all: () => round.all() };
      },
    };
    const theirs = await fedZo({ clients: asking, initial }, differences);
    await restarted;
    await team.close();
    expect(restarted).toBeDefined();
    expect(theirs.x.toArray()).toEqual(own.x.toArray());
    expect(callsOf("down", 0) + callsOf("down", 1)).toBe(own.queries + own.checks);
  });
});

describe("teams of any make", () => {
  it("a question whose answer is lost is asked again, three times at most", async () => {
    const lost = Object.assign(new Error("gone"), { name: "WorkerLostError" });
    const team = (losses: number): ClientTeam => {
      let left = losses;
      return {
        size: 1,
        round: (args) => ({
          all: async () => {
            const question = args(0)!;
            if (left-- > 0) return [{ member: 0, error: lost }];
            return [
              {
                member: 0,
                value: {
                  queries: 0,
                  checks: 0,
                  value: 1,
                  z: question.kind === "local" ? question.x : new Float64Array(2),
                },
              },
            ];
          },
        }),
      };
    };
    const options = { maxIterations: 1, localSteps: 1 };
    expect((await fedZo({ clients: team(3), initial }, options)).iterations).toBe(1);
    await expect(fedZo({ clients: team(4), initial }, options)).rejects.toThrow(/gone/);
  });
});
