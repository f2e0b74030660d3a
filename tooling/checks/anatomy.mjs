// Every package has the same parts in the same places, so that a reader of one knows them all.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { pageEntries } from "../setup/pages.mjs";
import { filesBelow } from "./repository.mjs";

/** @typedef {import("./repository.mjs").Package} Package */

export const title = "every package has the common anatomy";

/** @type {Array<[string, RegExp]>} */
const methodSections = [
  ["Install", /^## .*install/im],
  ["Usage", /^## .*us(age|e|ing)/im],
  ["Options", /^## .*options/im],
  ["Claims", /^## .*claims/im],
  ["Citation", /^## .*cit(ation|e|ing)/im],
];
const lifecycle = ["preinstall", "install", "postinstall", "prepare"];

/** @param {string} path */
function readJson(path) {
  return ts.parseConfigFileTextToJson(path, readFileSync(path, "utf8")).config ?? {};
}

/**
 * @param {any} entry one entry of `exports`
 * @param {string} which
 */
function entryProblem(entry, which) {
  const complete = entry && typeof entry === "object" && entry["@offprint/source"] && entry.types && entry.default;
  return complete ? [] : [`exports "${which}" needs "@offprint/source", "types" and "default"`];
}

/** @param {Package} pkg */
function manifestProblems({ manifest, kind, slug, folder }) {
  const problems = [];
  const name = kind === "app" && slug === "cli" ? "offprint" : `@offprint/${slug}`;
  if (manifest.name !== name) problems.push(`package.json: the name must be ${name}`);
  if (!manifest.description) problems.push("package.json: a description is missing");
  if (manifest.private) return problems;
  if (manifest.license !== "MIT") problems.push('package.json: "license" must be "MIT"');
  if (manifest.type !== "module") problems.push('package.json: "type" must be "module"');
  if (manifest.engines?.node !== ">=20.19") problems.push('package.json: "engines" must be { "node": ">=20.19" }');
  if (manifest.repository?.directory !== folder)
    problems.push(`package.json: repository.directory must be "${folder}"`);
  if (manifest.sideEffects === undefined) problems.push('package.json: "sideEffects" must be declared');
  if (!(manifest.keywords?.length > 0)) problems.push("package.json: keywords are missing");
  if (!manifest.files?.includes("dist")) problems.push('package.json: "files" must list "dist"');
  if (!manifest.scripts?.build) problems.push("package.json: a build script is missing");
  for (const script of lifecycle) {
    if (manifest.scripts?.[script]) problems.push(`package.json: no "${script}" script: installing must run nothing`);
  }
  if (manifest.publishConfig?.access !== "public") problems.push('package.json: publishConfig.access must be "public"');
  if (kind !== "app") {
    if (pageEntries(manifest).size > 0) {
      for (const field of ["unpkg", "jsdelivr"]) {
        if (manifest[field] !== "./dist/page/index.js")
          problems.push(`package.json: "${field}" must be "./dist/page/index.js", for pages without a bundler`);
      }
    }
    problems.push(...entryProblem(manifest.exports?.["."], "."));
    const published = manifest.publishConfig?.exports ?? {};
    for (const which of Object.keys(manifest.exports ?? {})) {
      if (!published[which]) problems.push(`package.json: publishConfig.exports must have "${which}"`);
      if (published[which]?.["@offprint/source"]) {
        problems.push(`package.json: publishConfig.exports "${which}" must not name sources, which are not published`);
      }
    }
  }
  return problems;
}

/** @param {Package} pkg */
function methodProblems({ manifest, directory }) {
  const problems = [...entryProblem(manifest.exports?.["./claims"], "./claims")];
  for (const field of ["task", "purpose", "title", "authors", "year", "arxiv", "area"]) {
    if (manifest.offprint?.[field] === undefined) problems.push(`package.json: "offprint" must have "${field}"`);
  }
  const plain = (/** @type {unknown} */ text) =>
    String(text ?? "")
      .replace(/\W+/g, "")
      .toLowerCase();
  if (manifest.offprint?.title && plain(manifest.description) === plain(manifest.offprint.title))
    problems.push("package.json: the description says what it does for its users, and is not the paper's title");
  for (const paper of manifest.offprint?.further ?? []) {
    for (const field of ["title", "authors", "year", "arxiv"]) {
      if (paper[field] === undefined) problems.push(`package.json: a paper in "offprint.further" must have "${field}"`);
    }
  }
  if (!existsSync(join(directory, "claims", "index.ts"))) problems.push("claims/index.ts is missing");
  if (filesBelow(join(directory, "bench"), /\.bench\.ts$/).length === 0)
    problems.push("bench/ needs a *.bench.ts file");
  const readme = join(directory, "README.md");
  const text = existsSync(readme) ? readFileSync(readme, "utf8") : "";
  for (const [name, pattern] of methodSections) {
    if (!pattern.test(text)) problems.push(`README.md: the section "${name}" is missing`);
  }
  const papers = 1 + (manifest.offprint?.further?.length ?? 0);
  const citations = (text.match(/^```bibtex[\s\S]*?^```/gm) ?? []).join("\n").match(/^@/gm)?.length ?? 0;
  if (citations < papers) {
    problems.push(
      `README.md: ${papers === 1 ? "a ```bibtex block is" : `${papers} entries in \`\`\`bibtex blocks are`} missing`,
    );
  }
  return problems;
}

/**
 * @param {Package} pkg
 * @param {Package[]} packages
 */
function projectProblems(pkg, packages) {
  const path = join(pkg.directory, "tsconfig.json");
  if (!existsSync(path)) return ["tsconfig.json is missing"];
  const references = (readJson(path).references ?? []).map((/** @type {{ path: string }} */ { path: to }) =>
    join(pkg.directory, to),
  );
  return packages
    .filter(
      ({ name, kind }) => kind !== "tool" && name in { ...pkg.manifest.dependencies, ...pkg.manifest.peerDependencies },
    )
    .filter(({ directory }) => !references.includes(directory))
    .map(({ name, folder }) => `tsconfig.json: "references" must name ${folder}, as the package builds on ${name}`);
}

/**
 * @param {import("./repository.mjs").Repository} repository
 * @param {Package[]} [selected]
 * @returns {import("./repository.mjs").CheckResult}
 */
export function check(repository, selected = repository.packages) {
  const published = selected.filter(({ kind }) => kind !== "tool");
  const solution = readJson(join(repository.root, "tsconfig.json"));
  const solved = (solution.references ?? []).map((/** @type {{ path: string }} */ { path }) =>
    path.replace(/^\.\//, ""),
  );
  const command = repository.packages.find(({ folder }) => folder === "apps/cli");
  const violations = published.flatMap((pkg) => {
    const problems = [...manifestProblems(pkg), ...projectProblems(pkg, repository.packages)];
    if (!existsSync(join(pkg.directory, "README.md"))) problems.push("README.md is missing");
    if (pkg.kind !== "app" && !existsSync(join(pkg.directory, "src", "index.ts")))
      problems.push("src/index.ts is missing");
    if (filesBelow(join(pkg.directory, "test"), /\.test\.ts$/).length === 0)
      problems.push("test/ needs a *.test.ts file");
    if (!pkg.manifest.private && !solved.includes(pkg.folder))
      problems.push(`the root tsconfig.json must reference { "path": "${pkg.folder}" }`);
    if (pkg.kind === "method") {
      problems.push(...methodProblems(pkg));
      if (command && !(pkg.name in (command.manifest.dependencies ?? {}))) {
        problems.push(`${command.folder}/package.json must depend on it: the command's methods are its dependencies`);
      }
    }
    return problems.map((message) => ({ subject: pkg.folder, message }));
  });
  return { subjects: published.length, violations };
}
