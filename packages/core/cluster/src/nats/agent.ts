import type { NatsConnection } from "@nats-io/transport-node";
import { checkOptions, requireInteger, requirePositive } from "@offprint/tensor-core";
import { platform } from "#platform";
import type { AgentOptions, ClusterWorker } from "../agent-options.js";
import { ThreadPool } from "../threads/thread-pool.js";
import { AgentJobs } from "./agent-jobs.js";
import { AgentMembers } from "./agent-members.js";
import { loadClients } from "./clients.js";
import { connectionOptionNames, connectNats, ownLetters, say } from "./connection.js";
import { listen } from "./listen.js";
import { checkProgram, type MemberRequest, type ProgramMessage, type StatusMessage } from "./messages.js";
import { namesOf } from "./names.js";
import { answered, openStreams, type Streams } from "./streams.js";

/** Time between two heartbeats, in milliseconds. */
const beat = 1000;
const optionNames = ["workers", "memory", "entry", "signal", "onEvent", ...connectionOptionNames] as const;

/** Frames of values that were put, the ones last used; threads keep what they have decoded. */
function fetcher({ objects }: Streams): (ref: string) => Promise<Uint8Array> {
  const kept = new Map<string, Promise<Uint8Array>>();
  const load = async (ref: string): Promise<Uint8Array> => {
    const frame = await answered(() => objects.getBlob(`put.${ref}`));
    if (frame === null) throw new Error(`there is no value ${ref} here; put it in this cluster first`);
    return frame;
  };
  return (ref) => {
    const frame = kept.get(ref) ?? load(ref);
    kept.delete(ref);
    kept.set(ref, frame);
    frame.catch(() => kept.delete(ref));
    const oldest = kept.keys().next().value;
    if (kept.size > 8 && oldest !== undefined) kept.delete(oldest);
    return frame;
  };
}

/** Follows the connection, and says what happens to it. */
async function watch(
  connection: NatsConnection,
  { onAway, onReturn }: { onAway(): void; onReturn(): void },
  tell: (line: string) => void = () => undefined,
): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === "disconnect") {
      tell("lost the server; waiting for it");
      onAway();
    } else if (status.type === "error") tell(`the server says: ${status.error.message}`);
    else if (status.type === "reconnect") {
      tell("the server is there again");
      onReturn();
    }
  }
}

/** Joins a cluster as a worker: the connection is in this thread, the jobs are in others. */
export async function joinNatsCluster(options: AgentOptions): Promise<ClusterWorker> {
  const owner = "joinCluster";
  checkOptions(owner, options, optionNames);
  const { workers: size = platform.parallelism, memory, entry, manifest, signal, onEvent } = options;
  requireInteger(owner, "workers", size, 1);
  if (memory !== undefined) requirePositive(owner, "memory", memory);
  const table = platform.readJobs(manifest);
  const clients = await loadClients();
  const { connection, name, timeout } = await connectNats(owner, clients, options);
  const names = namesOf(name);
  let streams: Streams;
  try {
    const onWait = () => onEvent?.("this worker may not make the queues; waiting for a program that does");
    streams = await openStreams(clients, connection, names, { timeout, maxQueued: 10_000 }, { onWait, signal });
  } catch (error) {
    await connection.close();
    throw error;
  }
  const id = `${platform.host.replace(/[^\w-]/g, "-")}-${process.pid}-${ownLetters().slice(0, 4)}`;
  const surroundings = {
    settings: { ...(entry !== undefined && { entry }), ...(memory !== undefined && { memory }) },
    fetch: fetcher(streams),
  };
  const pool = new ThreadPool(size, `${id}/`, surroundings);
  const jobs = new AgentJobs(connection, streams, pool, table);
  const members = new AgentMembers(connection, streams, table, surroundings, id);
  const versions = Object.fromEntries([...table].map(([job, { version }]) => [job, version]));
  const status = () => pool.status(platform.host, versions);
  let returns = 0;
  const tellStatus = (leaving = false) => {
    const held = members.size;
    const message: StatusMessage = {
      agent: id,
      host: platform.host,
      workers: status(),
      members: held,
      versions,
      returns,
      leaving,
    };
    say(connection, names.status, message);
  };
  const known = new Set<string>();
  const hear = <T>(subject: string, hearing: (message: T) => void) => listen<T>(connection, subject, hearing, onEvent);
  hear<ProgramMessage>(names.programs, (message) => {
    checkProgram(message);
    jobs.want(message);
    members.seen(message.teams);
    // A program that was not heard before learns at once who is there.
    if (!known.has(message.program)) tellStatus();
    known.add(message.program);
  });
  hear<{ session: string }>(names.abort, ({ session }) => jobs.abort(session));
  hear<MemberRequest>(names.agent(id), (request) => members.hear(request));
  let away = false;
  const heart = setInterval(() => {
    tellStatus();
    jobs.check();
    // Nobody can be heard while the server is away.
    if (!away) members.check();
  }, beat);
  tellStatus();
  jobs.start();
  onEvent?.(`serving ${table.size} jobs on ${size} threads as ${id}`);
  const onAway = () => {
    away = true;
  };
  const onReturn = () => {
    away = false;
    returns += 1;
    tellStatus();
  };
  void watch(connection, { onAway, onReturn }, onEvent);

  let closing: Promise<void> | undefined;
  const close = async () => {
    clearInterval(heart);
    await jobs.close();
    members.close();
    tellStatus(true);
    pool.close();
    if (!connection.isClosed()) await connection.drain().catch(() => connection.close());
  };
  const closeOnce = () => {
    closing ??= close();
    return closing;
  };
  if (signal?.aborted) void closeOnce();
  signal?.addEventListener("abort", () => void closeOnce(), { once: true });
  return {
    id,
    status,
    close: closeOnce,
    closed: connection.closed().then(() => undefined),
  };
}
