// `pnpm bench [word] [--source] [--json file]`: builds, then runs every bench file whose path contains the word.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { filesBelow, readRepository, shown } from "../checks/repository.mjs";
import { build, quietEnvironment, root, SetupError } from "../setup/setup.mjs";

const loader = new URL("../typescript/register.mjs", import.meta.url).href;
const runner = join(root, "tooling", "bench", "run-file.mjs");

/**
 * Runs one bench file in a process of its own.
 *
 * @param {string} path
 * @param {boolean} fromSource
 * @returns {object[] | undefined} its rows, or nothing when it failed
 */
function runFile(path, fromSource) {
  const cache = join(root, "node_modules", ".cache", "offprint");
  const output = join(cache, "bench.json");
  mkdirSync(cache, { recursive: true });
  rmSync(output, { force: true });
  const conditions = fromSource ? ["--conditions=@offprint/source"] : [];
  const { status } = spawnSync(
    process.execPath,
    [...conditions, `--import=${loader}`, "--no-warnings", runner, path, output],
    { cwd: root, env: quietEnvironment, stdio: ["ignore", "inherit", "inherit"] },
  );
  return status === 0 && existsSync(output) ? JSON.parse(readFileSync(output, "utf8")) : undefined;
}

/**
 * @param {string} word
 * @param {{ source?: boolean, json?: string }} options
 */
function main(word, { source = false, json }) {
  const repository = readRepository(root);
  const files = repository.packages
    .filter(({ kind }) => kind !== "tool")
    .flatMap((pkg) => filesBelow(join(pkg.directory, "bench"), /\.bench\.ts$/).map((path) => ({ pkg, path })))
    .map(({ pkg, path }) => ({ name: pkg.name, path, file: shown(repository, path) }))
    .filter(({ file }) => file.includes(word));
  if (files.length === 0) throw new SetupError(`No packages/*/*/bench/*.bench.ts has "${word}" in its path.`);
  if (!source) build([...new Set(files.map(({ name }) => name))]);
  const rows = [];
  for (const { file, path } of files) {
    console.log(`\n${file}`);
    const measured = runFile(path, source);
    if (!measured) process.exitCode = 1;
    rows.push(...(measured ?? []).map((row) => ({ file, ...row })));
  }
  if (json) writeFileSync(resolve(json), `${JSON.stringify(rows, undefined, 2)}\n`);
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "string" }, source: { type: "boolean" } },
  });
  main(positionals[0] ?? "", values);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
