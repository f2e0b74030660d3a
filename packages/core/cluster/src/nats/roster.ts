import type { WorkerStatus } from "../worker-status.js";
import type { StatusMessage } from "./messages.js";

/** Looks, one for each heartbeat, in which nothing was heard of a worker that counts as lost. */
const silence = 3;
/** Looks after which a lost worker is forgotten. */
const forgotten = 60;

interface Entry {
  message: StatusMessage;
  heard: number;
  /** Looks since it was heard. */
  silent: number;
  lost: boolean;
}

/** The workers that are heard of. */
export class Roster {
  private readonly entries = new Map<string, Entry>();
  private readonly onLost: (agent: string) => void;
  private readonly onReturn: (agent: string) => void;
  private looks = 0;

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
    this.entries.set(agent, { message, heard: performance.now(), silent: 0, lost: false });
    if (message.returns !== returns) this.onReturn(agent);
  }

  /** The server was away, and nobody can have been heard. */
  excuse(): void {
    for (const entry of this.entries.values()) entry.silent = 0;
  }

  /**
   * Looks who has fallen silent. Looks are counted, not seconds: while this program computed or stood still, it heard
   * nobody, and what was said meanwhile it hears before it looks again.
   */
  check(): void {
    this.looks += 1;
    for (const [agent, entry] of this.entries) {
      entry.silent += 1;
      if (entry.silent > forgotten) this.entries.delete(agent);
      if (entry.silent <= silence || entry.lost) continue;
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
   * Why no worker runs a job; nothing where one does, or may come back that does, where nobody is there, and as long as
   * not all may have been heard.
   */
  refusal(job: string, version: string): string | undefined {
    const known = [...this.entries.values()].map(({ message }) => message.versions);
    if (this.looks < silence || known.length === 0 || known.some((versions) => versions[job] === version)) {
      return undefined;
    }
    const others = [...new Set(known.flatMap((versions) => versions[job] ?? []))];
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
