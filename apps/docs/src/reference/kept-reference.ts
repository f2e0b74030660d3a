import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { hashOf } from "../hash-of.js";
import type { Package, Workspace } from "../workspace/workspace.js";

/** Generated pages of a package, by path. */
type OwnPages = readonly (readonly [path: string, content: string])[];

/**
 * Generated pages of the reference, kept from one build to the next under the hash of all that they tell of: reading the
 * types of all packages is two fifths of a build's work, and an edit changes those of few.
 */
export class KeptReference {
  readonly #path: string;
  readonly #keys: ReadonlyMap<string, string>;
  readonly #below: ReadonlyMap<string, readonly Package[]>;
  readonly #pages: Map<string, OwnPages>;

  /** @param path file that keeps them */
  constructor(path: string, { root, core, methods }: Workspace) {
    this.#path = path;
    const packages = [...core, ...methods];
    const own = new Map(packages.map((pkg) => [pkg, hashOfFiles([join(pkg.directory, "src")], pkg.name)]));
    const settings = ["pnpm-lock.yaml", "tsconfig.base.json"].map((name) => join(root, name));
    const generator = hashOfFiles([import.meta.dirname, ...settings], process.version);
    this.#below = new Map(packages.map((pkg) => [pkg.name, closure(pkg, packages)]));
    this.#keys = new Map(
      packages.map((pkg) => {
        const parts = [pkg, ...this.#below.get(pkg.name)!].map((each) => `${each.name} ${own.get(each)}`);
        const entries = pkg.entryPoints.map(({ specifier }) => specifier);
        return [pkg.name, hashOf([generator, ...parts, ...entries])];
      }),
    );
    this.#pages = readPages(path);
  }

  /** Packages whose pages are not known, or are of other sources. */
  unknown(packages: readonly Package[]): Package[] {
    return packages.filter((pkg) => !this.#pages.has(this.#keyOf(pkg)));
  }

  /** Packages that pages of the given ones link to: themselves and all that they compute with. */
  linkedFrom(packages: readonly Package[]): Set<Package> {
    return new Set(packages.flatMap((pkg) => [pkg, ...this.#below.get(pkg.name)!]));
  }

  /** Takes the pages of a package. */
  set(pkg: Package, pages: OwnPages): void {
    this.#pages.set(this.#keyOf(pkg), pages);
  }

  /** The pages of packages, all of them known; keeps those and no others. */
  finish(packages: readonly Package[]): Map<string, string> {
    const kept = packages.map((pkg) => [this.#keyOf(pkg), this.#pages.get(this.#keyOf(pkg)) ?? []] as const);
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, JSON.stringify(kept));
    return new Map(kept.flatMap(([, pages]) => pages).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #keyOf(pkg: Package): string {
    return this.#keys.get(pkg.name)!;
  }
}

/** What a package computes with, in the order of their names. */
function closure(pkg: Package, packages: readonly Package[]): Package[] {
  const byName = new Map(packages.map((each) => [each.name, each]));
  const found = new Set([pkg]);
  for (const each of found) {
    for (const name of each.dependencies) {
      const other = byName.get(name);
      if (other) found.add(other);
    }
  }
  found.delete(pkg);
  return [...found].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Of files, and of all below folders. */
function hashOfFiles(paths: readonly string[], more: string): string {
  const hash = createHash("sha256").update(more);
  for (const path of paths) {
    for (const file of filesOf(path)) hash.update(file.slice(path.length)).update("\0").update(readFileSync(file));
  }
  return hash.digest("base64url");
}

/** A file itself, or the files below a folder in the order of their names; none where there is nothing. */
function filesOf(path: string): string[] {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.[jt]s$/.test(entry.name))
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR") return [path];
    if (code === "ENOENT") return [];
    throw error;
  }
}

/** The pages of a file; none where it is absent or damaged. */
function readPages(path: string): Map<string, OwnPages> {
  try {
    return new Map(JSON.parse(readFileSync(path, "utf8")) as [string, OwnPages][]);
  } catch {
    return new Map();
  }
}
