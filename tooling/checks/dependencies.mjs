// Dependencies point one way: methods -> domain packages -> nn, optim, data -> solvers -> tensor-core.
// What a method's users install is what it computes with; what its claims and commands add are optional peers.
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { filesBelow, shown } from "./repository.mjs";

/** @typedef {import("./repository.mjs").Package} Package */

export const title = "dependencies point one way and are declared";

/** Packages that stand on tensor-core and on nothing else of the repository; onnx-runtime on onnx-format besides. */
const onTensorCore = new Set(["solvers", "onnx-runtime", "claims"]);
const foundation = new Set(["solvers", "optim", "nn", "data"]);
/** What claims, commands, examples and tests are made with: nothing that computes imports them. */
const demonstration = new Set(["claims", "commands", "datasets"]);
/** Installed at the root for the tests of every package. */
const testTools = new Set(["vitest", "fast-check"]);
/**
 * Where code of a package is, and who has what it imports: users ("use"), users who have the packages of the claims
 * and commands beside it ("demonstration"), this repository alone ("workshop").
 *
 * @typedef {"use" | "demonstration" | "workshop"} Audience
 * @type {Array<[string, Audience]>}
 */
const folders = [
  ["src", "use"],
  ["claims", "demonstration"],
  ["cli", "demonstration"],
  ["playground", "workshop"],
  ["test", "workshop"],
  ["bench", "workshop"],
];
const builtins = new Set(builtinModules);

/**
 * Why `from` must not use `to`, or nothing.
 *
 * @param {Package} from
 * @param {Package} to
 * @param {Audience} audience of the code with the import
 */
export function forbidden(from, to, audience) {
  const published = audience !== "workshop";
  if (from === to || from.kind === "app" || from.kind === "tool") return undefined;
  if (to.kind === "app") return "only the user starts an app";
  if (to.kind === "tool") return published ? "published code cannot use the repository's tools" : undefined;
  if (to.kind === "method") return "nothing but the apps imports a method; move shared code into a domain package";
  if (!published) return undefined;
  if (to.manifest.private) return `${to.slug} is not published; only tests and benchmarks use it`;
  if (audience === "use" && demonstration.has(to.slug) && !demonstration.has(from.slug)) {
    return "it is for claims, commands, examples and tests, which come from outside src";
  }
  if (from.kind === "method") {
    return to.slug === "onnx-runtime" ? "methods take a Backend; only the user chooses onnx-runtime" : undefined;
  }
  if (from.slug === "tensor-core") return "tensor-core stands on no other package";
  if (to.slug === "tensor-core") return undefined;
  if (from.slug === "onnx-format") return "onnx-format stands on tensor-core only";
  if (to.slug === "onnx-format" && from.slug !== "claims") return undefined;
  if (onTensorCore.has(from.slug)) return `${from.slug} stands on tensor-core only`;
  if (to.slug === "onnx-runtime") return "packages take a Backend; only the user chooses onnx-runtime";
  if (foundation.has(from.slug) && !foundation.has(to.slug)) return `${from.slug} stands below ${to.slug}`;
  return undefined;
}

/** @param {string} specifier */
function packageOf(specifier) {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}

/** @param {any} manifest */
function optionalPeers({ peerDependencies = {}, peerDependenciesMeta = {} }) {
  return Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional);
}

/**
 * @param {Package} pkg
 * @param {Audience} audience
 */
function declared({ kind, manifest }, audience) {
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = manifest;
  const names = new Set(Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies }));
  if (audience === "workshop") for (const name of Object.keys(devDependencies ?? {})) names.add(name);
  // A method computes without its optional peers; a core package may look whether they are there.
  if (audience === "use" && kind === "method") for (const name of optionalPeers(manifest)) names.delete(name);
  return names;
}

/** @type {Record<Audience, string>} */
const places = { use: "dependencies", demonstration: "peerDependencies, optional", workshop: "devDependencies" };

