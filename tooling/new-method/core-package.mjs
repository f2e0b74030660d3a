// The files of a new core package, and the places that name it.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { withBudget, withReference, withRow } from "./repository-entries.mjs";

/**
 * @typedef {object} CoreData
 * @property {string} slug name of the folder and of the package after `@offprint/`
 * @property {string} description what it is for, a sentence
 */

/** @param {CoreData} data */
export function coreManifest({ slug, description }) {
  const entry = { types: "./dist/index.d.ts", default: "./dist/index.js" };
  return {
    name: `@offprint/${slug}`,
    version: "0.0.0",
    description,
    license: "MIT",
    type: "module",
    sideEffects: false,
    keywords: [...new Set([...slug.split("-"), "machine learning"])],
    engines: { node: ">=20.19" },
    repository: {
      type: "git",
      url: "git+https://github.com/offprint/offprint.git",
      directory: `packages/core/${slug}`,
    },
    exports: { ".": { "@offprint/source": "./src/index.ts", ...entry } },
    unpkg: "./dist/page/index.js",
    jsdelivr: "./dist/page/index.js",
    publishConfig: { access: "public", exports: { ".": entry } },
    files: ["dist", "!dist/.tsbuildinfo"],
    scripts: { build: "tsc -b" },
    dependencies: { "@offprint/tensor-core": "workspace:^" },
    devDependencies: { "@offprint/testing": "workspace:^" },
  };
}

const tsconfig = `{
  "extends": "../../../tsconfig.base.json",
  "compilerOptions": { "rootDir": "src", "outDir": "dist", "tsBuildInfoFile": "dist/.tsbuildinfo" },
  "include": ["src"],
  "references": [{ "path": "../tensor-core" }]
}
`;

/** @param {CoreData} data */
const readme = ({ slug, description }) => `# @offprint/${slug}

${description} Say here, in two or three sentences, which methods stand on it and what else it is good for.

## Install

\`\`\`sh
npm install @offprint/${slug} @offprint/tensor-core
\`\`\`

## Usage

Ten lines on the reader's own problem, in a \`ts\` block: every test run executes it.
`;

/** @param {CoreData} data */
const source = ({ slug }) => `import { UnsupportedError } from "@offprint/tensor-core";

/** What this package is made of; one concept a file, each named after it. */
export function firstConcept(): never {
  throw new UnsupportedError("${slug}: nothing is written yet; its place is src/");
}
`;

const test = `import { expect, it } from "vitest";

it("has its objects and operations", () => {
  expect.fail(
    [
      "This package is new. Replace this test by tests of what must hold:",
      "  - identities and limits in which the answer is known exactly;",
      "  - brute force, or a second way to the same number, on small cases;",
      "  - gradients against finite differences in float64;",
      "  - bad input: the typed error, and its message.",
      "docs/adding-a-core-package.md says what belongs into it.",
    ].join("\\n"),
  );
});
`;

/**
 * All files, by path from the root.
 *
 * @param {string} root
 * @param {CoreData} data
 * @returns {Record<string, string>}
 */
export function coreFiles(root, data) {
  const { slug, description } = data;
  const folder = `packages/core/${slug}`;
  /** @type {Array<[string, (text: string) => string]>} */
  const edits = [
    ["tsconfig.json", (text) => withReference(text, folder)],
    ["tooling/size/budgets.json", (text) => withBudget(text, `@offprint/${slug}`, 10_000)],
    ["README.md", (text) => withRow(text, coreManifest(data), "core package")],
  ];
  const edited = edits
    .filter(([path]) => existsSync(join(root, path)))
    .map(([path, edit]) => [path, edit(readFileSync(join(root, path), "utf8"))]);
  return {
    [`${folder}/package.json`]: `${JSON.stringify(coreManifest(data), undefined, 2)}\n`,
    [`${folder}/tsconfig.json`]: tsconfig,
    [`${folder}/README.md`]: readme(data),
    [`${folder}/src/index.ts`]: `export { firstConcept } from "./first-concept.js";\n`,
    [`${folder}/src/first-concept.ts`]: source(data),
    [`${folder}/test/${slug}.test.ts`]: test,
    ...Object.fromEntries(edited),
    [`.changeset/${slug}.md`]: `---\n"@offprint/${slug}": minor\n---\n\nNew package: ${description}\n`,
  };
}
