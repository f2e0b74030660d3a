// A method's claims, at the quick scale, through the command: the built one, or from its sources where only a
// selection was built.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

export const name = "claims";
export const scope = "package";
export const needs = ["build"];

/** Seconds of processor time that the quick claims of a method may take. */
export const budget = 10;

/** @type {import("../suite.mjs").Chooses} */
export const chooses = ({ kind }) => kind === "method";

/** @type {import("../suite.mjs").Stage} */
export function run({ root, packages, filtered, cache, environment }) {
  const methods = packages.filter(({ kind }) => kind === "method").map(({ slug }) => slug);
  if (methods.length === 0) return { passed: 0, failed: 0 };
  mkdirSync(cache, { recursive: true });
  const [results, state] = [join(cache, "claims.json"), join(cache, "claims-state.json")];
  rmSync(results, { force: true });
  const loader = new URL("../../typescript/register.mjs", import.meta.url).href;
  const command = filtered
    ? [`--import=${loader}`, join(root, "apps", "cli", "src", "bin.ts")]
    : [join(root, "apps", "cli", "dist", "bin.js")];
  const words = ["reproduce", ...methods, "--json", results, "--state", state];
  const { status } = spawnSync(process.execPath, [...command, ...words], {
    cwd: root,
    env: environment,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (!existsSync(results)) return { passed: 0, failed: 1 };
  /** @type {{ runs: Array<{ records: Array<{ holds: boolean }> }> }} */
  const { runs } = JSON.parse(readFileSync(results, "utf8"));
  const records = runs.flatMap((each) => each.records);
  const passed = records.filter(({ holds }) => holds === true).length;
  const failed = records.length - passed;
  // An exit code that the counts do not explain is a failure too.
  return { passed, failed: failed === 0 && (status !== 0 || records.length === 0) ? 1 : failed };
}
