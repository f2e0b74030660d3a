// Builds the packages, with what they depend on.
import { build } from "../../setup/setup.mjs";

export const name = "build";

/**
 * What the command stands on besides the methods: a selection is built with it, as claims run through it, and with what
 * its tests import, as their types are read from it.
 */
const commandParts = ["claims", "cluster", "commands", "data", "onnx-runtime"].map((part) => `@offprint/${part}`);

/** @type {import("../suite.mjs").Stage} */
export function run({ packages, filtered }) {
  const built = packages.filter(({ manifest }) => manifest.scripts?.build).map((pkg) => pkg.name);
  const imported = packages.flatMap(({ manifest }) => Object.keys(manifest.devDependencies ?? {}));
  if (built.length > 0) build(filtered ? [...new Set([...built, ...commandParts, ...imported])] : []);
  return { passed: built.length, failed: 0 };
}
