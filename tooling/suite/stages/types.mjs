// One type check over sources, tests, claims, benches and README code: of all, or of the packages that a change reaches.
// Of methods alone what they stand on is read as it was built: one takes a quarter of the time.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeBlocks } from "../../readme/blocks.mjs";
import { execute } from "../suite.mjs";

export const name = "types";
export const scope = "package";
export const together = Number.POSITIVE_INFINITY;

const folders = ["src", "claims", "cli", "test", "bench", ".readme-code"];

/** @typedef {import("../../checks/repository.mjs").Package} Package */

/**
 * Whether declarations do for what packages stand on: nothing that the tests of a method import stands on it.
 *
 * @param {Package[]} packages
 */
const fromBuilt = (packages) => packages.every(({ kind }) => kind === "method");

export const needs = ["build"];

/** @type {import("../suite.mjs").JointStage} */
export function run({ root, repository, packages, filtered }) {
  for (const pkg of packages) writeBlocks(pkg);
  const whole = !filtered && packages.length > repository.packages.length / 2;
  const project = whole ? join(root, "tsconfig.check.json") : writeProject(root, packages, filtered);
  const { status, output } = execute(root, "typescript/bin/tsc", ["-p", project, "--pretty", "false"]);
  const wrong = status === 0 ? new Map() : failuresOf(output, packages);
  return Object.fromEntries(
    packages.map(({ name }) => {
      const failures = wrong.get(name) ?? [];
      return [name, { passed: failures.length > 0 ? 0 : 1, failed: failures.length > 0 ? 1 : 0, failures }];
    }),
  );
}

/**
 * Writes a project of some packages; tools are looked at with all that is beside them.
 *
 * @param {string} root
 * @param {Package[]} packages
 * @param {boolean} filtered
 */
function writeProject(root, packages, filtered) {
  const kept = join(root, "node_modules", ".cache", "offprint");
  const built = fromBuilt(packages);
  const which = packages.length === 1 ? packages[0].slug : built ? "methods" : "some";
  const project = join(kept, `tsconfig.types-${which}.json`);
  const tools = !filtered && packages.some(({ kind }) => kind === "tool");
  const include = [
    ...packages.flatMap(({ directory }) => folders.map((folder) => `${directory}/${folder}/**/*.ts`)),
    ...(tools ? ["vitest.config.ts", "tooling/**/*.mjs", "tooling/**/*.ts"].map((path) => `${root}/${path}`) : []),
  ];
  mkdirSync(kept, { recursive: true });
  const checked = JSON.parse(readFileSync(join(root, "tsconfig.check.json"), "utf8"));
  const typeRoots = [join(root, "node_modules", "@types")];
  const tsBuildInfoFile = join(kept, `${which}.types.tsbuildinfo`);
  // Paths of the generated file are relative to its own folder, those of the root's file to the root.
  const exclude = checked.exclude.map((/** @type {string} */ pattern) => join(root, pattern));
  const compilerOptions = { typeRoots, tsBuildInfoFile, ...(built && { customConditions: [] }) };
  const config = { extends: join(root, "tsconfig.check.json"), compilerOptions, include, exclude };
  writeFileSync(project, JSON.stringify(config));
  return project;
}

/**
 * What the compiler says, by the packages that it says it of; what is of none of them is the first one's.
 *
 * @param {string} output
 * @param {Pick<Package, "name" | "folder">[]} packages
 * @returns {Map<string, string[]>}
 */
export function failuresOf(output, packages) {
  /** @type {Map<string, string[]>} */
  const wrong = new Map();
  // The lines of a message but for the first are indented.
  for (const message of output.trim().split(/\n(?=\S)/)) {
    const pkg = packages.find(({ folder }) => message.startsWith(`${folder}/`)) ?? packages[0];
    wrong.set(pkg.name, [...(wrong.get(pkg.name) ?? []), message]);
  }
  return wrong;
}
