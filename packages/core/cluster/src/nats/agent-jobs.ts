import type { NatsConnection } from "@nats-io/transport-node";
import { AbortedError } from "@offprint/tensor-core";
import { decodeFrame, encodeFrame } from "@offprint/tensor-core/internal";
import type { JobEntry, JobTable } from "../job.js";
import type { ThreadPool } from "../threads/thread-pool.js";
import { say } from "./connection.js";
import type { JobMessage, ProgramMessage, ResultMessage, RunEvent } from "./messages.js";
import { kindOf } from "./names.js";
import { pause } from "./pause.js";
import { type Delivery, Pulls } from "./pulls.js";
import { answered, carry, fetchCarried, type Streams } from "./streams.js";

/** Time after which a program that is not heard of any more asks for nothing, in milliseconds. */
const asked = 5000;
/** Time between two attempts to reach the server, in milliseconds. */
const again = 100;
/** Sessions that have ended, the last ones of which are remembered: their jobs may still be on their way. */
const remembered = 1000;

/** Takes jobs from the queues of the kinds that it knows and that programs ask for, one for each free thread. */
export class AgentJobs {
  private readonly connection: NatsConnection;
  private readonly streams: Streams;
  private readonly pool: ThreadPool;
  private readonly pulls: Pulls;
  private readonly known: ReadonlyMap<string, JobEntry>;
  private readonly wanted = new Map<string, { readonly kinds: readonly string[]; readonly heard: number }>();
  private readonly running = new Map<AbortController, string>();
  private readonly ended = new Set<string>();
  private closing = false;
  private loops: Promise<unknown> = Promise.resolve();

  constructor(connection: NatsConnection, streams: Streams, pool: ThreadPool, table: JobTable) {
    this.connection = connection;
    this.streams = streams;
    this.pool = pool;
    this.pulls = new Pulls(streams);
    this.known = new Map([...table.values()].map((entry) => [kindOf(entry), entry]));
  }

  /** Begins. */
  start(): void {
    this.loops = Promise.all(Array.from({ length: this.pool.size }, () => this.loop()));
  }

  /** A program asks for kinds of jobs. */
  want({ program, kinds }: ProgramMessage): void {
    const known = kinds.filter((kind) => this.known.has(kind));
    if (known.length > 0) this.wanted.set(program, { kinds: known, heard: performance.now() });
    else this.wanted.delete(program);
    this.check();
  }

  /** Forgets programs that are gone. */
  check(): void {
    for (const [program, { heard }] of this.wanted) {
      if (performance.now() - heard > asked) this.wanted.delete(program);
    }
    if (!this.closing) this.pulls.want([...new Set([...this.wanted.values()].flatMap(({ kinds }) => kinds))]);
  }

  private async loop(): Promise<void> {
    for (;;) {
      const delivery = await this.pulls.take();
      if (delivery === undefined) return;
      await this.work(delivery).catch(() => delivery.forget());
    }
  }

  private tell(run: string, event: RunEvent): void {
    say(this.connection, this.streams.names.events(run), event);
  }

  private async work(delivery: Delivery): Promise<void> {
    const { manager, names } = this.streams;
    const { data, info } = delivery.message;
    const job = decodeFrame<JobMessage>(data);
    const { run, id, session } = job;
    const controller = new AbortController();
    this.running.set(controller, session);
    try {
      const subject = names.result(run, id);
      const query = { last_by_subj: subject };
      const there = await answered(() => manager.direct.getMessage(names.results, query)).catch(() => null);
      if (there === null && !this.ended.has(session)) {
        const result = await this.run(job, info.deliveryCount, controller.signal);
        await this.store(subject, result);
      }
      delivery.done();
    } catch (error) {
      if (!(error instanceof AbortedError)) throw error;
      if (this.closing) delivery.giveBack();
      else delivery.done();
    } finally {
      this.running.delete(controller);
    }
  }

  private async run(job: JobMessage, delivery: number, signal: AbortSignal): Promise<ResultMessage> {
    const { run, id, seed, retries, timeout, exclusive } = job;
    const entry = this.known.get(kindOf(job));
    const before = delivery - 1;
    if (entry === undefined) {
      const message = `this worker has no package that declares ${job.job} in version ${job.version}`;
      return { error: { type: "refused", message }, worker: "", attempts: before };
    }
    const { module, name } = entry;
    const settled = await this.pool.run({
      job: job.job,
      target: { module, name },
      args: await fetchCarried(this.streams, job.args),
      seed,
      retries,
      timeout,
      exclusive,
      signal,
      onBegin: (worker) => this.tell(run, { kind: "begun", id, worker }),
      onProgress: (frame) => this.tell(run, { kind: "progress", id, frame }),
    });
    const { frame, error, worker } = settled;
    const attempts = before + settled.attempts;
    if (frame === undefined) return { error: error!, worker, attempts };
    return { value: await carry(this.streams, frame, `${run}.${id}`), worker, attempts };
  }

  /** Stores a result unless one is there: the first one counts. Waits for a server that is away. */
  private async store(subject: string, result: ResultMessage): Promise<void> {
    const data = encodeFrame(result, "cluster");
    while (!this.connection.isClosed()) {
      try {
        await this.streams.client.publish(subject, data, { expect: { lastSubjectSequence: 0 }, timeout: 2000 });
        return;
      } catch (error) {
        if (/wrong last sequence|per subject exceeded/.test((error as Error).message)) return;
        await pause(again);
      }
    }
  }

  /** Ends what runs of a session. */
  abort(session: string): void {
    this.ended.add(session);
    const oldest = this.ended.values().next().value;
    if (this.ended.size > remembered && oldest !== undefined) this.ended.delete(oldest);
    for (const [controller, of] of this.running) if (of === session) controller.abort();
  }

  /** Gives back what runs, and takes no more. */
  async close(): Promise<void> {
    this.closing = true;
    this.pulls.close();
    for (const controller of this.running.keys()) controller.abort();
    await this.loops;
  }
}
