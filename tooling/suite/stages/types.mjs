// One type check over sources, tests, claims, benches and README code.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeBlocks } from "../../readme/blocks.mjs";
import { execute } from "../suite.mjs";

export const name = "types";

const folders = ["src", "claims", "cli", "test", "bench"];

/** @type {import("../suite.mjs").Stage} */
export function run({ root, packages, filtered, cache }) {
  for (const pkg of packages) writeBlocks(pkg);
  const project = filtered ? join(cache, "tsconfig.types.json") : join(root, "tsconfig.check.json");
  if (filtered) {
    const include = packages.flatMap(({ directory }) =>
      [...folders, ".readme-code"].map((folder) => `${directory}/${folder}/**/*.ts`),
    );
    mkdirSync(cache, { recursive: true });
    const checked = JSON.parse(readFileSync(join(root, "tsconfig.check.json"), "utf8"));
    const typeRoots = [join(root, "node_modules", "@types")];
    const compilerOptions = { incremental: false, typeRoots };
    // Paths of the generated file are relative to its own folder, those of the root's file to the root.
    const exclude = checked.exclude.map((/** @type {string} */ pattern) => join(root, pattern));
    const config = { extends: join(root, "tsconfig.check.json"), compilerOptions, include, exclude };
    writeFileSync(project, JSON.stringify(config));
  }
  const { status, output } = execute(root, "typescript/bin/tsc", ["-p", project, "--pretty", "false"]);
  if (status === 0) return { passed: 1, failed: 0 };
  console.log(output.trim());
  return { passed: 0, failed: 1 };
}
