// `pnpm --filter @offprint/docs refresh-claims [--full] [method ...]`: runs claims and stores the results that the site shows.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { resultsFile } from "./claims/stored-runs.js";
import { readWorkspace } from "./workspace/workspace.js";

const root = join(import.meta.dirname, "..", "..", "..", "..");
const command = join(root, "apps", "cli", "dist", "bin.js");
const words = process.argv.slice(2);
const full = words.includes("--full");
const wanted = words.filter((word) => word !== "--full");
const { methods } = readWorkspace(root);

function refresh(slug: string, directory: string): boolean {
  const file = full ? resultsFile.replace(".json", ".full.json") : resultsFile;
  const state = join(root, "node_modules", ".cache", "offprint", `site-claims-${slug}.json`);
  const args = [command, "reproduce", slug, "--json", join(directory, "claims", file), "--state", state, "--resume"];
  const { status } = spawnSync(process.execPath, full ? [...args, "--full"] : args, { cwd: root, stdio: "inherit" });
  return status === 0;
}

const unknown = wanted.filter((word) => !methods.some(({ slug }) => slug === word));
if (unknown.length > 0 || !existsSync(command)) {
  console.error(
    unknown.length > 0
      ? `No method is named ${unknown.join(", ")}. There are: ${methods.map(({ slug }) => slug).join(", ")}.`
      : "The command is not built yet: npm start -- list builds it",
  );
  process.exitCode = 2;
} else {
  const chosen = methods.filter(({ slug }) => wanted.length === 0 || wanted.includes(slug));
  const failed = chosen.filter(({ slug, directory }) => !refresh(slug, directory));
  if (failed.length > 0) console.error(`Not all claims hold: ${failed.map(({ slug }) => slug).join(", ")}.`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
