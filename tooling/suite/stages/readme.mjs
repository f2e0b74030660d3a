// Executes the code of the READMEs against the workspace's sources.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { writeBlocks } from "../../readme/blocks.mjs";

export const name = "README code";

/** A README's examples are short: all of a run's together end well within this. */
const timeout = 240_000;

/** @type {import("../suite.mjs").Stage} */
export function run({ root, packages, environment }) {
  const blocks = packages.flatMap(writeBlocks).filter((block) => block.run);
  if (blocks.length === 0) return { passed: 0, failed: 0 };
  const child = spawnSync(
    process.execPath,
    [
      "--conditions=@offprint/source",
      `--import=${new URL("../../typescript/register.mjs", import.meta.url).href}`,
      join(root, "tooling", "readme", "run-blocks.mjs"),
      ...blocks.map(({ path }) => path),
    ],
    { cwd: root, env: environment, stdio: ["ignore", "pipe", "pipe", "pipe"], encoding: "utf8", timeout },
  );
  const lines = String(child.output?.[3] ?? "")
    .split("\n")
    .filter(Boolean);
  const results = new Map(lines.map((line) => JSON.parse(line)).map((result) => [result.path, result.error]));
  const unreached = (child.signal && `stopped by ${child.signal}`) || child.stderr.trim() || "did not end";
  const failures = blocks
    .map(({ path, shown }) => ({ shown, error: results.has(path) ? results.get(path) : unreached }))
    .filter(({ error }) => error);
  for (const { shown, error } of failures)
    console.log(`  ${shown}\n    ${error.split("\n").slice(0, 8).join("\n    ")}`);
  return { passed: blocks.length - failures.length, failed: failures.length };
}
