// Tests of the documentation site as it is built: of all packages' pages, in a browser. The other tests of its package do
// not follow what packages say.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { contentHash } from "../../../apps/docs/site-content.mjs";
import { runTests, siteTests } from "./unit.mjs";

export const name = "site tests";
export const scope = "package";
export const together = 3;
export const needs = ["build", "site"];

/** @type {import("../suite.mjs").Chooses} */
export const chooses = ({ folder }) => siteTests.startsWith(`${folder}/`);

/**
 * Files of tests: the one that looks at all pages, and those that see nothing but what the site's server gives them, which
 * are known to pass while that is the same.
 *
 * @type {import("../suite.mjs").Part[]}
 */
export const parts = [
  { name: "pages" },
  ...["reading", "weights", "playground", "benchmark"].map((name) => ({ name, digest: contentHash })),
];

/** @type {import("../suite.mjs").JointStage} */
export function run({ root, parts, cache }) {
  const files = parts.map((part) => join(root, siteTests, `${part}.test.ts`));
  const outcomes = runTests(root, files, cache);
  return Object.fromEntries(
    parts.map((part, k) => [part, { ...outcomes[k], ...readsOf(join(cache, `reads-${part}.json`)) }]),
  );
}

/** @param {string} path where tests have noted what they read */
function readsOf(path) {
  return existsSync(path) ? { reads: JSON.parse(readFileSync(path, "utf8")) } : {};
}
