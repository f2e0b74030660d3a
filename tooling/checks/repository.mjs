// What every check looks at: the packages of the repository, their manifests and files.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";

/**
 * @typedef {"core" | "method" | "app" | "tool"} Kind
 * @typedef {object} Package
 * @property {string} name as in its package.json
 * @property {string} slug name of its folder
 * @property {Kind} kind what the folder above says it is
 * @property {string} directory absolute path
 * @property {string} folder path from the root, with forward slashes
 * @property {any} manifest its package.json
 * @typedef {object} Repository
 * @property {string} root absolute path
 * @property {Package[]} packages sorted by folder
 * @typedef {object} Violation
 * @property {string} subject the package or file
 * @property {string} message what is wrong and what to do
 * @typedef {object} CheckResult
 * @property {number} subjects how many things were looked at
 * @property {Violation[]} violations
 */

/** @type {Array<[string, Kind]>} */
const layout = [
  ["packages/core", "core"],
  ["packages/methods", "method"],
  ["apps", "app"],
  ["tooling", "tool"],
];

/** Folders of what is built or installed; `.temp` is there while the site is built. */
export const ignoredFolders = new Set([
  ...["node_modules", "dist", ".temp", ".readme-code", "coverage", ".git", "offprint-report"],
]);

/**
 * Reads the packages under a root.
 *
 * @param {string} root
 * @returns {Repository}
 */
export function readRepository(root) {
  const packages = layout.flatMap(([parent, kind]) => {
    const path = join(root, parent);
    if (!existsSync(path)) return [];
    return readdirSync(path)
      .filter((slug) => existsSync(join(path, slug, "package.json")))
      .map((slug) => {
        const directory = join(path, slug);
        const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
        return { name: manifest.name, slug, kind, directory, folder: `${parent}/${slug}`, manifest };
      });
  });
  return { root, packages: packages.sort((a, b) => a.folder.localeCompare(b.folder)) };
}

/**
 * Files below a folder, without what is built or installed.
 *
 * @param {string} directory absolute path; a missing one has no files
 * @param {RegExp} [pattern] on the file's name
 * @returns {string[]} absolute paths, sorted
 */
export function filesBelow(directory, pattern = /./) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .sort()
    .flatMap((name) => {
      const path = join(directory, name);
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
        return ignoredFolders.has(name) ? [] : filesBelow(path, pattern);
      }
      return pattern.test(basename(path)) ? [path] : [];
    });
}

/**
 * The path that messages show.
 *
 * @param {Repository} repository
 * @param {string} path absolute
 */
export function shown(repository, path) {
  return relative(repository.root, path).split(sep).join("/");
}

/**
 * Packages meant by the word after `--filter`: a full name, a folder's name, or a part of either.
 *
 * @param {Repository} repository
 * @param {string} word
 * @returns {Package[]}
 */
export function matchingPackages(repository, word) {
  const exact = repository.packages.filter(({ name, slug, folder }) => [name, slug, folder].includes(word));
  return exact.length > 0
    ? exact
    : repository.packages.filter(({ name, folder }) => `${name} ${folder}`.includes(word));
}
