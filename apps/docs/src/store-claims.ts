// `pnpm store-claims [--full] [method ...]`: runs claims and keeps the results that the site shows, in the repository.
// Without names it runs those of which no run of the present sources is kept.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { badge, withBadge } from "./claims/badge.js";
import { compactRun } from "./claims/compact-run.js";
import { isResultsFile, readStoredRuns, resultsFiles, sourcesOf } from "./claims/stored-runs.js";
import { type Package, readWorkspace } from "./workspace/workspace.js";

const root = join(import.meta.dirname, "..", "..", "..", "..");
const command = join(root, "apps", "cli", "dist", "bin.js");
const words = process.argv.slice(2);
const scale = words.includes("--full") ? "full" : "quick";
const wanted = words.filter((word) => word !== "--full");
const { methods } = readWorkspace(root);

/** Runs the claims of a method and keeps what came out, whether they hold or not. */
function store({ slug, directory }: Package): boolean {
  const cache = join(root, "node_modules", ".cache", "offprint");
  mkdirSync(cache, { recursive: true });
  const [results, state] = [join(cache, `site-claims-${slug}.json`), join(cache, `site-claims-${slug}-state.json`)];
  const sources = sourcesOf(directory);
  const args = [command, "reproduce", slug, "--json", results, "--state", state, "--resume"];
  const { status } = spawnSync(process.execPath, scale === "full" ? [...args, "--full"] : args, {
    cwd: root,
    stdio: "inherit",
  });
  const content: unknown = existsSync(results) ? JSON.parse(readFileSync(results, "utf8")) : undefined;
  if (!isResultsFile(content)) return false;
  const kept = { ...content, sources, runs: content.runs.map(compactRun) };
  writeFileSync(join(directory, "claims", resultsFiles[scale]), `${JSON.stringify(kept)}\n`);
  const [best] = readStoredRuns(directory, slug);
  if (best) {
    writeFileSync(join(directory, "claims", "badge.svg"), badge(best));
    const readme = join(directory, "README.md");
    writeFileSync(readme, withBadge(readFileSync(readme, "utf8")));
  }
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
  const isStored = ({ slug, directory }: Package) =>
    readStoredRuns(directory, slug).some((run) => run.current && run.scale === scale);
  const chosen = methods.filter((method) => (wanted.length > 0 ? wanted.includes(method.slug) : !isStored(method)));
  const failed = chosen.filter((method) => !store(method));
  if (failed.length > 0) console.error(`Not all claims hold: ${failed.map(({ slug }) => slug).join(", ")}.`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
