// What the outcome of a job depends on, as a hash: a job whose hash was seen before, and passed, is not run again.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { filesBelow, ignoredFolders } from "../checks/repository.mjs";

/** @typedef {import("../checks/repository.mjs").Package} Package */

/** Of a package that others stand on, what its users see. */
const shipped = ["src", "claims", "cli", "assembly", "assets", "playground", "package.json", "tsconfig.json"];
/** What pages, programs and tarballs show besides. */
const shown = [...shipped, "README.md", "CHANGELOG.md", "LICENSE", "examples"];
/** What tests of an app read besides itself and the core packages below it, by the app's folder. */
const readBesides = new Map([
  ["apps/cli", ["apps/docs/guides", "packages/core/cluster/test/fixtures"]],
  ["apps/docs", ["docs"]],
]);
/** Apps whose manifests name methods, which are loaded by their names, and which their tests do not read. */
const namesMethods = new Set(["apps/cli"]);
const shared = [
  "package.json",
  "pnpm-lock.yaml",
  "tsconfig.base.json",
  "tsconfig.check.json",
  "vitest.config.ts",
  "tooling/suite",
  "tooling/typescript",
  "tooling/readme",
];

/**
 * Hashes of parts of a repository, each read once.
 *
 * @param {import("../checks/repository.mjs").Repository} repository
 */
export function fingerprints({ root, packages }) {
  /** @type {Map<string, string>} */
  const known = new Map();
  const byName = new Map(packages.map((pkg) => [pkg.name, pkg]));

  /** @param {string} path a file or folder; absent ones count as empty */
  function hashOf(path) {
    let value = known.get(path);
    if (value === undefined) {
      const hash = createHash("sha256");
      const isFile = statSync(path, { throwIfNoEntry: false })?.isFile();
      for (const file of isFile ? [path] : filesBelow(path)) {
        hash.update(file.slice(root.length)).update("\0").update(readWhereFile(file));
      }
      value = hash.digest("hex");
      known.set(path, value);
    }
    return value;
  }

  const machine = `${process.version} ${process.platform} ${process.arch}`;
  const base = createHash("sha256")
    .update(machine)
    .update(shared.map((path) => hashOf(join(root, path))).join())
    .digest("hex");

  /** @param {Package} pkg */
  function standsOn({ manifest }) {
    const { dependencies, devDependencies, peerDependencies, optionalDependencies } = manifest;
    return Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies, ...optionalDependencies })
      .map((name) => byName.get(name))
      .filter((pkg) => pkg !== undefined);
  }

  /** @param {Package} pkg */
  function below(pkg) {
    const found = new Set([pkg]);
    for (const each of found) for (const other of standsOn(each)) found.add(other);
    found.delete(pkg);
    return [...found].sort((a, b) => a.folder.localeCompare(b.folder));
  }

  const roots = ["README.md", "tooling", "docs"].map((each) => join(root, each));

  /** @param {string} name @param {string[]} paths */
  const together = (name, paths) =>
    createHash("sha256")
      .update([base, name, ...paths.map(hashOf)].join())
      .digest("hex");

  /** @param {Package} pkg @param {string[]} parts */
  const partsOf = ({ directory }, parts) => parts.map((part) => join(directory, part));

  return {
    /**
     * Everything that can change what a stage finds in a package. Tools look at the whole repository, apps at what it
     * shows, but where their tests bring methods of their own; and the tests of a package change what its tests find,
     * and nothing else.
     *
     * @param {string} stage
     * @param {Package} pkg
     * @param {import("./suite.mjs").Part} [part] of the stage; where it depends on what another one makes, only what it
     * looks at besides
     */
    ofPackage(stage, pkg, part) {
      const besides = (readBesides.get(pkg.folder) ?? []).map((path) => join(root, path));
      const others = below(pkg).filter(({ kind }) => kind === "core" || !namesMethods.has(pkg.folder));
      const stoodOn = others.flatMap((other) => partsOf(other, shipped));
      const own = (/** @type {string} */ name) => together(name, [pkg.directory, ...besides, ...stoodOn]);
      if (part) return part.digest ? own(`${stage} ${part.name}`) : this.ofApp(`${stage} ${part.name}`);
      if (stage === "types") return together(stage, [pkg.directory, ...(pkg.kind === "tool" ? roots : []), ...stoodOn]);
      if (stage === "checks") return together(stage, [...roots, pkg.directory, ...stoodOn]);
      if (pkg.kind === "tool") return this.ofTools(`${stage} ${pkg.name}`);
      if (stage === "tests" && besides.length > 0) return own(stage);
      // In a tarball a method that is named is its version.
      const named = below(pkg).map(({ directory }) => join(directory, "package.json"));
      if (stage === "packages") return together(stage, [...partsOf(pkg, shown), ...stoodOn, ...named]);
      if (namesMethods.has(pkg.folder)) return this.ofApp(`${stage} ${pkg.name}`);
      return together(stage, [...(stage === "tests" ? [pkg.directory] : partsOf(pkg, shown)), ...stoodOn]);
    },

    /**
     * What apps show of all packages, and the apps themselves.
     *
     * @param {string} name
     */
    ofApp(name) {
      const paths = packages.flatMap((pkg) => (pkg.kind === "app" ? [pkg.directory] : partsOf(pkg, shown)));
      return together(name, [...roots, ...paths]);
    },

    /**
     * What the documentation site is made of: apps without their tests, what it shows of all packages, and of the tools
     * those that build it.
     *
     * @param {string} name
     */
    ofSite(name) {
      const made = ["README.md", "CONTRIBUTING.md", "docs", "package.json", "pnpm-lock.yaml", "tsconfig.base.json"];
      const paths = packages.flatMap((pkg) =>
        pkg.kind === "app"
          ? partsOf(
              pkg,
              readdirSync(pkg.directory).filter((part) => part !== "test" && !ignoredFolders.has(part)),
            )
          : partsOf(pkg, shown),
      );
      const hashes = [...[...made, "tooling/setup"].map((path) => join(root, path)), ...paths].map(hashOf);
      return createHash("sha256")
        .update([machine, name, ...hashes].join())
        .digest("hex");
    },

    /**
     * The tools, and the packages that what they make stands on.
     *
     * @param {string} stage
     */
    ofTools(stage) {
      const core = packages.filter(({ kind }) => kind === "core");
      return together(stage, [...roots, ...core.flatMap((pkg) => partsOf(pkg, shipped))]);
    },

    /** @param {string} stage */
    ofRepository(stage) {
      return together(stage, [...roots, ...packages.map(({ directory }) => directory)]);
    },
  };
}

/** @param {string} path */
function readWhereFile(path) {
  try {
    return readFileSync(path);
  } catch {
    return "";
  }
}

/**
 * Packages that a change reaches: those with changed files, and all that stand on them.
 *
 * @param {Package[]} packages
 * @param {string[]} changed paths from the root, with forward slashes
 * @returns {Package[]}
 */
export function reachedBy(packages, changed) {
  const reached = new Set(packages.filter(({ folder }) => changed.some((path) => path.startsWith(`${folder}/`))));
  for (;;) {
    const names = new Set([...reached].map(({ name }) => name));
    const more = packages.filter((pkg) => {
      const { dependencies, devDependencies, peerDependencies } = pkg.manifest;
      const uses = Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies });
      return !reached.has(pkg) && uses.some((name) => names.has(name));
    });
    if (more.length === 0) return packages.filter((pkg) => reached.has(pkg));
    for (const pkg of more) reached.add(pkg);
  }
}
