import type { NatsConnection } from "@nats-io/transport-node";
import { AbortedError, checkOptions, requireInteger } from "@offprint/tensor-core";
import { encodeFrame } from "@offprint/tensor-core/internal";
import { platform } from "#platform";
import type { Cluster, NatsClusterOptions } from "../cluster.js";
import { JobRefusedError } from "../errors.js";
import type { JobEntry, JobReference, JobTable } from "../job.js";
import { knownJob } from "../known-job.js";
import { checkMap, type Executor, mapJobs } from "../map-jobs.js";
import { openTeam } from "../team.js";
import { redeliveries } from "../threads/thread-pool.js";
import { loadClients, type NatsClients } from "./clients.js";
import { connectionOptionNames, connectNats, ownLetters, say } from "./connection.js";
import { listen } from "./listen.js";
import { checkedStatus, type ProgramMessage, type StatusMessage } from "./messages.js";
import { kindOf, namesOf, shortHash } from "./names.js";
import { NatsRun } from "./nats-run.js";
import { pause } from "./pause.js";
import { RemoteTeam } from "./remote-team.js";
import { Roster } from "./roster.js";
import { answered, openQueue, openStreams, type Streams } from "./streams.js";

/** Time between two heartbeats, in milliseconds. */
const beat = 1000;
/** Longest time in which the first worker that is there says so, in milliseconds. */
const acquaintance = 2000;
/** Time in which the others have said so, too. */
const others = 50;

class NatsCluster implements Cluster {
  private readonly connection: NatsConnection;
  private readonly clients: NatsClients;
  private readonly streams: Streams;
  private readonly table: JobTable;
  private readonly ackWait: number;
  private readonly runs = new Map<NatsRun, JobEntry>();
  private readonly teams = new Set<RemoteTeam>();
  private readonly roster = new Roster(
    (agent) => {
      for (const team of this.teams) team.lose(agent);
    },
    (agent) => {
      for (const team of this.teams) team.repeat(agent);
    },
  );
  private readonly program = ownLetters();
  private readonly closing = new AbortController();
  private readonly heart: ReturnType<typeof setInterval>;
  private readonly heard: Promise<void>;
  private away = false;

  constructor(connection: NatsConnection, clients: NatsClients, streams: Streams, table: JobTable, ackWait: number) {
    this.connection = connection;
    this.clients = clients;
    this.streams = streams;
    this.table = table;
    this.ackWait = ackWait;
    this.heard = new Promise((resolve) => {
      listen<StatusMessage>(connection, streams.names.status, (message) => {
        this.roster.hear(checkedStatus(message));
        resolve();
      });
    });
    this.heart = setInterval(() => this.check(), beat);
    void this.watch();
  }

  /** Hears of the workers that are there: they answer at once, and where nobody is the server says so. */
  async acquaint(): Promise<void> {
    const { connection, heard } = this;
    const data = encodeFrame(this.message(), "cluster");
    const unanswered = connection.request(this.streams.names.programs, data, { timeout: acquaintance });
    await Promise.race([heard, unanswered.catch(() => undefined)]);
    await pause(others);
  }

  private message(): ProgramMessage {
    const kinds = [...new Set([...this.runs.keys()].map(({ kind }) => kind))];
    return { program: this.program, kinds, teams: [...this.teams].map(({ id }) => id) };
  }

  /** Says what is to be run; workers answer with how they are. */
  announce(): void {
    say(this.connection, this.streams.names.programs, this.message());
  }

  private check(): void {
    this.announce();
    if (this.away) return;
    this.roster.check();
    for (const [run, { job, version }] of this.runs) {
      const refusal = this.roster.refusal(job, version);
      if (refusal !== undefined) run.refuse(refusal);
      void run.sweep();
    }
  }

