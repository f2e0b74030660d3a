// Unit and property tests of packages, several in one process: their files share what they import, and what the engine
// has learnt of it.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { executeShown } from "../suite.mjs";

export const name = "tests";
export const scope = "package";

/** Seconds of processor time that the tests of a method may take. */
export const budget = 12;

/** @type {import("../suite.mjs").Chooses} */
export const chooses = ({ directory }) => existsSync(join(directory, "test"));

/** Packages whose tests change what others share, or last long by themselves. */
const alone = new Set(["cluster", "onnx-runtime", "tensor-core"]);

/** @param {import("../../checks/repository.mjs").Package} pkg */
export const together = ({ kind, slug }) => ((kind === "method" || kind === "core") && !alone.has(slug) ? 6 : 1);

/** Apps and tools are tested as they are built; packages see each other's TypeScript. */
export const needs = (/** @type {import("../../checks/repository.mjs").Package} */ { kind }) =>
  kind === "app" || kind === "tool" ? ["build"] : [];

/** Tests of the built site, which have a stage of their own. */
export const siteTests = "apps/docs/test/site";

/** @type {import("../suite.mjs").JointStage} */
export function run({ root, packages, cache }) {
  const directories = packages.map(({ directory }) => directory);
  const outcomes = runTests(root, directories, cache, [`--exclude=${siteTests}/**`]);
  return Object.fromEntries(packages.map(({ name, directory }) => [name, outcomes[directories.indexOf(directory)]]));
}

/**
 * Runs the tests below folders, or of files.
 *
 * @param {string} root
 * @param {string[]} paths
 * @param {string} cache folder for files of this job
 * @param {string[]} [options] of vitest
 * @returns {import("../suite.mjs").Outcome[]} of each path
 */
export function runTests(root, paths, cache, options = []) {
  const results = join(cache, "unit.json");
  mkdirSync(cache, { recursive: true });
  rmSync(results, { force: true });
  const reporter = join(root, "tooling", "suite", "vitest-reporter.mjs");
  const tested = paths.map((path) => `${relative(root, path).split(sep).join("/")}${path.endsWith(".ts") ? "" : "/"}`);
  const args = [
    "run",
    "--passWithNoTests",
    "--no-file-parallelism",
    "--no-isolate",
    "--silent=passed-only",
    "--reporter=default",
    `--reporter=${reporter}`,
    ...options,
    ...tested,
  ];
  const environment = { OFFPRINT_TEST_RESULTS: results, OFFPRINT_TEST_READS: cache };
  const status = executeShown(root, "vitest/vitest.mjs", args, environment);
  if (!existsSync(results)) return tested.map(() => ({ passed: 0, failed: 1 }));
  /** @type {{ files: import("../vitest-reporter.mjs").FileCounts[], unhandled: number }} */
  const { files, unhandled } = JSON.parse(readFileSync(results, "utf8"));
  const seconds = files.reduce((sum, file) => sum + file.seconds, 0);
  const outcomes = tested.map((beginning) => {
    const own = files.filter(({ path }) => path.startsWith(beginning));
    for (const test of own.flatMap(({ unexplained }) => unexplained)) {
      console.log(`  skipped without a reason: ${test}`);
    }
    return outcomeOf(own, seconds);
  });
  const explained = outcomes.some(({ failed }) => failed > 0);
  // What no file is to blame for fails them all.
  if (unhandled > 0 || (status !== 0 && !explained)) for (const outcome of outcomes) outcome.failed += 1;
  return outcomes;
}

/**
 * @param {import("../vitest-reporter.mjs").FileCounts[]} files
 * @param {number} seconds of processor time that all files of the process took
 * @returns {import("../suite.mjs").Outcome}
 */
function outcomeOf(files, seconds) {
  const sum = (/** @type {"passed" | "failed" | "errors" | "seconds"} */ key) =>
    files.reduce((total, file) => total + file[key], 0);
  const notRun = files.flatMap(({ absent }) => Object.entries(absent).map(([what, count]) => ({ what, count })));
  return {
    passed: sum("passed"),
    failed: sum("failed") + sum("errors") + files.reduce((total, { unexplained }) => total + unexplained.length, 0),
    notRun,
    failures: files.flatMap(({ failures }) => failures),
    ...(seconds > 0 && { share: sum("seconds") / seconds }),
  };
}
