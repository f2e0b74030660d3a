import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import { AbortedError } from "@offprint/tensor-core";
import { decodeFrame, encodeFrame } from "@offprint/tensor-core/internal";
import type { ErrorData } from "../errors.js";
import { ClusterConnectionError } from "../errors.js";
import type { JobEntry } from "../job.js";
import type { Call, Runner } from "../map-jobs.js";
import type { MapOptions } from "../outcome.js";
import { redeliveries, type Settled } from "../threads/thread-pool.js";
import { ownLetters, say } from "./connection.js";
import { listen, listenRaw } from "./listen.js";
import type { JobMessage, ResultMessage, RunEvent } from "./messages.js";
import { kindOf } from "./names.js";
import { pause } from "./pause.js";
import { answered, carry, fetchCarried, type Streams } from "./streams.js";

/** Time between two attempts to reach the server, in milliseconds. */
const patience = 250;
/** Age at which a result that should have been heard of is looked for, in milliseconds. */
const overdue = 5000;

interface Pending {
  readonly promise: Promise<Settled>;
  readonly workers: string[];
  readonly since: number;
  readonly onProgress: Call["onProgress"];
  settle(settled: Settled): void;
  reject(error: Error): void;
}

/** What a run works with. */
export interface RunSurroundings {
  readonly connection: NatsConnection;
  readonly streams: Streams;
  readonly entry: JobEntry;
  readonly run: string;
  /** Whether the results are kept for a program that is started again. */
  readonly named: boolean;
  readonly options: MapOptions;
}

/** The jobs of one `map` at the server, and their results on the way back. */
export class NatsRun implements Runner {
  /** What tells its jobs apart. */
  readonly kind: string;
  private readonly session = ownLetters();
  private readonly given: RunSurroundings;
  private readonly pending = new Map<string, Pending>();
  private readonly objects = new Set<string>();
  private readonly subscriptions: Subscription[];
  private sweeping = false;
  /** Number of the last word of a job given up that `sweep` has read. */
  private seen = 0;

  constructor(given: RunSurroundings) {
    this.given = given;
    this.kind = kindOf(given.entry);
    const { connection, streams, run } = given;
    const { names } = streams;
    const idOf = (subject: string) => subject.slice(subject.lastIndexOf(".") + 1);
    // A result is a message like any other: it is heard as soon as it is stored.
    const results = listenRaw(connection, names.resultsOfRun(run), ({ subject, data }) =>
      this.received(idOf(subject), data),
    );
    const events = listen<RunEvent>(connection, names.events(run), (event) => this.told(event));
    // A job that has taken down every worker that it was given to is not handed out any more.
    const givenUp = listenRaw(connection, names.givenUpOfKind(this.kind), (message) => this.abandoned(message));
    this.subscriptions = [results, events, givenUp];
  }

  private told(event: RunEvent): void {
    const pending = this.pending.get(event.id);
    if (event.kind === "begun") pending?.workers.push(event.worker);
    else pending?.onProgress(event.frame);
  }

  private async received(id: string, data: Uint8Array): Promise<void> {
    const pending = this.pending.get(id);
    if (pending === undefined) return;
    const { value, error, worker, attempts } = decodeFrame<ResultMessage>(data);
    if (error !== undefined) {
      pending.settle({ error, worker, attempts });
      return;
    }
    if ("object" in value!) this.objects.add(value.object);
    try {
      pending.settle({ frame: await fetchCarried(this.given.streams, value!), worker, attempts });
    } catch {
      // The server is away: the result is looked for again.
    }
  }

  private async abandoned(advisory: { json<T>(): T }): Promise<void> {
    const { manager, names } = this.given.streams;
    const { stream_seq: sequence } = advisory.json<{ stream_seq: number }>();
    const message = await answered(() => manager.streams.getMessage(names.jobs, { seq: sequence })).catch(() => null);
    if (message === null || message === undefined) return;
    const id = message.subject.slice(message.subject.lastIndexOf(".") + 1);
    const pending = this.pending.get(id);
    if (pending === undefined) return;
    const { workers } = pending;
    const attempts = redeliveries + 1;
    const named = workers.join(", ") || "unknown";
    const error: ErrorData = { type: "lost", message: `the job lost its worker ${attempts} times (${named})`, workers };
    pending.settle({ error, worker: workers.at(-1) ?? "", attempts });
    await manager.streams.deleteMessage(names.jobs, sequence).catch(() => undefined);
  }

