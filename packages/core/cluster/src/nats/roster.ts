import type { WorkerStatus } from "../worker-status.js";
import type { StatusMessage } from "./messages.js";

/** Time of silence after which a worker counts as lost, in milliseconds: three of its heartbeats. */
export const silence = 3000;
/** Time after which a lost worker is forgotten. */
const forgotten = 60_000;

interface Entry {
  message: StatusMessage;
  heard: number;
  lost: boolean;
}

/** The workers that are heard of. */
export class Roster {
  private readonly entries = new Map<string, Entry>();
  private readonly onLost: (agent: string) => void;
  private readonly onReturn: (agent: string) => void;

  constructor(onLost: (agent: string) => void, onReturn: (agent: string) => void) {
    this.onLost = onLost;
    this.onReturn = onReturn;
  }

  /** A worker was heard. */
  hear(message: StatusMessage): void {
    const { agent, leaving } = message;
    if (leaving) {
      if (this.entries.delete(agent)) this.onLost(agent);
      return;
    }
    const returns = this.entries.get(agent)?.message.returns ?? message.returns;
    this.entries.set(agent, { message, heard: performance.now(), lost: false });
    if (message.returns !== returns) this.onReturn(agent);
  }

  /** The server was away, and nobody can have been heard. */
  excuse(): void {
    for (const entry of this.entries.values()) entry.heard = performance.now();
  }

  /** Looks who has fallen silent. */
  check(): void {
    for (const [agent, entry] of this.entries) {
      const age = performance.now() - entry.heard;
      if (age > forgotten) this.entries.delete(agent);
      if (age <= silence || entry.lost) continue;
      entry.lost = true;
      this.onLost(agent);
    }
  }

  /** Those that are there. */
  present(): StatusMessage[] {
    return [...this.entries.values()].filter(({ lost }) => !lost).map(({ message }) => message);
  }

  /** Jobs that can run at once. */
  capacity(): number {
    return this.present().reduce((sum, { workers }) => sum + workers.length, 0);
  }

  /**
   * Why none of those that are there runs a job; nothing where one does, or nobody is there.
   */
  refusal(job: string, version: string): string | undefined {
    const present = this.present();
    if (present.length === 0 || present.some(({ versions }) => versions[job] === version)) return undefined;
    const others = [...new Set(present.flatMap(({ versions }) => versions[job] ?? []))];
    if (others.length > 0) {
      return `cluster: this program has ${job} in version ${version}, the workers have ${others.join(", ")}; install the same`;
    }
    return `cluster: no worker has a package that declares ${job}; install it where they run`;
  }

  /** How all workers are. */
  status(): WorkerStatus[] {
    return [...this.entries.values()].flatMap(({ message, heard, lost }) =>
      message.workers.map((worker) => ({
        ...worker,
        state: lost ? ("lost" as const) : worker.state,
        heartbeat: (performance.now() - heard) / 1000,
        versions: message.versions,
      })),
    );
  }
}
