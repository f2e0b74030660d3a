// Tests of the documentation site as it is built: of all packages' pages, in a browser. The other tests of its package do
// not follow what packages say.
import { join } from "node:path";
import { runTests, siteTests } from "./unit.mjs";

export const name = "site tests";
export const scope = "package";
export const needs = ["build", "site"];

/** @type {import("../suite.mjs").Chooses} */
export const chooses = ({ folder }) => siteTests.startsWith(`${folder}/`);

/** @type {import("../suite.mjs").Stage} */
export function run({ root, cache }) {
  const [outcome] = runTests(root, [join(root, siteTests)], cache);
  return outcome;
}
