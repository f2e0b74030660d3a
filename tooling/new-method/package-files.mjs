// The files of a new method's package: the anatomy that all have, with the one test that says what to write.

/** @typedef {import("./paper-data.mjs").PaperData} PaperData */

/** @param {string} slug */
export function namesOf(slug) {
  const camel = slug.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
  return { camel, pascal: camel[0].toUpperCase() + camel.slice(1) };
}

/** @param {PaperData} paper */
function manifest({ slug, title, authors, year, arxiv, area }) {
  const entry = (/** @type {string} */ path) => ({ types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` });
  return {
    name: `@offprint/${slug}`,
    version: "0.0.0",
    description: `${title.replace(/\.$/, "")}.`,
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
    offprint: { title, authors, year, arxiv, area },
    exports: {
      ".": { "@offprint/source": "./src/index.ts", ...entry("src/index") },
      "./claims": { "@offprint/source": "./claims/index.ts", ...entry("claims/index") },
    },
    publishConfig: { access: "public", exports: { ".": entry("src/index"), "./claims": entry("claims/index") } },
    files: ["dist", "!dist/.tsbuildinfo"],
    scripts: { build: "tsc -b" },
    dependencies: { "@offprint/tensor-core": "workspace:^" },
    peerDependencies: { "@offprint/claims": "*" },
    peerDependenciesMeta: { "@offprint/claims": { optional: true } },
    devDependencies: { "@offprint/bench": "workspace:*", "@offprint/claims": "workspace:^" },
  };
}

const tsconfig = `{
  "extends": "../../../tsconfig.base.json",
  "compilerOptions": { "rootDir": ".", "outDir": "dist", "tsBuildInfoFile": "dist/.tsbuildinfo" },
  "include": ["src", "claims"],
  "references": [{ "path": "../../core/claims" }, { "path": "../../core/tensor-core" }]
}
`;

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
  const { slug, title, authors, arxiv } = paper;
  const { camel } = namesOf(slug);
  const link = arxiv ? `[${title}](https://arxiv.org/abs/${arxiv})` : `*${title}*`;
  return `# @offprint/${slug}

${link}, by ${authors.join(", ")}.

Say here, in two or three sentences, who needs this and what it does for them.

## Install

\`\`\`sh
npm install @offprint/${slug} @offprint/tensor-core
\`\`\`

## Usage

Ten lines on the reader's own problem. Take \`no-run\` away once they run: then every test run executes them.

\`\`\`ts no-run
import { ${camel} } from "@offprint/${slug}";

${camel}({ iterations: 10 });
\`\`\`

## Options

| option       | default | meaning                       |
| ------------ | ------- | ----------------------------- |
| \`iterations\` | 100     | how often it is done, >= 1    |

## Claims

\`npx offprint reproduce ${slug}\` checks:

| claim        | paper             | criterion | measured |
| ------------ | ----------------- | --------- | -------- |
| \`main-claim\` | the paper's value |           |          |

## Citation

\`\`\`bibtex
${bibtex(paper)}
\`\`\`
`;
}

/** @param {PaperData} paper */
function source({ slug, title }) {
  const { camel, pascal } = namesOf(slug);
  return `import { UnsupportedError, ValueError } from "@offprint/tensor-core";

/** Options of \`${camel}\`. */
export interface ${pascal}Options {
  /** How often it is done, an integer >= 1. Default 100. */
  iterations?: number;
}

/**
 * ${title}.
 *
 * @throws ValueError for an option out of range.
 */
export function ${camel}(options: ${pascal}Options = {}): never {
  const { iterations = 100 } = options;
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new ValueError(\`${camel}: iterations is \${iterations}; it must be an integer >= 1\`);
  }
  throw new UnsupportedError("${camel}: the method is not written yet; its place is src/${slug}.ts");
}
`;
}

/** @param {PaperData} paper */
function claims({ slug }) {
  const { camel } = namesOf(slug);
  return `import { type Claim, defineClaims } from "@offprint/claims";
import { ${camel} } from "../src/index.js";

/** The method that a claim is about; tests put a baseline or a broken variant in its place. */
export type Method = typeof ${camel};

/** The paper's main claim. */
export function mainClaim(method: Method = ${camel}): Claim {
  return {
    id: "main-claim",
    statement: "The paper's main claim in one sentence",
    source: "Abstract",
    paper: "the paper's value",
    // Measure, compute \`holds\` from what was measured, and plot it: see ClaimResult.
    run: () => method(),
  };
}

/** The paper's claims. */
export const claims = defineClaims({ method: "${slug}", claims: [mainClaim()] });
`;
}

/** @param {PaperData} paper */
function test({ slug }) {
  const { camel } = namesOf(slug);
  return `import { expect, it } from "vitest";
import { ${camel} } from "../src/index.js";

it("rejects an iteration count below one, and says what to give", () => {
  expect(() => ${camel}({ iterations: 0 })).toThrow(/iterations is 0; it must be an integer >= 1/);
});

it("has its method, tests and claims", () => {
  expect.fail(
    [
      "This package is new. Replace this test by tests that read like statements of the paper:",
      "  - identities and limits in which the answer is known exactly;",
      "  - brute force, or a second way to the same number, on small cases;",
      "  - gradients against finite differences in float64;",
      "  - bad input: the typed error, and its message;",
      "  - for every claim, that it does not hold for a baseline or a broken variant.",
      "The method goes into src/${slug}.ts, the claims into claims/index.ts.",
      "docs/adding-a-method.md takes you through it.",
    ].join("\\n"),
  );
});
`;
}

/** @param {PaperData} paper */
function bench({ slug, title }) {
  const { camel } = namesOf(slug);
  return `import { compare } from "@offprint/bench";
import { ${camel} } from "../src/index.js";

/** How long one run takes, beside the peers that people would use instead. */
export async function run() {
  await compare({
    name: ${JSON.stringify(title)},
    ours: () => ${camel}(),
    // Functions, or cases of a Python script: see tooling/bench/README.md.
    peers: {},
  });
}
`;
}

/**
 * @param {PaperData} paper
 * @returns {Record<string, string>} content by path inside the package
 */
export function packageFiles(paper) {
  const { slug } = paper;
  const { camel, pascal } = namesOf(slug);
  return {
    "package.json": `${JSON.stringify(manifest(paper), undefined, 2)}\n`,
    "tsconfig.json": tsconfig,
    "README.md": readme(paper),
    "src/index.ts": `export { ${camel}, type ${pascal}Options } from "./${slug}.js";\n`,
    [`src/${slug}.ts`]: source(paper),
    "claims/index.ts": claims(paper),
    [`test/${slug}.test.ts`]: test(paper),
    [`bench/${slug}.bench.ts`]: bench(paper),
  };
}
