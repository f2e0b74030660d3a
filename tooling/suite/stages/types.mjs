// One type check over sources, tests, claims, benches and README code.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeBlocks } from "../../readme/blocks.mjs";
import { execute } from "../suite.mjs";

export const name = "types";
export const cached = true;

const folders = ["src", "claims", "cli", "test", "bench"];

/** @type {import("../suite.mjs").Stage} */
export function run({ root, packages, filtered }) {
  for (const pkg of packages) writeBlocks(pkg);
  const kept = join(root, "node_modules", ".cache", "offprint");
  const project = filtered ? join(kept, "tsconfig.types.json") : join(root, "tsconfig.check.json");
  if (filtered) {
    const include = packages.flatMap(({ directory }) =>
      [...folders, ".readme-code"].map((folder) => `${directory}/${folder}/**/*.ts`),
    );
    mkdirSync(kept, { recursive: true });
    const checked = JSON.parse(readFileSync(join(root, "tsconfig.check.json"), "utf8"));
    const typeRoots = [join(root, "node_modules", "@types")];
    const tsBuildInfoFile = join(kept, `${packages[0].slug}-${packages.length}.types.tsbuildinfo`);
    // Paths of the generated file are relative to its own folder, those of the root's file to the root.
    const exclude = checked.exclude.map((/** @type {string} */ pattern) => join(root, pattern));
    const compilerOptions = { typeRoots, tsBuildInfoFile };
    const config = { extends: join(root, "tsconfig.check.json"), compilerOptions, include, exclude };
    writeFileSync(project, JSON.stringify(config));
  }
  const { status, output } = execute(root, "typescript/bin/tsc", ["-p", project, "--pretty", "false"]);
  if (status === 0) return { passed: 1, failed: 0 };
  console.log(output.trim());
  return { passed: 0, failed: 1 };
}
