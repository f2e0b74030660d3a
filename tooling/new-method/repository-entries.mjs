// Where the repository names its methods: the build, the command, the size budgets, the README and the change log.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { row } from "../checks/listed.mjs";
import { manifest } from "./package-files.mjs";

/** @typedef {import("./paper-data.mjs").PaperData} PaperData */

/**
 * Adds an element to the list of references of a tsconfig.json, in order of the paths; the rest stays as it is.
 *
 * @param {string} text
 * @param {string} path
 */
export function withReference(text, path) {
  const list = /("references"\s*:\s*\[)([\s\S]*?)(\s*\])/.exec(text);
  if (!list) throw new Error('there is no list "references"');
  const paths = [...list[2].matchAll(/"path"\s*:\s*"([^"]+)"/g)].map(([, each]) => each);
  if (paths.includes(path)) return text;
  // Written as the neighbours are: on a line, or spread over three.
  const [open, close] = /\{\s*\n/.test(list[2]) ? ["{\n      ", "\n    }"] : ["{ ", " }"];
  const items = [...paths, path].sort().map((each) => `${open}"path": ${JSON.stringify(each)}${close}`);
  return text.replace(list[0], () => `"references": [\n${items.map((item) => `    ${item}`).join(",\n")}\n  ]`);
}

/**
 * Adds a dependency to a package.json, in alphabetical order.
 *
 * @param {string} text
 * @param {string} name
 * @param {string} range
 */
export function withDependency(text, name, range) {
  const manifest = JSON.parse(text);
  const dependencies = Object.entries({ ...manifest.dependencies, [name]: range });
  manifest.dependencies = Object.fromEntries(dependencies.sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/**
 * @param {string} text budgets.json
 * @param {string} name
 * @param {number} bytes
 */
export function withBudget(text, name, bytes) {
  const budgets = JSON.parse(text);
  budgets.own = { ...budgets.own, [name]: bytes };
  return `${JSON.stringify(budgets, undefined, 2)}\n`;
}

/**
 * Adds a row to one of the README's tables.
 *
 * @param {string} text
 * @param {any} manifest of the package
 * @param {"method" | "core package"} [heading] of the table
 */
export function withRow(text, manifest, heading = "method") {
  const { name, repository } = manifest;
  const lines = text.split("\n");
  const first = lines.indexOf(`| ${heading} | what it is for |`) + 2;
  if (first < 2) return text;
  const count = lines.slice(first).findIndex((line) => !line.startsWith("| ["));
  const rows = lines.slice(first, first + count);
  const own = row({ name, folder: repository.directory, manifest });
  lines.splice(first, count, ...[...rows, own].sort((a, b) => (a < b ? -1 : 1)));
  return lines.join("\n");
}

/**
 * The files outside the package that have to know it.
 *
 * @param {string} root
 * @param {PaperData} paper
 * @returns {Record<string, string>} content by path from the root
 */
export function repositoryEntries(root, paper) {
  const { slug, description } = paper;
  const name = `@offprint/${slug}`;
  const folder = `packages/methods/${slug}`;
  /** @type {Array<[string, (text: string) => string]>} */
  const edits = [
    ["tsconfig.json", (text) => withReference(text, folder)],
    ["apps/cli/package.json", (text) => withDependency(text, name, "workspace:^")],
    ["apps/cli/tsconfig.json", (text) => withReference(text, `../../${folder}`)],
    ["tooling/size/budgets.json", (text) => withBudget(text, name, 10_000)],
    ["README.md", (text) => withRow(text, manifest(paper))],
  ];
  const edited = edits
    .filter(([path]) => existsSync(join(root, path)))
    .map(([path, edit]) => [path, edit(readFileSync(join(root, path), "utf8"))]);
  const changeset = `---\n"${name}": minor\n"offprint": minor\n---\n\nNew method. ${description}\n`;
  return { ...Object.fromEntries(edited), [`.changeset/${slug}.md`]: changeset };
}
