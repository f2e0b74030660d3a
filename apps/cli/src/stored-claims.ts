import { existsSync, readFileSync } from "node:fs";
import type { ClaimRecord } from "@offprint/claims";
import { removeFile, saveFileSync } from "@offprint/data/node";
import { Failure } from "./failure.js";

interface StoredFile {
  readonly format: "offprint-state";
  readonly formatVersion: 1;
  /** Records by resume key. */
  readonly runs: Record<string, ClaimRecord[]>;
}

function isRecord(value: unknown): value is ClaimRecord {
  const record = value as Partial<ClaimRecord> | null;
  return (
    typeof record === "object" &&
    record !== null &&
    typeof record.id === "string" &&
    typeof record.statement === "string" &&
    typeof record.holds === "boolean" &&
    typeof record.seconds === "number" &&
    Array.isArray(record.series) &&
    Array.isArray(record.tables)
  );
}

function isStoredFile(value: unknown): value is StoredFile {
  const file = value as Partial<StoredFile> | null;
  if (typeof file !== "object" || file === null) return false;
  if (file.format !== "offprint-state" || file.formatVersion !== 1) return false;
  if (typeof file.runs !== "object" || file.runs === null) return false;
  return Object.values(file.runs).every((records) => Array.isArray(records) && records.every(isRecord));
}

/** The file that keeps finished claims until their run is complete. */
export class StoredClaims {
  readonly path: string;
  private readonly runs: Map<string, ClaimRecord[]>;

  private constructor(path: string, runs: Map<string, ClaimRecord[]>) {
    this.path = path;
    this.runs = runs;
  }

  /**
   * Reads the file, or starts an empty one.
   *
   * @throws Failure when a file of that name is something else, which must not be overwritten
   */
  static open(path: string): StoredClaims {
    if (!existsSync(path)) return new StoredClaims(path, new Map());
    let content: unknown;
    try {
      content = JSON.parse(readFileSync(path, "utf8"));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    if (isStoredFile(content)) return new StoredClaims(path, new Map(Object.entries(content.runs)));
    throw new Failure(`${path}: not a state file of offprint; delete it, or name another one with --state.`);
  }

  /** Finished claims of a run; those that ended with an error are run again. */
  finished(key: string): ClaimRecord[] {
    return (this.runs.get(key) ?? []).filter(({ error }) => error === undefined);
  }

  /** Forgets a run. */
  discard(key: string): void {
    this.runs.delete(key);
  }

  /** Keeps a finished claim, on disk when this returns. */
  keep(key: string, record: ClaimRecord): void {
    const others = (this.runs.get(key) ?? []).filter(({ id }) => id !== record.id);
    this.runs.set(key, [...others, record]);
    this.write();
  }

  /** Number of claims kept for the given runs. */
  count(keys: readonly string[]): number {
    return keys.reduce((sum, key) => sum + this.finished(key).length, 0);
  }

  /** Writes the file, or removes it when nothing is left to keep. */
  write(): void {
    if (this.runs.size === 0) {
      removeFile(this.path);
      return;
    }
    const file: StoredFile = { format: "offprint-state", formatVersion: 1, runs: Object.fromEntries(this.runs) };
    saveFileSync(this.path, `${JSON.stringify(file)}\n`);
  }
}
