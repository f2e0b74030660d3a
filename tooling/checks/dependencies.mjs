// Dependencies point one way: methods -> domain packages -> nn, optim, data -> tensor-core.
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { filesBelow, shown } from "./repository.mjs";

/** @typedef {import("./repository.mjs").Package} Package */

export const title = "dependencies point one way and are declared";

/** Packages that stand on tensor-core and on nothing else of the repository. */
const besideTheStack = new Set(["onnx-runtime", "claims"]);
const foundation = new Set(["solvers", "optim", "nn", "data"]);
/** Installed at the root for the tests of every package. */
const testTools = new Set(["vitest", "fast-check"]);
/** Where code of a package is; that in `test` and `bench` is not published. */
const folders = ["src", "claims", "cli", "playground", "test", "bench"];
const builtins = new Set(builtinModules);

/**
 * Why `from` must not use `to`, or nothing.
 *
 * @param {Package} from
 * @param {Package} to
 * @param {boolean} published whether the import is in code that users get
 */
export function forbidden(from, to, published) {
  if (from === to || from.kind === "app" || from.kind === "tool") return undefined;
  if (to.kind === "app") return "only the user starts an app";
  if (to.kind === "tool") return published ? "published code cannot use the repository's tools" : undefined;
  if (to.kind === "method") return "nothing but the apps imports a method; move shared code into a domain package";
  if (!published) return undefined;
  if (from.kind === "method") {
    return to.slug === "onnx-runtime" ? "methods take a Backend; only the user chooses onnx-runtime" : undefined;
  }
  if (from.slug === "tensor-core") return "tensor-core stands on no other package";
  if (to.slug === "tensor-core") return undefined;
  if (besideTheStack.has(from.slug)) return `${from.slug} stands on tensor-core only`;
  if (to.slug === "onnx-runtime") return "packages take a Backend; only the user chooses onnx-runtime";
  if (foundation.has(from.slug) && !foundation.has(to.slug)) return `${from.slug} stands below ${to.slug}`;
  return undefined;
}

/** @param {string} specifier */
function packageOf(specifier) {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}

/**
 * @param {Package} pkg
 * @param {boolean} published
 */
function declared(pkg, published) {
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = pkg.manifest;
  return { ...dependencies, ...peerDependencies, ...optionalDependencies, ...(published ? {} : devDependencies) };
}

/**
 * @param {Package} pkg
 * @param {string} folder
 * @param {string} path
 * @param {string} specifier
 * @param {Map<string, Package>} byName
 */
function judge(pkg, folder, path, specifier, byName) {
  // Scripts that make data by hand are not published either.
  const published = folder !== "test" && folder !== "bench" && !/[\\/]make-[^\\/]*\.mjs$/.test(path);
  if (specifier.startsWith(".")) {
    const outside = relative(pkg.directory, join(dirname(path), specifier)).startsWith("..");
    return outside ? `"${specifier}" leaves the package; import the other package by its name` : undefined;
  }
  if (specifier.startsWith("#") && specifier in (pkg.manifest.imports ?? {})) return undefined;
  if (specifier.startsWith("node:") || builtins.has(specifier)) return undefined;
  // The site's bundler makes modules up, named with a scheme.
  if (pkg.manifest.private && /^[a-z-]+:/.test(specifier)) return undefined;
  const name = packageOf(specifier);
  const target = byName.get(name);
  const reason = target && forbidden(pkg, target, published);
  if (reason) return `must not import ${name}: ${reason}`;
  if (name === pkg.name || (!published && testTools.has(name)) || name in declared(pkg, published)) return undefined;
  const place = published ? "dependencies" : "devDependencies";
  return `imports ${name}, which its package.json does not declare; add it to ${place}`;
}

/**
 * @param {Package[]} packages
 * @returns {string[]} names along a cycle, or nothing
 */
function cycle(packages) {
  const byName = new Map(packages.map((pkg) => [pkg.name, pkg]));
  const done = new Set();
  /** @type {(name: string, path: string[]) => string[]} */
  const visit = (name, path) => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return [];
    for (const next of Object.keys(byName.get(name)?.manifest.dependencies ?? {})) {
      const found = byName.has(next) ? visit(next, [...path, name]) : [];
      if (found.length > 0) return found;
    }
    done.add(name);
    return [];
  };
  for (const { name } of packages) {
    const found = visit(name, []);
    if (found.length > 0) return found;
  }
  return [];
}

/**
 * @param {import("./repository.mjs").Repository} repository
 * @param {Package[]} [selected]
 * @returns {import("./repository.mjs").CheckResult}
 */
export function check(repository, selected = repository.packages) {
  const byName = new Map(repository.packages.map((pkg) => [pkg.name, pkg]));
  const violations = [];
  for (const pkg of selected) {
    for (const folder of folders) {
      for (const path of filesBelow(join(pkg.directory, folder), /\.(ts|mts|mjs|js)$/)) {
        if (/[\\/]fixtures[\\/]/.test(path)) continue;
        const imports = ts.preProcessFile(readFileSync(path, "utf8"), true, true).importedFiles;
        for (const specifier of new Set(imports.map(({ fileName }) => fileName))) {
          const message = judge(pkg, folder, path, specifier, byName);
          if (message) violations.push({ subject: shown(repository, path), message });
        }
      }
    }
    for (const name of Object.keys(pkg.manifest.dependencies ?? {})) {
      const target = byName.get(name);
      const reason = target && forbidden(pkg, target, true);
      if (reason)
        violations.push({ subject: `${pkg.folder}/package.json`, message: `must not depend on ${name}: ${reason}` });
    }
  }
  const loop = cycle(repository.packages);
  if (loop.length > 0) violations.push({ subject: loop[0], message: `depends on itself: ${loop.join(" -> ")}` });
  return { subjects: selected.length, violations };
}