  private async watch(): Promise<void> {
    for await (const { type } of this.connection.status()) {
      if (type === "disconnect") this.away = true;
      if (type !== "reconnect") continue;
      this.away = false;
      this.roster.excuse();
      this.announce();
      for (const run of this.runs.keys()) void run.sweep(0);
      for (const team of this.teams) team.repeat();
    }
  }

  private entryOf(job: JobReference): JobEntry {
    if (this.closing.signal.aborted) throw new AbortedError("cluster: it was closed; open another one");
    if (typeof job === "string") return knownJob(this.table, job);
    throw new JobRefusedError(
      'cluster: through NATS a job is a name, "<package>#<function>", of a package that the workers have; code is not sent',
    );
  }

  map<A, R>(job: JobReference, list: Iterable<A> | AsyncIterable<A>, options: Parameters<Cluster["map"]>[2] = {}) {
    checkMap(list, options);
    const executor: Executor = {
      capacity: () => Math.max(1, this.roster.capacity()),
      open: async (mapOptions) => {
        const entry = this.entryOf(job);
        const named = mapOptions.id !== undefined;
        const run = named ? shortHash(mapOptions.id!) : `${ownLetters()}${ownLetters()}`;
        const kind = kindOf(entry);
        await answered(() => openQueue(this.clients, this.streams, kind, this.ackWait, redeliveries + 1));
        // What an earlier start has left in the queue is queued again.
        const { manager, names } = this.streams;
        if (named) await answered(() => manager.streams.purge(names.jobs, { filter: names.jobsOfRun(kind, run) }));
        const { connection, streams } = this;
        const runner = new NatsRun({ connection, streams, entry, run, named, options: mapOptions });
        this.runs.set(runner, entry);
        this.announce();
        const end = async () => {
          this.runs.delete(runner);
          this.announce();
          await runner.end();
        };
        return { entry, runner: { run: (call) => runner.run(call), end } };
      },
    };
    const signals = [this.closing.signal, ...(options.signal ? [options.signal] : [])];
    return mapJobs<A, R>(executor, list, { ...options, signal: AbortSignal.any(signals) });
  }

  async team<I, A, R>(job: JobReference, options: Parameters<typeof openTeam<I, A, R>>[1]) {
    const entry = this.entryOf(job);
    const home = new RemoteTeam(this.connection, this.streams, this.roster, entry, (team) => this.teams.delete(team));
    this.teams.add(home);
    this.announce();
    return openTeam<I, A, R>(home, options);
  }

  async put(value: unknown) {
    const frame = encodeFrame(value, "cluster");
    const offprintRef = await platform.digest([frame]);
    const name = `put.${offprintRef}`;
    const { objects } = this.streams;
    const there = await answered(() => objects.info(name));
    if (there === null) await answered(() => objects.putBlob({ name }, frame));
    return { offprintRef };
  }

  status() {
    return this.roster.status();
  }

  async close() {
    this.closing.abort();
    clearInterval(this.heart);
    // Runs that are under way end at the server first.
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([...this.teams].map((team) => team.close()));
    if (!this.connection.isClosed()) await this.connection.drain().catch(() => undefined);
  }
}

/** Jobs on many machines. */
export async function openNatsCluster(options: NatsClusterOptions): Promise<Cluster> {
  const owner = "cluster";
  checkOptions(owner, options, ["kind", "ackWait", "maxQueued", ...connectionOptionNames]);
  const { ackWait = 10_000, maxQueued = 10_000, manifest } = options;
  // Workers give a sign of life every 400 milliseconds.
  requireInteger(owner, "ackWait", ackWait, 1000);
  requireInteger(owner, "maxQueued", maxQueued, 1);
  const clients = await loadClients();
  const { connection, name, timeout } = await connectNats(owner, clients, options);
  try {
    const streams = await openStreams(clients, connection, namesOf(name), { timeout, maxQueued });
    const opened = new NatsCluster(connection, clients, streams, platform.readJobs(manifest), ackWait);
    await opened.acquaint();
    return opened;
  } catch (error) {
    await connection.close();
    throw error;
  }
}
