// Executes the code of a README, and the programs that the playground offers, against the built packages.
import { spawnSync } from "node:child_process";
import { basename, join } from "node:path";
import { filesBelow } from "../../checks/repository.mjs";
import { writeBlocks } from "../../readme/blocks.mjs";

export const name = "README code";
export const scope = "package";
export const needs = ["build"];

/** @type {import("../suite.mjs").Chooses} */
export const chooses = ({ kind }) => kind !== "tool";

/** A README's examples are short: all of a run's together end well within this. */
const timeout = 240_000;

/** @param {import("../../checks/repository.mjs").Package} pkg */
function examplesOf({ directory, folder }) {
  return ["playground", "examples"].flatMap((name) =>
    filesBelow(join(directory, name), /\.js$/).map((path) => {
      return { path, shown: `${folder}/${name}/${basename(path)}`, run: true };
    }),
  );
}

/** @type {import("../suite.mjs").Stage} */
export function run({ root, packages, environment }) {
  const blocks = packages.flatMap((pkg) => [...writeBlocks(pkg), ...examplesOf(pkg)]).filter((block) => block.run);
  if (blocks.length === 0) return { passed: 0, failed: 0 };
  const child = spawnSync(
    process.execPath,
    [
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
