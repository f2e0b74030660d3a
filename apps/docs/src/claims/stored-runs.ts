import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClaimRun, Environment } from "@offprint/claims";

/** A run of a method's claims that is kept beside them. */
export interface StoredRun extends ClaimRun {
  readonly environment: Environment;
}

interface ResultsFile {
  readonly format: "offprint-results";
  readonly formatVersion: 1;
  readonly environment: Environment;
  readonly runs: readonly ClaimRun[];
}

/** Name of the file, beside a method's claims, that `offprint reproduce --json` writes for the site. */
export const resultsFile = "results.json";

function isResultsFile(content: unknown): content is ResultsFile {
  const file = content as Partial<ResultsFile> | null;
  return file?.format === "offprint-results" && file.formatVersion === 1 && Array.isArray(file.runs);
}

/**
 * The stored runs of a method: of `claims/results.json`, and of `claims/results.full.json` and the like; those near the
 * paper's setting first.
 *
 * @throws Error when such a file is not what `offprint reproduce --json` writes
 */
export function readStoredRuns(packageDirectory: string, method: string): StoredRun[] {
  const folder = join(packageDirectory, "claims");
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => /^results(\.[\w-]+)?\.json$/.test(name));
  const runs = files.sort().flatMap((name) => {
    const content: unknown = JSON.parse(readFileSync(join(folder, name), "utf8"));
    if (!isResultsFile(content)) {
      throw new Error(`${method}: claims/${name} is not a results file; write it with "offprint reproduce --json".`);
    }
    return content.runs
      .filter((run) => run.method === method)
      .map((run) => ({ ...run, environment: content.environment }));
  });
  return runs.sort((a, b) => Number(b.scale === "full") - Number(a.scale === "full"));
}
