// Executes the code of a README, and the programs that the playground offers, against the built packages.
import { spawnSync } from "node:child_process";
import { basename, join } from "node:path";
import { filesBelow } from "../../checks/repository.mjs";
import { writeBlocks } from "../../readme/blocks.mjs";

export const name = "README code";
export const scope = "package";
export const together = 8;
export const needs = ["build"];

/** @type {import("../suite.mjs").Chooses} */
export const chooses = ({ kind }) => kind !== "tool";

/** A README's examples are short: all of a package's together end well within this. */
const timeout = 240_000;

/** @param {import("../../checks/repository.mjs").Package} pkg */
function examplesOf({ directory, folder }) {
  return ["playground", "examples"].flatMap((name) =>
    filesBelow(join(directory, name), /\.js$/).map((path) => {
      return { path, shown: `${folder}/${name}/${basename(path)}`, run: true };
    }),
  );
}

/** @type {import("../suite.mjs").JointStage} */
export function run({ root, packages, environment }) {
  const blocksOf = new Map(
    packages.map((pkg) => [pkg.name, [...writeBlocks(pkg), ...examplesOf(pkg)].filter((block) => block.run)]),
  );
  const child = spawnSync(
    process.execPath,
    [
      `--import=${new URL("../../typescript/register.mjs", import.meta.url).href}`,
      join(root, "tooling", "readme", "run-blocks.mjs"),
      ...[...blocksOf.values()].flatMap((blocks) => blocks.map(({ path }) => path)),
    ],
    {
      cwd: root,
      env: environment,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      encoding: "utf8",
      maxBuffer: 256 * 1024 * 1024,
      timeout: timeout * packages.length,
    },
  );
  const lines = String(child.output?.[3] ?? "")
    .split("\n")
    .filter(Boolean);
  const results = new Map(lines.map((line) => JSON.parse(line)).map((result) => [result.path, result.error]));
  const unreached = (child.signal && `stopped by ${child.signal}`) || child.stderr.trim() || "did not end";
  return Object.fromEntries(
    [...blocksOf].map(([name, blocks]) => {
      const failures = blocks
        .map(({ path, shown }) => ({ shown, error: results.has(path) ? results.get(path) : unreached }))
        .filter(({ error }) => error)
        .map(({ shown, error }) => `${shown}: ${error.split("\n").slice(0, 8).join("\n    ")}`);
      return [name, { passed: blocks.length - failures.length, failed: failures.length, failures }];
    }),
  );
}
