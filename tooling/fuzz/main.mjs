#!/usr/bin/env node
// `npm run fuzz -- [--runs n] [word]`: the tests of damaged files with 10,000 damaged copies of each file, or n.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { values, positionals } = parseArgs({
  options: { runs: { type: "string", default: "10000" } },
  allowPositionals: true,
});
const folder = join(root, "node_modules", ".cache", "offprint", "fuzz");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

/** A reader that is longer at one file than this will not come back. */
const patience = 60_000;
const tests = ["core", "methods"]
  .flatMap((kind) => readdirSync(join(root, "packages", kind)).map((slug) => `packages/${kind}/${slug}`))
  .map((path) => `${path}/test/damaged-files.test.ts`)
  .filter((path) => existsSync(join(root, path)))
  .filter((path) => positionals.length === 0 || positionals.some((word) => path.includes(word)));
if (tests.length === 0) throw new Error(`no package of the name ${positionals.join(", ")} has a damaged-files.test.ts`);
const child = spawn(
  process.execPath,
  [join(root, "node_modules", "vitest", "vitest.mjs"), "run", "--maxWorkers=1", "--test-timeout=0", ...tests],
  {
    cwd: root,
    env: { ...process.env, OFFPRINT_FUZZ_RUNS: values.runs, OFFPRINT_FUZZ_FOLDER: folder },
    stdio: "inherit",
    detached: true,
  },
);

/** The file that was written last, and how long ago. */
function newest() {
  const paths = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  const dated = paths.map((path) => ({ path, age: Date.now() - statSync(path).mtimeMs }));
  return dated.sort((a, b) => a.age - b.age)[0];
}

let hung = "";
const watch = setInterval(() => {
  const last = newest();
  if (!last || last.age < patience || child.pid === undefined) return;
  hung = last.path;
  process.kill(-child.pid, "SIGKILL");
}, 5000);
child.on("close", (code) => {
  clearInterval(watch);
  if (hung) console.error(`no reader came back for ${patience / 1000} s; the file is ${hung}`);
  process.exitCode = hung ? 1 : (code ?? 1);
});
