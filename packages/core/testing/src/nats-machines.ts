import type { InstalledJobs } from "./installed-jobs.js";
import { NatsTestServer } from "./nats-server.js";
import { WorkerProcess } from "./worker-process.js";

/** Machines of a test: processes with one worker each that have joined a NATS server. */
export class NatsMachines {
  /** What they are joined by. */
  readonly server: NatsTestServer;
  /** What `cluster({ kind: "nats", ... })` needs to reach them. */
  readonly options: { readonly servers: string; readonly connectTimeout: number; readonly manifest: string };
  private readonly workers: readonly WorkerProcess[];

  private constructor(server: NatsTestServer, manifest: string, workers: readonly WorkerProcess[]) {
    this.server = server;
    this.options = { ...server.connection, manifest };
    this.workers = workers;
  }

  /** Starts a server and processes that do the installed jobs, and waits until all have joined. */
  static async start({ manifest, entry, agent }: InstalledJobs, count: number): Promise<NatsMachines> {
    const server = await NatsTestServer.start();
    const options = { ...server.connection, manifest, workers: 1, entry: entry.href };
    const machines = new NatsMachines(
      server,
      manifest,
      Array.from({ length: count }, () => new WorkerProcess(agent, options)),
    );
    await Promise.all(machines.workers.map(({ joined }) => joined));
    return machines;
  }

  /** Waits until a cluster has heard of all of them: what it spreads over machines, it spreads over those. */
  async known(where: { status(): readonly unknown[] }): Promise<void> {
    while (where.status().length < this.workers.length) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Ends the processes, then the server. */
  async end(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.end()));
    await this.server.remove();
  }
}
