// The files of a new method's package: the anatomy that all have, with the one test that says what to write.
import { kinds } from "./kinds/kinds.mjs";

/** @typedef {import("./paper-data.mjs").PaperData} PaperData */

/** @param {string} slug */
export function namesOf(slug) {
  const camel = slug.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
  return { slug, camel, pascal: camel[0].toUpperCase() + camel.slice(1) };
}

/** Packages of this repository as dependencies. @param {string[]} slugs */
const workspace = (slugs) => Object.fromEntries(slugs.map((slug) => [`@offprint/${slug}`, "workspace:^"]));

/**
 * The package.json of a new method.
 *
 * @param {PaperData} paper
 */
export function manifest({ slug, title, authors, year, arxiv, area, task, purpose, description, kind }) {
  const entry = (/** @type {string} */ path) => ({ types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` });
  return {
    name: `@offprint/${slug}`,
    version: "0.0.0",
    description,
    license: "MIT",
    type: "module",
    sideEffects: false,
    keywords: [...new Set([...slug.split("-"), area, "machine learning"])],
    engines: { node: ">=20.19" },
    repository: {
      type: "git",
      url: "git+https://github.com/offprint/offprint.git",
      directory: `packages/methods/${slug}`,
    },
    offprint: { task, purpose, title, authors, year, arxiv, area },
    exports: {
      ".": { "@offprint/source": "./src/index.ts", ...entry("src/index") },
      "./claims": { "@offprint/source": "./claims/index.ts", ...entry("claims/index") },
    },
    unpkg: "./dist/page/index.js",
    jsdelivr: "./dist/page/index.js",
    publishConfig: { access: "public", exports: { ".": entry("src/index"), "./claims": entry("claims/index") } },
    files: ["dist", "!dist/.tsbuildinfo"],
    scripts: { build: "tsc -b" },
    dependencies: workspace(kinds[kind].dependencies.concat("tensor-core")),
    peerDependencies: { "@offprint/claims": "*" },
    peerDependenciesMeta: { "@offprint/claims": { optional: true } },
    devDependencies: { "@offprint/bench": "workspace:*", ...workspace(["claims", ...kinds[kind].tested]) },
  };
}

/** @param {PaperData} paper */
function tsconfig({ kind }) {
  const references = ["claims", ...kinds[kind].dependencies, "tensor-core"].map(
    (slug) => `{ "path": "../../core/${slug}" }`,
  );
  return `{
  "extends": "../../../tsconfig.base.json",
  "compilerOptions": { "rootDir": ".", "outDir": "dist", "tsBuildInfoFile": "dist/.tsbuildinfo" },
  "include": ["src", "claims"],
  "references": [${references.join(", ")}]
}
`;
}

/** @param {PaperData} paper */
function bibtex({ title, authors, year, arxiv }) {
  const family = authors[0].split(" ").at(-1) ?? "";
  const word = title.split(/[^A-Za-z]+/).find((each) => each.length > 3) ?? "";
  const key = `${family}${year}${word}`.toLowerCase().replace(/[^a-z0-9]/g, "");
  const fields = [`title = {${title}}`, `author = {${authors.join(" and ")}}`, `year = {${year}}`];
  if (arxiv) fields.push(`eprint = {${arxiv}}`, "archivePrefix = {arXiv}");
  return `@${arxiv ? "misc" : "article"}{${key},\n${fields.map((field) => `  ${field}`).join(",\n")}\n}`;
}

/** @param {PaperData} paper */
function readme(paper) {
  const { slug, title, authors, arxiv, purpose, description, kind } = paper;
  const { dependencies, options, usage } = kinds[kind];
  const link = arxiv ? `[${title}](https://arxiv.org/abs/${arxiv})` : `*${title}*`;
  const packages = [slug, ...dependencies, "tensor-core"].map((name) => `@offprint/${name}`);
  return `# @offprint/${slug}

${purpose} ${description}

${link}, by ${authors.join(", ")}.

## Install

\`\`\`sh
npm install ${packages.join(" ")}
\`\`\`

## Usage

\`\`\`ts
${usage(namesOf(slug), paper)}
\`\`\`

## Options

| option | default | meaning |
| --- | --- | --- |
${options.map(([name, standard, meaning]) => `| \`${name}\` | ${standard && `\`${standard}\``} | ${meaning} |`).join("\n")}

## Claims

\`npx offprint reproduce ${slug}\` checks:

| claim | paper | criterion | measured |
| --- | --- | --- | --- |
| \`main-claim\` | the paper's value | | |

## Citation

\`\`\`bibtex
${bibtex(paper)}
\`\`\`
`;
}

/** @param {PaperData} paper */
function claims({ slug, kind }) {
  const names = namesOf(slug);
  const { imports, method, body } = kinds[kind].claim(names);
  return `import { type Claim, defineClaims, figure } from "@offprint/claims";
${imports}

/** The method that a claim is about; tests put a baseline or a broken variant in its place. */
export type Method = ${method};

/** The paper's main claim. */
export function mainClaim(method: Method = ${names.camel}): Claim {
  return {
    id: "main-claim",
    statement: "The paper's main claim in one sentence",
    source: "Abstract",
    paper: "the paper's value",
${body}
  };
}

/** The paper's claims. */
export const claims = defineClaims({ method: "${slug}", claims: [mainClaim()] });
`;
}

/** @param {PaperData} paper */
function claimsTest({ slug, kind }) {
  const names = namesOf(slug);
  const [what, code] = kinds[kind].broken(names);
  return `import { runClaim } from "@offprint/claims/testing";
import { expect, it } from "vitest";
import { claims, type Method, mainClaim } from "../claims/index.js";
import { ${names.camel} } from "../src/index.js";

/** ${what} */
const broken: Method = ${code};

// That the claims hold for the method itself is what the claims stage shows.
it("the main claim does not hold for a broken variant", async () => {
  expect((await runClaim(claims, mainClaim(broken))).holds).toBe(false);
});
`;
}

/** @param {PaperData} paper */
function test({ slug, kind }) {
  const names = namesOf(slug);
  const { rejection, rejectionImports = "", lasting, conformance } = kinds[kind];
  const [what, body] = rejection(names);
  const { imports, body: more } = lasting?.(names) ?? { imports: rejectionImports, body: "" };
  return `${imports}
import { expect, it } from "vitest";
import { ${names.camel} } from "../src/index.js";

${more}
it("${what}", ${body.includes("await ") ? "async " : ""}() => {
${body}
});

it("is the paper's method, with tests and claims of its own", () => {
  expect.fail(
    [
      "This package is new: what it computes is the simplest method of its kind, not yet the paper's.",
      "The method goes into src/${slug}.ts, the claims into claims/index.ts.",
      "Replace this test by tests that read like statements of the paper:",
      "  - identities and limits in which the answer is known exactly;",
      "  - brute force, or a second way to the same number, on small cases;",
      "  - gradients against finite differences in float64;",
      "  - bad input: the typed error, and its message;",${conformance ? '\n      "  - the suite of its kind, test/conformance.test.ts, with its own options;",' : ""}
      "  - for every claim, that it does not hold for a baseline or a broken variant (test/claims.test.ts).",
      "docs/adding-a-method.md takes you through it.",
    ].join("\\n"),
  );
});
`;
}

/**
 * @param {PaperData} paper
 * @returns {Record<string, string>} content by path inside the package
 */
export function packageFiles(paper) {
  const { slug, task, description } = paper;
  const names = namesOf(slug);
  const kind = kinds[paper.kind];
  const types = kind.types(names.pascal).map((name) => `type ${name}`);
  return {
    "package.json": `${JSON.stringify(manifest(paper), undefined, 2)}\n`,
    "tsconfig.json": tsconfig(paper),
    "README.md": readme(paper),
    "src/index.ts": `export { ${[...types, names.camel].join(", ")} } from "./${slug}.js";\n`,
    [`src/${slug}.ts`]: kind.source(names, paper),
    "claims/index.ts": claims(paper),
    [`test/${slug}.test.ts`]: test(paper),
    "test/claims.test.ts": claimsTest(paper),
    ...(kind.conformance && { "test/conformance.test.ts": kind.conformance(names) }),
    [`bench/${slug}.bench.ts`]: kind.bench(names, paper),
    [`playground/1-${slug}.js`]: `// ${task}\n// ${description} Change its numbers, and run it again.\n\n${kind.playground(names, paper)}`,
  };
}
