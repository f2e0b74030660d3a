// The README of the repository lists every package that is published, with what it is for; architecture.md every core package.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readRepository } from "./repository.mjs";

export const title = "the README lists every package, and what it is for";

const place = /(<!-- packages[^>]*-->\n\n)([\s\S]*?)(\n\n<!-- end of packages -->)/;

/**
 * The line of a package.
 *
 * @param {Pick<import("./repository.mjs").Package, "name" | "folder" | "manifest">} pkg
 */
export function row({ name, folder, manifest }) {
  const text = manifest.offprint?.task
    ? `**${manifest.offprint.task}.** ${manifest.description}`
    : manifest.description;
  return `| [\`${name}\`](${folder}) | ${text.replaceAll("|", "\\|").replace(/\.$/, "")} |`;
}

/**
 * The tables of methods and of core packages.
 *
 * @param {import("./repository.mjs").Repository} repository
 */
export function packageTables({ packages }) {
  const published = packages.filter(({ manifest }) => !manifest.private);
  const table = (/** @type {string} */ heading, /** @type {string} */ kind) =>
    [`| ${heading} | what it is for |`, "| --- | --- |", ...published.filter((pkg) => pkg.kind === kind).map(row)].join(
      "\n",
    );
  return `${table("method", "method")}\n\n${table("core package", "core")}`;
}

/**
 * Core packages without a line in the tree of docs/architecture.md.
 *
 * @param {import("./repository.mjs").Repository} repository
 */
function withoutLine({ root, packages }) {
  const path = join(root, "docs", "architecture.md");
  // Copies of a part of the repository have no documents.
  if (!existsSync(path)) return [];
  const tree = /```\n([\s\S]*?)```/.exec(readFileSync(path, "utf8"))?.[1] ?? "";
  const named = new Set(Array.from(tree.matchAll(/([a-z-]+)\//g), ([, name]) => name));
  return packages.filter(({ kind, slug }) => kind === "core" && !named.has(slug));
}

/** @param {import("./repository.mjs").Repository} repository */
export function check(repository) {
  const path = join(repository.root, "README.md");
  const [, , listed] = place.exec(readFileSync(path, "utf8")) ?? [];
  const violations =
    listed === packageTables(repository)
      ? []
      : [{ subject: "README.md", message: "its tables of packages are not those of today: pnpm list-packages" }];
  for (const { slug } of withoutLine(repository)) {
    violations.push({
      subject: "docs/architecture.md",
      message: `its tree has no line for packages/core/${slug}; say there what it holds`,
    });
  }
  return { subjects: repository.packages.filter(({ manifest }) => !manifest.private).length, violations };
}

// `pnpm list-packages` writes the tables.
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const repository = readRepository(process.cwd());
  const path = join(repository.root, "README.md");
  const text = readFileSync(path, "utf8");
  writeFileSync(
    path,
    text.replace(place, (_, open, __, close) => open + packageTables(repository) + close),
  );
}
