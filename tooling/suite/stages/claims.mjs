// The claims of methods, at the quick scale, through the command: the built one, or from its sources where only a
// selection was built. Those of several methods run in one process, one method after the other: loading what all stand on
// is much of the work.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

export const name = "claims";
export const scope = "package";
export const together = 6;
export const needs = ["build"];

/** Seconds of processor time that the quick claims of a method may take. */
export const budget = 10;

/** @type {import("../suite.mjs").Chooses} */
export const chooses = ({ kind }) => kind === "method";

/**
 * @typedef {object} Results what `reproduce --json` writes
 * @property {Array<{ method: string, processorSeconds?: number, records: Array<{ id: string, holds: boolean, detail: string, error?: string }> }>} runs
 * @property {Array<{ method: string, error: string }>} failures
 */

/** @type {import("../suite.mjs").JointStage} */
export function run({ root, packages, filtered, cache, environment }) {
  mkdirSync(cache, { recursive: true });
  const [path, state] = [join(cache, "claims.json"), join(cache, "claims-state.json")];
  rmSync(path, { force: true });
  const loader = new URL("../../typescript/register.mjs", import.meta.url).href;
  const command = filtered
    ? [`--import=${loader}`, join(root, "apps", "cli", "src", "bin.ts")]
    : [join(root, "apps", "cli", "dist", "bin.js")];
  const words = ["reproduce", ...packages.map(({ slug }) => slug), "--json", path, "--state", state];
  const { status } = spawnSync(process.execPath, [...command, ...words], {
    cwd: root,
    env: environment,
    stdio: ["ignore", "inherit", "inherit"],
  });
  /** @type {Results} */
  const results = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { runs: [], failures: [] };
  return outcomesOf(results, packages, status);
}

/**
 * What the command found, by package.
 *
 * @param {Results} results
 * @param {Array<{ name: string, slug: string }>} packages
 * @param {number | null} status its exit code
 * @returns {Record<string, import("../suite.mjs").Outcome>}
 */
export function outcomesOf({ runs, failures }, packages, status) {
  const total = runs.reduce((sum, { processorSeconds = 0 }) => sum + processorSeconds, 0);
  const entries = packages.map(({ name, slug }) => {
    const own = runs.find(({ method }) => method === slug);
    const broken = failures.find(({ method }) => method === slug);
    if (own === undefined) return [name, { passed: 0, failed: 1, failures: [broken?.error ?? `${slug}: no results`] }];
    const failing = own.records.filter(({ holds }) => holds !== true);
    const outcome = {
      passed: own.records.length - failing.length,
      failed: own.records.length === 0 ? 1 : failing.length,
      failures: failing.map(({ id, error, detail }) => `${slug} ${id}: ${error ?? detail}`),
      // Not where some have none: their part of the time is not known.
      ...(total > 0 && runs.length === packages.length && { share: (own.processorSeconds ?? 0) / total }),
    };
    return [name, outcome];
  });
  /** @type {Record<string, import("../suite.mjs").Outcome>} */
  const outcomes = Object.fromEntries(entries);
  const explained = Object.values(outcomes).some(({ failed }) => failed > 0);
  // An exit code that the counts do not explain fails them all.
  if (status !== 0 && !explained) for (const outcome of Object.values(outcomes)) outcome.failed += 1;
  return outcomes;
}
