// Formatting and lint rules, as `biome ci` sees them; files that were found right before are not looked at again.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { filesBelow } from "../../checks/repository.mjs";
import { FoundRight } from "../found-right.mjs";
import { execute } from "../suite.mjs";

export const name = "lint";

/** What may be named on a command line; of more files, all are looked at. */
const most = 200;

/** What Biome reads, by the ends of names. */
const read = /\.(?:[cm]?[jt]sx?|jsonc?|css|vue|html|svg)$/;

/** @type {import("../suite.mjs").Stage} */
export function run({ root, packages, filtered }) {
  const settings = ["biome.json", join("apps", "docs", "biome.json"), "pnpm-lock.yaml"];
  const known = new FoundRight(
    join(root, "node_modules", ".cache", "offprint", "linted.json"),
    root,
    settings.map((path) => readFileSync(join(root, path), "utf8")),
  );
  const files = filtered ? [] : filesBelow(root, read);
  const unknown = process.env.OFFPRINT_FRESH === "1" ? files : known.unknownOf(files);
  if (!filtered && unknown.length === 0) return { passed: 1, failed: 0 };
  const paths = filtered ? packages.map(({ directory }) => directory) : unknown.length > most ? [root] : unknown;
  const options = ["--colors=off", "--diagnostic-level=warn", "--error-on-warnings", "--no-errors-on-unmatched"];
  const { status, output } = execute(root, "@biomejs/biome/bin/biome", ["ci", ...options, ...paths]);
  if (status === 0) {
    if (!filtered) known.keep(files);
    return { passed: 1, failed: 0 };
  }
  console.log(output.trim());
  return { passed: 0, failed: 1 };
}
