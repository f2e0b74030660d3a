// Unit and property tests of all packages, in one vitest.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { executeGroup } from "../suite.mjs";

export const name = "tests";

/** @type {import("../suite.mjs").Stage} */
export async function run({ root, packages, filtered, cache }) {
  const results = join(cache, "unit.json");
  mkdirSync(cache, { recursive: true });
  rmSync(results, { force: true });
  const reporter = join(root, "tooling", "suite", "vitest-reporter.mjs");
  const folders = filtered ? packages.map(({ directory }) => `${relative(root, directory).split(sep).join("/")}/`) : [];
  const args = [
    "run",
    "--passWithNoTests",
    "--silent=passed-only",
    "--reporter=default",
    `--reporter=${reporter}`,
    ...folders,
  ];
  const status = await executeGroup(root, "vitest/vitest.mjs", args, { OFFPRINT_TEST_RESULTS: results });
  if (!existsSync(results)) return { passed: 0, failed: 1 };
  const { passed, failed, absent, unexplained, errors } = JSON.parse(readFileSync(results, "utf8"));
  for (const test of unexplained) console.log(`  skipped without a reason: ${test}`);
  const counted = failed + unexplained.length + errors;
  const notRun = Object.entries(absent).map(([what, count]) => ({ what, count: Number(count) }));
  return { passed, failed: counted === 0 && status !== 0 ? 1 : counted, notRun };
}
