// `pnpm bench [word] [--json file]`: builds, then runs every bench file whose path contains the word.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { filesBelow, readRepository, shown } from "../checks/repository.mjs";
import { build, quietEnvironment, root } from "../setup/setup.mjs";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: "string" } } });
const repository = readRepository(root);
const word = positionals[0] ?? "";
const files = repository.packages
  .filter(({ kind }) => kind !== "tool")
  .flatMap(({ directory }) => filesBelow(join(directory, "bench"), /\.bench\.ts$/))
  .filter((path) => shown(repository, path).includes(word));
if (files.length === 0) {
  console.error(`No packages/*/*/bench/*.bench.ts has "${word}" in its path.`);
  process.exit(2);
}

build(
  repository.packages
    .filter(({ directory }) => files.some((path) => path.startsWith(directory)))
    .map(({ name }) => name),
);

const cache = join(root, "node_modules", ".cache", "offprint");
mkdirSync(cache, { recursive: true });
const rows = [];
for (const path of files) {
  const file = shown(repository, path);
  const output = join(cache, "bench.json");
  rmSync(output, { force: true });
  console.log(`\n${file}`);
  const loader = new URL("../typescript/register.mjs", import.meta.url).href;
  const runner = join(root, "tooling", "bench", "run-file.mjs");
  const args = [`--import=${loader}`, "--no-warnings", runner, path, output];
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    env: quietEnvironment,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0 || !existsSync(output)) process.exitCode = 1;
  else rows.push(...JSON.parse(readFileSync(output, "utf8")).map((/** @type {object} */ row) => ({ file, ...row })));
}
if (values.json) writeFileSync(resolve(values.json), `${JSON.stringify(rows, undefined, 2)}\n`);
