import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type ClaimRecord, isClaimRecord } from "@offprint/claims";
import { Failure } from "@offprint/commands";
import { removeFile, saveFileSync } from "@offprint/data/node";

/** Records by resume key. */
type Runs = Map<string, ClaimRecord[]>;

const format = { format: "offprint-state", formatVersion: 1 } as const;

function parsedRuns(content: unknown): Runs | undefined {
  if (typeof content !== "object" || content === null) return undefined;
  const { format: name, formatVersion, runs } = content as Record<string, unknown>;
  if (name !== format.format || formatVersion !== format.formatVersion) return undefined;
  if (typeof runs !== "object" || runs === null) return undefined;
  const entries = Object.entries(runs);
  const right = entries.every(([, records]) => Array.isArray(records) && records.every(isClaimRecord));
  return right ? new Map(entries) : undefined;
}

/** Longest time that another process may take to write its number into its lock, in milliseconds. */
const patience = 5000;
/** Age at which a lock is nobody's: a process of another machine, or a later one of the same number, says nothing. */
const forgotten = 60_000;

/** Whether the process that wrote a lock is not there any more; one that stands still is waited for. */
function isAbandoned(lock: string): boolean {
  const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  if (made === undefined) return false;
  const age = Date.now() - made;
  try {
    const owner = Number(readFileSync(lock, "utf8"));
    if (owner === 0) return age > patience;
    return age > forgotten || !process.kill(owner, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Does something with a file that no other process of this program does at the same time. */
function exclusively<T>(path: string, work: () => T): T {
  const lock = `${path}.lock`;
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if (isAbandoned(lock)) rmSync(lock, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/**
 * The file that keeps finished claims until their run is complete. Several runs may share it: every change is made to
 * what stands there at that moment.
 */
export class StoredClaims {
  /** Where it is. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Opens the file; it need not be there.
   *
   * @throws Failure when a file of that name is something else, which must not be overwritten
   */
  static open(path: string): StoredClaims {
    const stored = new StoredClaims(path);
    stored.read();
    return stored;
  }

  private read(): Runs {
    if (!existsSync(this.path)) return new Map();
    let content: unknown;
    try {
      content = JSON.parse(readFileSync(this.path, "utf8"));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    const runs = parsedRuns(content);
    if (runs !== undefined) return runs;
    throw new Failure(`${this.path}: not a whole state file of offprint; delete it, or name another one with --state.`);
  }

  private change(work: (runs: Runs) => void): void {
    exclusively(this.path, () => {
      const runs = this.read();
      work(runs);
      if (runs.size > 0) saveFileSync(this.path, `${JSON.stringify({ ...format, runs: Object.fromEntries(runs) })}\n`);
      else if (existsSync(this.path)) removeFile(this.path);
    });
  }

  /** Finished claims of a run; those that ended with an error are run again. */
  finished(key: string): ClaimRecord[] {
    return (this.read().get(key) ?? []).filter(({ error }) => error === undefined);
  }

  /** Forgets runs. */
  discard(keys: readonly string[]): void {
    this.change((runs) => {
      for (const key of keys) runs.delete(key);
    });
  }

  /** Keeps a finished claim, on disk when this returns. */
  keep(key: string, record: ClaimRecord): void {
    this.change((runs) => {
      const others = (runs.get(key) ?? []).filter(({ id }) => id !== record.id);
      runs.set(key, [...others, record]);
    });
  }

  /** Number of claims kept for the given runs. */
  count(keys: readonly string[]): number {
    return keys.reduce((sum, key) => sum + this.finished(key).length, 0);
  }
}
