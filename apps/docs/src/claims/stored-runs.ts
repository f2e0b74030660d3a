import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ClaimRun, Environment } from "@offprint/claims";

/** A run of a method's claims that is kept beside them. */
export interface StoredRun extends ClaimRun {
  readonly environment: Environment;
  /** Whether the method and its claims are still what was run. */
  readonly current: boolean;
}

/** What is kept of a run. */
export interface ResultsFile {
  readonly format: "offprint-results";
  readonly formatVersion: 1;
  readonly environment: Environment;
  /** Hash of the sources that ran. */
  readonly sources?: string;
  readonly runs: readonly ClaimRun[];
}

/** Names of the files, beside a method's claims, that keep its last runs. */
export const resultsFiles = { quick: "results.json", full: "results.full.json" } as const;

const parts = ["src", "claims", "assembly", "assets"];
const kept = /^results(\.[\w-]+)?\.json$|^badge\.svg$/;

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) return filesBelow(path);
      return kept.test(name) ? [] : [path];
    });
}

/** Hash of what decides the outcome of a method's claims: its own sources and its claims. */
export function sourcesOf(packageDirectory: string): string {
  const hash = createHash("sha256");
  for (const path of parts.flatMap((part) => filesBelow(join(packageDirectory, part)))) {
    const name = path.slice(packageDirectory.length).replaceAll("\\", "/");
    hash.update(`${name}\0`).update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}

/** Whether a value is what `offprint reproduce --json` writes. */
export function isResultsFile(content: unknown): content is ResultsFile {
  const file = content as Partial<ResultsFile> | null;
  return file?.format === "offprint-results" && file.formatVersion === 1 && Array.isArray(file.runs);
}

/**
 * The stored runs of a method, of `claims/results.json` and `claims/results.full.json`: those of the present sources
 * first, and among them those near the paper's setting.
 *
 * @throws Error when such a file is not what `offprint reproduce --json` writes
 */
export function readStoredRuns(packageDirectory: string, method: string): StoredRun[] {
  const sources = sourcesOf(packageDirectory);
  const runs = Object.values(resultsFiles).flatMap((name) => {
    const path = join(packageDirectory, "claims", name);
    if (!existsSync(path)) return [];
    const content: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (!isResultsFile(content)) {
      throw new Error(`${method}: claims/${name} is not a results file; write it with "pnpm store-claims ${method}".`);
    }
    return content.runs
      .filter((run) => run.method === method)
      .map((run) => ({ ...run, environment: content.environment, current: content.sources === sources }));
  });
  const place = (run: StoredRun) => (run.current ? 2 : 0) + (run.scale === "full" ? 1 : 0);
  return runs.sort((a, b) => place(b) - place(a));
}
