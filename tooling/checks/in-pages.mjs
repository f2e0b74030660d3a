// The README of every package that runs in pages says how a page without a bundler imports it, and leads to its first program in the playground.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { tsBlocks } from "../readme/blocks.mjs";
import { pageEntries, runsInPages } from "../setup/pages.mjs";
import { readRepository } from "./repository.mjs";

/** @typedef {import("./repository.mjs").Package} Package */

export const title = "every README says how to run it in a page";

const place = /<!-- in pages[^>]*-->\n[\s\S]*?\n<!-- end of in pages -->\n\n/;
/** The command that installs the package. */
const install = /^```sh\nnpm install [\s\S]*?^```\n\n/m;

/**
 * What can be imported in the playground, by name.
 *
 * @param {Package[]} packages
 */
function importable(packages) {
  return new Set(
    packages
      .filter(({ kind, slug }) => (kind === "core" || kind === "method") && slug !== "commands")
      .flatMap(({ name, manifest }) =>
        Object.keys(manifest.exports ?? {})
          .filter((path) => runsInPages(path))
          .map((path) => name + path.slice(1)),
      ),
  );
}

/**
 * Where the playground opens with the first program of a README, or else with the package's first example.
 *
 * @param {Package} pkg
 * @param {string} readme
 * @param {Set<string>} available
 */
function programOf({ slug, directory }, readme, available) {
  const runs = tsBlocks(readme).some(
    ({ code, run }) =>
      run &&
      /^import /m.test(code) &&
      [...code.matchAll(/\bfrom\s+"([^"]+)"/g)].every(([, specifier]) => available.has(specifier)),
  );
  if (runs) return `readme/${slug}/1`;
  const folder = join(directory, "playground");
  const [first] = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(".js"))
        .sort()
    : [];
  return first && `${slug}/${first.slice(0, -".js".length)}`;
}

/**
 * The lines of a package; nothing where it does not run in pages.
 *
 * @param {Package} pkg
 * @param {string} readme
 * @param {import("./repository.mjs").Repository} repository
 */
export function inPages(pkg, readme, { packages, root }) {
  const { name, slug, kind, manifest } = pkg;
  if (kind === "app" || kind === "tool" || manifest.private || pageEntries(manifest).size === 0) return undefined;
  const { homepage } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const page = `${homepage}/${kind === "method" ? "methods" : "packages"}/${slug}`;
  const map = /^## Install$/m.test(readme) ? `${page}#install` : page;
  const program = programOf(pkg, readme, importable(packages));
  return [
    "<!-- in pages: pnpm list-packages -->",
    `In a page without a bundler: \`https://cdn.jsdelivr.net/npm/${name}\` or \`https://unpkg.com/${name}\`, with [its import map](${map}).`,
    ...(program ? [`[Open its first program in the playground](${homepage}/playground#${program}).`] : []),
    "<!-- end of in pages -->",
  ].join("\n");
}

/**
 * A README with its present lines, behind the command that installs the package.
 *
 * @param {Package} pkg
 * @param {string} readme
 * @param {import("./repository.mjs").Repository} repository
 */
export function withLines(pkg, readme, repository) {
  const bare = readme.replace(place, "");
  const lines = inPages(pkg, bare, repository);
  return lines === undefined ? bare : bare.replace(install, (section) => `${section}${lines}\n\n`);
}

/**
 * @param {import("./repository.mjs").Repository} repository
 * @param {Package[]} [selected]
 * @returns {import("./repository.mjs").CheckResult}
 */
export function check(repository, selected = repository.packages) {
  const subjects = selected.filter(({ directory }) => existsSync(join(directory, "README.md")));
  const violations = subjects.flatMap((pkg) => {
    const readme = readFileSync(join(pkg.directory, "README.md"), "utf8");
    const lines = inPages(pkg, readme, repository);
    if (readme === withLines(pkg, readme, repository) && (lines === undefined || readme.includes(lines))) return [];
    const message =
      "README.md: its lines on pages are not those of today: pnpm list-packages (behind the command that installs it)";
    return [{ subject: pkg.folder, message }];
  });
  return { subjects: subjects.length, violations };
}

/**
 * Writes the lines into the READMEs.
 *
 * @param {import("./repository.mjs").Repository} repository
 * @param {Package[]} [selected]
 */
export function write(repository, selected = repository.packages) {
  for (const pkg of selected) {
    const path = join(pkg.directory, "README.md");
    if (!existsSync(path)) continue;
    const readme = readFileSync(path, "utf8");
    const written = withLines(pkg, readme, repository);
    if (written !== readme) writeFileSync(path, written);
  }
}

// `pnpm list-packages` writes them.
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) write(readRepository(process.cwd()));
