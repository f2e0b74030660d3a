import type { ClaimRun } from "@offprint/claims";
import type { Cluster, NatsConnectionOptions } from "@offprint/cluster";
import { exitCodes, Failure } from "@offprint/commands";
import { AbortedError } from "@offprint/tensor-core";
import type { RemoteClaims } from "./claims-job.js";
import type { ClaimsEvents } from "./claims-pool.js";
import type { ClaimsOutcome, ClaimsRunner } from "./claims-runner.js";
import type { ClaimsEvent, ClaimsTask } from "./claims-task.js";
import { connectionFailure } from "./cluster-options.js";
import { findMethod, type Registry } from "./registry.js";

/** The job that workers run, as this program's package.json declares it. */
const job = "offprint#reproduceClaims";

/** The machines of a cluster. They compute on the host kernels, so that no verdict depends on a machine's devices. */
export class ClaimsCluster implements ClaimsRunner {
  readonly used = { device: "host" };
  private readonly machines: Cluster;
  private readonly registry: Registry;

  private constructor(machines: Cluster, registry: Registry) {
    this.machines = machines;
    this.registry = registry;
  }

  /** @throws Failure when the server cannot be reached */
  static async open(
    connection: NatsConnectionOptions,
    registry: Registry,
    note: (line: string) => void,
  ): Promise<ClaimsCluster> {
    const { cluster } = await import("@offprint/cluster");
    const machines = await cluster({ kind: "nats", ...connection }).catch((error: unknown) => {
      throw connectionFailure(error);
    });
    const workers = machines.status();
    const hosts = new Set(workers.map(({ host }) => host)).size;
    note(
      workers.length === 0
        ? "No worker is there yet: waiting for one (offprint worker --cluster ...)."
        : `${workers.length} workers on ${hosts === 1 ? "1 machine" : `${hosts} machines`}.`,
    );
    return new ClaimsCluster(machines, registry);
  }

  async run(
    tasks: readonly ClaimsTask[],
    events: (place: number) => ClaimsEvents,
    signal: AbortSignal,
  ): Promise<ClaimsOutcome[]> {
    const list = tasks.map((task): RemoteClaims => {
      return { ...task, version: findMethod(this.registry, task.method).version };
    });
    const runs: ClaimsOutcome[] = new Array(tasks.length);
    const outcomes = this.machines.map<RemoteClaims, ClaimRun>(job, list, {
      signal,
      onProgress: ({ index, value }) => {
        const event = value as ClaimsEvent;
        if (event.kind === "record") events(index).onFinished(event.record);
        else events(index).onProgress(event);
      },
    });
    for await (const { index, value, error } of outcomes) {
      runs[index] =
        error === undefined ? value : new Failure(`${tasks[index]!.method}: ${error.message}`, exitCodes.negative);
    }
    if (signal.aborted) throw new AbortedError("reproduce: it was interrupted");
    return runs;
  }

  end(): Promise<void> {
    return this.machines.close();
  }
}
