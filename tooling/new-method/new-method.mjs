// Makes a method package and tells the repository about it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { write } from "../checks/in-pages.mjs";
import { readRepository } from "../checks/repository.mjs";
import { coreFiles } from "./core-package.mjs";
import { packageFiles } from "./package-files.mjs";
import { UsageError } from "./paper-data.mjs";
import { repositoryEntries } from "./repository-entries.mjs";

/**
 * The areas that methods are listed under.
 *
 * @param {string} root
 * @returns {string[]}
 */
export function areasIn(root) {
  const methods = join(root, "packages", "methods");
  const manifests = (existsSync(methods) ? readdirSync(methods) : [])
    .map((slug) => join(methods, slug, "package.json"))
    .filter((path) => existsSync(path));
  const areas = manifests.map((path) => JSON.parse(readFileSync(path, "utf8")).offprint?.area);
  return [...new Set(areas.filter(Boolean))].sort();
}

/**
 * Throws where a package of this name is already there.
 *
 * @param {string} root
 * @param {string} slug
 */
export function requireFree(root, slug) {
  for (const folder of [`packages/methods/${slug}`, `packages/core/${slug}`]) {
    if (existsSync(join(root, folder, "package.json"))) throw new UsageError(`${folder} is already there`);
  }
}

/**
 * Writes the package and the places that name it.
 *
 * @param {string} root
 * @param {import("./paper-data.mjs").PaperData} paper
 * @returns {string[]} the written paths, from the root
 */
export function createMethod(root, paper) {
  requireFree(root, paper.slug);
  const inside = Object.entries(packageFiles(paper)).map(([path, text]) => [
    `packages/methods/${paper.slug}/${path}`,
    text,
  ]);
  const written = writeAll(root, [...inside, ...Object.entries(repositoryEntries(root, paper))]);
  sayInPages(root, `packages/methods/${paper.slug}`);
  return written;
}

/**
 * Writes a core package and the places that name it.
 *
 * @param {string} root
 * @param {import("./core-package.mjs").CoreData} data
 * @returns {string[]} the written paths, from the root
 */
export function createCore(root, data) {
  requireFree(root, data.slug);
  const written = writeAll(root, Object.entries(coreFiles(root, data)));
  sayInPages(root, `packages/core/${data.slug}`);
  return written;
}

/**
 * The lines of a new README on pages.
 *
 * @param {string} root
 * @param {string} own folder of the package
 */
function sayInPages(root, own) {
  const repository = readRepository(root);
  write(
    repository,
    repository.packages.filter(({ folder }) => folder === own),
  );
}

/**
 * @param {string} root
 * @param {string[][]} files path and text of each
 */
function writeAll(root, files) {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const written = files.map(([path]) => path);
  format(root, written);
  return written;
}

/**
 * Lays the files out as the formatter would, where it is installed.
 *
 * @param {string} root
 * @param {string[]} paths
 */
function format(root, paths) {
  const biome = join(root, "node_modules", "@biomejs", "biome", "bin", "biome");
  if (!existsSync(biome)) return;
  const files = paths.filter((path) => /\.(?:js|ts|json)$/.test(path));
  spawnSync(process.execPath, [biome, "check", "--write", ...files], { cwd: root, stdio: "ignore" });
}
