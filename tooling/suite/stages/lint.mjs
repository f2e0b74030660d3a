// Formatting and lint rules, as `biome ci` sees them.
import { execute } from "../suite.mjs";

export const name = "lint";

/** @type {import("../suite.mjs").Stage} */
export function run({ root, packages, filtered }) {
  const paths = filtered ? packages.map(({ directory }) => directory) : [root];
  const options = ["--colors=off", "--diagnostic-level=warn", "--error-on-warnings", "--no-errors-on-unmatched"];
  const { status, output } = execute(root, "@biomejs/biome/bin/biome", ["ci", ...options, ...paths]);
  if (status === 0) return { passed: 1, failed: 0 };
  console.log(output.trim());
  return { passed: 0, failed: 1 };
}
