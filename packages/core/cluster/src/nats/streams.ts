import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { ObjectStore } from "@nats-io/obj";
import type { NatsConnection } from "@nats-io/transport-node";
import { AbortedError } from "@offprint/tensor-core";
import { ClusterConnectionError } from "../errors.js";
import type { NatsClients } from "./clients.js";
import type { Names } from "./names.js";
import { pause } from "./pause.js";

const second = 1e9;
/** Time after which what is left of a run is removed, in nanoseconds: a week. */
const kept = 7 * 24 * 3600 * second;
/** Largest frame that travels as a message, in bytes; what is larger goes through the object store. */
const largest = 512 * 1024;

/** Time between two attempts to reach the server, in milliseconds. */
const again = 100;

/** Whether an error says that no answer came. */
const isUnanswered = (error: unknown) => /^(Timeout|NoResponders)Error$/.test((error as Error).name);

/** Asks the server, again where no answer came: it was away, or it or this program stood still. */
export async function answered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnanswered(error)) throw error;
      await pause(again);
    }
  }
}

/** The streams of a cluster. */
export interface Streams {
  readonly names: Names;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly objects: ObjectStore;
}

/** What is done by who may not make streams: it waits for those that may. */
export interface Waiting {
  /** Told once. */
  onWait(): void;
  /** Ends it. */
  readonly signal: AbortSignal | undefined;
}

/** Time between two looks at whether a stream is there, in milliseconds. */
const look = 250;

/**
 * Opens the streams; whoever comes first makes them.
 *
 * @param settings - milliseconds to wait for an answer of the server, and jobs that may wait there
 * @param waiting - what to do where the server forbids it; without it that is an error
 * @throws ClusterConnectionError where the server has no JetStream, or the streams of this name are other ones; AbortedError where
 * waiting was ended
 */
export async function openStreams(
  clients: NatsClients,
  connection: NatsConnection,
  names: Names,
  settings: { readonly timeout: number; readonly maxQueued: number },
  waiting?: Waiting,
): Promise<Streams> {
  const { AckPolicy: _, RetentionPolicy, DiscardPolicy, StorageType, Objm } = clients;
  try {
    const { timeout, maxQueued } = settings;
    const manager = await clients.jetstreamManager(connection, { timeout });
    const client = clients.jetstream(connection, { timeout });
    const isThere = async (stream: string) => (await manager.streams.info(stream).catch(() => undefined)) !== undefined;
    let told = false;
    const madeByOthers = async (stream: string, error: unknown) => {
      if (waiting === undefined || !/permissions violation/i.test((error as Error).message)) throw error;
      if (!told) waiting.onWait();
      told = true;
      while (!(await isThere(stream))) {
        if (waiting.signal?.aborted || connection.isClosed())
          throw new AbortedError("joinCluster: ended while it waited");
        await pause(look);
      }
    };
    const ensure = async (config: Parameters<typeof manager.streams.add>[0]) => {
      if (await isThere(config.name)) return;
      await manager.streams.add(config).catch((error: unknown) => madeByOthers(config.name, error));
    };
    await ensure({
      name: names.jobs,
      subjects: [names.allJobs],
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      max_msgs: maxQueued,
      // The same job waits once.
      max_msgs_per_subject: 1,
      discard_new_per_subject: true,
      max_age: kept,
    });
    await ensure({
      name: names.results,
      subjects: [names.allResults],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      max_msgs_per_subject: 1,
      discard_new_per_subject: true,
      allow_direct: true,
      max_age: kept,
    });
    // Who is away when a job is given up hears of it later.
    await ensure({
      name: names.givenUp,
      subjects: [names.allGivenUp],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      allow_direct: true,
      max_age: kept,
    });
    const make = () => new Objm(client).create(names.objects, { ttl: kept, storage: StorageType.File });
    const objects = await make().catch(async (error: unknown) => {
      await madeByOthers(`OBJ_${names.objects}`, error);
      return make();
    });
    return { names, client, manager, objects };
  } catch (cause) {
    if (cause instanceof AbortedError) throw cause;
    const { message } = cause as Error;
    const hint = /jetstream/i.test(message) ? "start nats-server with -js" : message;
    throw new ClusterConnectionError(`cluster: the server keeps no jobs: ${hint}`, { cause });
  }
}

/** Opens the queue of the jobs of a kind. */
export async function openQueue(
  { AckPolicy }: NatsClients,
  { manager, names }: Streams,
  kind: string,
  ackWait: number,
  deliveries: number,
): Promise<void> {
  const config = {
    ack_policy: AckPolicy.Explicit,
    ack_wait: ackWait * 1e6,
    max_deliver: deliveries,
    max_ack_pending: -1,
  };
  const there = await manager.consumers.info(names.jobs, kind).catch((error: unknown) => {
    if (isUnanswered(error)) throw error;
    return undefined;
  });
  if (there === undefined) {
    await manager.consumers.add(names.jobs, {
      ...config,
      durable_name: kind,
      filter_subject: names.jobsOfKind(kind),
      inactive_threshold: kept,
    });
  } else if (there.config.ack_wait !== config.ack_wait) await manager.consumers.update(names.jobs, kind, config);
}

/** A frame in a message, or where it is. */
export type Carried = { readonly frame: Uint8Array } | { readonly object: string };

/** Puts a frame where its size lets it travel. */
export async function carry({ objects }: Streams, frame: Uint8Array, name: string): Promise<Carried> {
  if (frame.length <= largest) return { frame };
  await answered(() => objects.putBlob({ name }, frame));
  return { object: name };
}

/** The frame that a message carries or names. */
export async function fetchCarried({ objects }: Streams, carried: Carried): Promise<Uint8Array<ArrayBuffer>> {
  if ("frame" in carried) return carried.frame as Uint8Array<ArrayBuffer>;
  const frame = await answered(() => objects.getBlob(carried.object));
  if (frame === null) throw new Error(`the value ${carried.object} is not there any more; they expire after a week`);
  return new Uint8Array(frame);
}
