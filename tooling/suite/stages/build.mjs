// Builds the packages, with what they depend on.
import { build, builtPackages } from "../../setup/setup.mjs";

export const name = "build";

/**
 * What the command stands on besides the methods: a selection is built with it, as claims run through it, and with what
 * its tests import, as their types are read from it.
 */
const commandParts = ["claims", "cluster", "commands", "data", "onnx-runtime"].map((part) => `@offprint/${part}`);

/**
 * What is built for a selection: of what its tests import, the packages of this repository that are built.
 *
 * @param {import("../../checks/repository.mjs").Package[]} packages
 */
export function selected(packages) {
  const imported = packages.flatMap(({ manifest }) => Object.keys(manifest.devDependencies ?? {}));
  const wanted = new Set([...packages.map(({ name }) => name), ...commandParts, ...imported]);
  return builtPackages()
    .map(({ name }) => name)
    .filter((name) => wanted.has(name));
}

/** @type {import("../suite.mjs").Stage} */
export function run({ packages, filtered }) {
  const built = packages.filter(({ manifest }) => manifest.scripts?.build);
  if (built.length > 0) build(filtered ? selected(built) : []);
  return { passed: built.length, failed: 0 };
}