/**
 * @param {Package} pkg
 * @param {Audience} audience
 * @param {string} path
 * @param {string} specifier
 * @param {Map<string, Package>} byName
 */
function judge(pkg, audience, path, specifier, byName) {
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
  const reason = target && forbidden(pkg, target, audience);
  if (reason) return `must not import ${name}: ${reason}`;
  if (name === pkg.name || ((audience === "workshop" || pkg.manifest.private) && testTools.has(name))) return undefined;
  if (declared(pkg, audience).has(name)) return undefined;
  return `imports ${name}, which its package.json does not declare; add it to ${places[audience]}`;
}

/**
 * What the code of a package imports.
 *
 * @param {Package} pkg
 * @returns {Array<{ path: string, audience: Audience, specifier: string }>}
 */
function importsOf({ directory }) {
  return folders.flatMap(([folder, audience]) =>
    filesBelow(join(directory, folder), /\.(ts|mts|mjs|js)$/)
      .filter((path) => !/[\\/]fixtures[\\/]/.test(path))
      .flatMap((path) => {
        const imports = ts.preProcessFile(readFileSync(path, "utf8"), true, true).importedFiles;
        // Scripts that make data by hand are not published either.
        const by = /[\\/]make-[^\\/]*\.mjs$/.test(path) ? "workshop" : audience;
        return [...new Set(imports.map(({ fileName }) => fileName))].map((specifier) => ({
          path,
          audience: by,
          specifier,
        }));
      }),
  );
}

/**
 * A method brings what it computes with and nothing else; what its claims and commands need besides, the command has.
 *
 * @param {Package} pkg
 * @param {Set<string>} computesWith names that its src imports
 * @param {Package | undefined} command
 */
function installProblems({ kind, manifest }, computesWith, command) {
  if (kind !== "method") return [];
  const { dependencies = {}, peerDependencies = {}, devDependencies = {} } = manifest;
  const optional = new Set(optionalPeers(manifest));
  const problems = Object.keys(dependencies)
    .filter((name) => !computesWith.has(name))
    .map((name) => `depends on ${name}, which src does not import; what claims and cli use is an optional peer`);
  for (const name of Object.keys(peerDependencies).filter((each) => each.startsWith("@offprint/"))) {
    if (!optional.has(name)) problems.push(`the peer ${name} must be optional, in peerDependenciesMeta`);
    if (peerDependencies[name] !== "*") problems.push(`the range of the peer ${name} must be "*" (decision 13)`);
    if (!(name in devDependencies)) problems.push(`the peer ${name} must be in devDependencies too`);
    if (command && !(name in (command.manifest.dependencies ?? {}))) {
      problems.push(`its claims and commands need ${name}: ${command.folder}/package.json must depend on it`);
    }
  }
  return problems;
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
  const command = repository.packages.find(({ folder }) => folder === "apps/cli");
  for (const pkg of selected) {
    const imports = importsOf(pkg);
    for (const { path, audience, specifier } of imports) {
      const message = judge(pkg, audience, path, specifier, byName);
      if (message) violations.push({ subject: shown(repository, path), message });
    }
    const computesWith = new Set(
      imports.filter(({ audience }) => audience === "use").map(({ specifier }) => packageOf(specifier)),
    );
    for (const message of installProblems(pkg, computesWith, command)) {
      violations.push({ subject: `${pkg.folder}/package.json`, message });
    }
    for (const name of Object.keys(pkg.manifest.dependencies ?? {})) {
      const target = byName.get(name);
      const reason = target && forbidden(pkg, target, "use");
      if (reason)
        violations.push({ subject: `${pkg.folder}/package.json`, message: `must not depend on ${name}: ${reason}` });
    }
  }
  const loop = cycle(repository.packages);
  if (loop.length > 0) violations.push({ subject: loop[0], message: `depends on itself: ${loop.join(" -> ")}` });
  return { subjects: selected.length, violations };
}
