// knip: files, exports and dependencies that nothing uses.
import { join } from "node:path";
import { execute } from "../suite.mjs";

export const name = "unused code";
export const cached = true;

/** @type {import("../suite.mjs").Stage} */
export function run({ root, packages, filtered }) {
  const workspaces = filtered ? packages.flatMap(({ folder }) => ["--workspace", folder]) : [];
  const { status, output } = execute(root, "knip/bin/knip.js", [
    ...["--no-progress", "--no-config-hints"],
    ...["--cache", "--cache-location", join(root, "node_modules", ".cache", "offprint", "knip")],
    ...workspaces,
  ]);
  if (status === 0) return { passed: 1, failed: 0 };
  console.log(output.trim());
  return { passed: 0, failed: 1 };
}
