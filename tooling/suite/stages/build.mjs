// Builds the packages, with what they depend on.
import { build } from "../../setup/setup.mjs";

export const name = "build";

/** @type {import("../suite.mjs").Stage} */
export function run({ packages, filtered }) {
  const built = packages.filter(({ manifest }) => manifest.scripts?.build).map((pkg) => pkg.name);
  if (built.length > 0) build(filtered ? built : []);
  return { passed: built.length, failed: 0 };
}
