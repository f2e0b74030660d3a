// Unit and property tests of a package, in one process: its files share what they import.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { executeShown } from "../suite.mjs";

export const name = "tests";
export const scope = "package";

/** Seconds of processor time that the tests of a method may take. */
export const budget = 12;

/** @type {import("../suite.mjs").Chooses} */
export const chooses = ({ directory }) => existsSync(join(directory, "test"));

/** Apps and tools are tested as they are built; packages see each other's TypeScript. */
export const needs = (/** @type {import("../../checks/repository.mjs").Package} */ { kind, slug }) =>
  kind === "app" || kind === "tool" ? ["build", ...(slug === "docs" ? ["site"] : [])] : [];

/** @type {import("../suite.mjs").Stage} */
export function run({ root, packages, cache }) {
  return runTests(
    root,
    packages.map(({ directory }) => directory),
    cache,
  );
}

/**
 * Runs the tests below folders.
 *
 * @param {string} root
 * @param {string[]} directories
 * @param {string} cache folder for files of this job
 * @returns {import("../suite.mjs").Outcome}
 */
export function runTests(root, directories, cache) {
  const results = join(cache, "unit.json");
  mkdirSync(cache, { recursive: true });
  rmSync(results, { force: true });
  const reporter = join(root, "tooling", "suite", "vitest-reporter.mjs");
  const folders = directories.map((directory) => `${relative(root, directory).split(sep).join("/")}/`);
  const args = [
    "run",
    "--passWithNoTests",
    "--no-file-parallelism",
    "--no-isolate",
    "--silent=passed-only",
    "--reporter=default",
    `--reporter=${reporter}`,
    ...folders,
  ];
  const status = executeShown(root, "vitest/vitest.mjs", args, { OFFPRINT_TEST_RESULTS: results });
  if (!existsSync(results)) return { passed: 0, failed: 1 };
  const { passed, failed, absent, unexplained, errors, failures } = JSON.parse(readFileSync(results, "utf8"));
  for (const test of unexplained) console.log(`  skipped without a reason: ${test}`);
  const counted = failed + unexplained.length + errors;
  const notRun = Object.entries(absent).map(([what, count]) => ({ what, count: Number(count) }));
  return { passed, failed: counted === 0 && status !== 0 ? 1 : counted, notRun, failures };
}