  /** Gives up what no worker runs. */
  refuse(message: string): void {
    const error: ErrorData = { type: "refused", message };
    for (const pending of this.pending.values()) pending.settle({ error, worker: "", attempts: 0 });
  }

  /** Looks for results, and for jobs given up, that were not heard of, as the server was away or this program was. */
  async sweep(age = overdue): Promise<void> {
    const late = [...this.pending].filter(([, { since }]) => performance.now() - since >= age);
    if (late.length === 0 || this.sweeping) return;
    this.sweeping = true;
    try {
      for (const [id] of late) {
        const stored = await this.stored(id);
        if (stored !== undefined) await this.received(id, stored);
      }
      const { manager, names } = this.given.streams;
      for (;;) {
        const query = { seq: this.seen + 1, next_by_subj: names.givenUpOfKind(this.kind) };
        const advisory = await manager.direct.getMessage(names.givenUp, query);
        if (advisory === null) break;
        await this.abandoned(advisory);
        this.seen = advisory.seq;
      }
    } catch {
      // The server is away: it is asked again.
    } finally {
      this.sweeping = false;
    }
  }

  private async stored(id: string): Promise<Uint8Array | undefined> {
    const { manager, names } = this.given.streams;
    const query = { last_by_subj: names.result(this.given.run, id) };
    return (await manager.direct.getMessage(names.results, query))?.data;
  }

  run(call: Call): Promise<Settled> {
    // Equal jobs are one job.
    const same = this.pending.get(call.id)?.promise;
    if (same !== undefined) return same;
    let settle: (settled: Settled) => void = () => undefined;
    let reject: (error: Error) => void = () => undefined;
    const promise = new Promise<Settled>((resolve, refuse) => {
      settle = resolve;
      reject = refuse;
    });
    const { signal, onProgress, id } = call;
    const onAbort = () => reject(new AbortedError("the job was aborted"));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    this.pending.set(id, { promise, workers: [], since: performance.now(), onProgress, settle, reject });
    promise
      .catch(() => undefined)
      .finally(() => {
        signal.removeEventListener("abort", onAbort);
        // What was aborted stays known, so that its run is ended at the server.
        if (!signal.aborted) this.pending.delete(id);
      });
    this.submit(call).catch(reject);
    return promise;
  }

  private async submit({ id, args, seed, signal }: Call): Promise<void> {
    const { streams, entry, run, named, options } = this.given;
    const { job, version } = entry;
    const { retries = 0, timeout, exclusive = false } = options;
    if (named) {
      const stored = await answered(() => this.stored(id));
      const failed = stored !== undefined && decodeFrame<ResultMessage>(stored).error !== undefined;
      if (stored !== undefined && !failed) {
        await this.received(id, stored);
        return;
      }
      // What failed in an earlier start is tried again.
      const filter = streams.names.result(run, id);
      if (failed) await answered(() => streams.manager.streams.purge(streams.names.results, { filter }));
    }
    const carried = await carry(streams, args, `${run}.${id}.args`);
    if ("object" in carried) this.objects.add(carried.object);
    const limit = timeout === undefined ? {} : { timeout };
    const message: JobMessage = {
      job,
      version,
      run,
      session: this.session,
      id,
      seed,
      retries,
      ...limit,
      exclusive,
      args: carried,
    };
    await this.publish(streams.names.job(this.kind, run, id), encodeFrame(message, "cluster"), signal);
  }

  /** Publishes until the server has stored it. */
  private async publish(subject: string, data: Uint8Array, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.given.streams.client.publish(subject, data, { timeout: 2000 });
        return;
      } catch (error) {
        const { name, message } = error as Error;
        if (message.includes("per subject exceeded")) return;
        if (name === "PermissionViolationError" || name === "AuthorizationError") {
          throw new ClusterConnectionError(`cluster.map: the server does not let this program queue jobs: ${message}`);
        }
        // The queue is full, or the server is away.
        await pause(patience);
      }
    }
  }

  async end(): Promise<void> {
    const { connection, streams, run, named } = this.given;
    const { names, manager, objects } = streams;
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    if (connection.isClosed()) return;
    const work: Promise<unknown>[] = [];
    if (this.pending.size > 0) {
      say(connection, names.abort, { session: this.session });
      work.push(manager.streams.purge(names.jobs, { filter: names.jobsOfRun(this.kind, run) }));
    }
    if (!named) {
      work.push(manager.streams.purge(names.results, { filter: names.resultsOfRun(run) }));
      for (const object of this.objects) work.push(objects.delete(object));
    }
    await Promise.allSettled(work);
  }
}
