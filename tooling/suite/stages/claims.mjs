// Every method's claims, at the quick scale, through the built command.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

export const name = "claims";

/** @type {import("../suite.mjs").Stage} */
export function run({ root, packages, cache, environment }) {
  const methods = packages.filter(({ kind }) => kind === "method").map(({ slug }) => slug);
  if (methods.length === 0) return { passed: 0, failed: 0 };
  const json = join(cache, "claims.json");
  mkdirSync(cache, { recursive: true });
  rmSync(json, { force: true });
  const command = [join(root, "apps", "cli", "dist", "bin.js"), "reproduce", ...methods, "--json", json];
  const { status } = spawnSync(process.execPath, command, {
    cwd: root,
    env: environment,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (!existsSync(json)) return { passed: 0, failed: 1 };
  const claims = JSON.parse(readFileSync(json, "utf8")).methods.flatMap((/** @type {any} */ method) => method.claims);
  const passed = claims.filter((/** @type {any} */ claim) => claim.holds === true).length;
  const failed = claims.length - passed;
  return { passed, failed: failed === 0 && (status !== 0 || claims.length === 0) ? 1 : failed };
}
