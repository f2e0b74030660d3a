import {
  AbortedError,
  checkOptions,
  requireInteger,
  requireObject,
  requirePositive,
  ValueError,
} from "@offprint/tensor-core";
import { encodeFrame } from "@offprint/tensor-core/internal";
import { platform } from "#platform";
import type { Cluster, ThreadsClusterOptions } from "../cluster.js";
import { JobRefusedError } from "../errors.js";
import type { JobEntry, JobReference, JobTable } from "../job.js";
import { knownJob } from "../known-job.js";
import { checkMap, type Executor, mapJobs } from "../map-jobs.js";
import { openTeam, type TeamHome } from "../team.js";
import { Thread } from "./thread.js";
import { ThreadPool } from "./thread-pool.js";

const optionNames = ["kind", "workers", "jobs", "manifest", "memory", "entry"] as const;

function pageJobs(jobs: Readonly<Record<string, string | URL>>): JobTable {
  return new Map(
    Object.entries(jobs).map(([job, address]): [string, JobEntry] => {
      const name = job.slice(job.indexOf("#") + 1);
      // A relative address means one beside the page, not beside the module of the thread.
      const module = new URL(address, globalThis.location?.href).href;
      return [job, { job, version: "0.0.0", module, name }];
    }),
  );
}

/** The member of a team in a thread of its own. */
async function openMember(thread: Thread, { module, name }: JobEntry, initial: Uint8Array, seed: string) {
  try {
    await thread.ask({ kind: "join", target: { module, name }, initial, seed });
  } catch (error) {
    thread.terminate();
    throw error;
  }
  return {
    worker: thread.name,
    get alive() {
      return thread.alive;
    },
    ask: (args: Uint8Array, round: number, seed: string, signal: AbortSignal) =>
      thread.ask({ kind: "round", round, args, seed }, { signal }),
    share: async (frame: Uint8Array) => thread.share(frame),
    leave: () => thread.terminate(),
  };
}

/** Jobs on threads of this machine. */
export function openThreadsCluster(options: ThreadsClusterOptions): Cluster {
  const owner = "cluster";
  checkOptions(owner, options, optionNames);
  const { workers = platform.parallelism, jobs, manifest, memory, entry } = options;
  requireInteger(owner, "workers", workers, 1);
  if (memory !== undefined) requirePositive(owner, "memory", memory);
  if (jobs !== undefined) requireObject(owner, "jobs", jobs, 'an object such as { "my-jobs#name": "/jobs.js" }');
  const refs = new Map<string, Uint8Array>();
  const surroundings = {
    settings: { ...(entry !== undefined && { entry }), ...(memory !== undefined && { memory }) },
    fetch: async (ref: string) => {
      const frame = refs.get(ref);
      if (frame === undefined) throw new ValueError(`there is no value ${ref} here; put it in this cluster first`);
      return frame;
    },
  };
  const pool = new ThreadPool(workers, "thread ", surroundings);
  const closing = new AbortController();
  const teams = new Set<TeamHome>();
  let table: JobTable | undefined;
  let members = 0;

  const entryOf = (job: JobReference): JobEntry => {
    if (typeof job === "string") {
      table ??= jobs === undefined ? platform.readJobs(manifest) : pageJobs(jobs);
      return knownJob(table, job);
    }
    if (typeof job?.name !== "string" || !(typeof job.module === "string" || job.module instanceof URL)) {
      throw new JobRefusedError('cluster: a job is a name, "<package>#<function>", or { module, name }');
    }
    const module = String(job.module);
    return { job: `${module}#${job.name}`, version: "0.0.0", module, name: job.name };
  };
  const stillOpen = () => {
    if (closing.signal.aborted) throw new AbortedError("cluster: it was closed; open another one");
  };

  return {
    map(job, list, mapOptions = {}) {
      checkMap(list, mapOptions);
      const executor: Executor = {
        capacity: () => workers,
        async open({ retries = 0, timeout, exclusive = false }) {
          stillOpen();
          const found = entryOf(job);
          const { module, name } = found;
          return {
            entry: found,
            runner: {
              run: (call) =>
                pool.run({ ...call, job: found.job, target: { module, name }, retries, timeout, exclusive }),
              end: async () => undefined,
            },
          };
        },
      };
      const signals = [closing.signal, ...(mapOptions.signal ? [mapOptions.signal] : [])];
      return mapJobs(executor, list, { ...mapOptions, signal: AbortSignal.any(signals) });
    },
    async team(job, teamOptions) {
      stillOpen();
      const found = entryOf(job);
      const threads = new Set<Thread>();
      const home: TeamHome = {
        open(_, initial, seed) {
          const thread = new Thread(`member ${++members}`, surroundings);
          threads.add(thread);
          return openMember(thread, found, initial, seed);
        },
        async close() {
          for (const thread of threads) thread.terminate();
          teams.delete(home);
        },
      };
      teams.add(home);
      return openTeam(home, teamOptions);
    },
    async put(value) {
      const frame = encodeFrame(value, "cluster");
      const offprintRef = await platform.digest([frame]);
      refs.set(offprintRef, frame);
      return { offprintRef };
    },
    status: () =>
      pool.status(platform.host, Object.fromEntries([...(table ?? [])].map(([job, { version }]) => [job, version]))),
    async close() {
      closing.abort();
      pool.close();
      await Promise.all([...teams].map((home) => home.close()));
    },
  };
}
