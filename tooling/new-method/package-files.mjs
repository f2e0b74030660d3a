// The files of a new method's package: the anatomy that all have, with the one test that says what to write.

/** @typedef {import("./paper-data.mjs").PaperData} PaperData */

/** @param {string} slug */
export function namesOf(slug) {
  const camel = slug.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
  return { camel, pascal: camel[0].toUpperCase() + camel.slice(1) };
}

/**
 * The package.json of a new method.
 *
 * @param {PaperData} paper
 */
export function manifest({ slug, title, authors, year, arxiv, area, task, purpose, kind }) {
  const entry = (/** @type {string} */ path) => ({ types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` });
  return {
    name: `@offprint/${slug}`,
    version: "0.0.0",
    description: purpose,
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
    dependencies: {
      ...(kind === "solver" ? { "@offprint/solvers": "workspace:^" } : {}),
      "@offprint/tensor-core": "workspace:^",
    },
    peerDependencies: { "@offprint/claims": "*" },
    peerDependenciesMeta: { "@offprint/claims": { optional: true } },
    devDependencies: { "@offprint/bench": "workspace:*", "@offprint/claims": "workspace:^" },
  };
}

/** @param {PaperData} paper */
const tsconfig = ({ kind }) => `{
  "extends": "../../../tsconfig.base.json",
  "compilerOptions": { "rootDir": ".", "outDir": "dist", "tsBuildInfoFile": "dist/.tsbuildinfo" },
  "include": ["src", "claims"],
  "references": [{ "path": "../../core/claims" }, ${kind === "solver" ? '{ "path": "../../core/solvers" }, ' : ""}{ "path": "../../core/tensor-core" }]
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
  const { slug, title, authors, arxiv, purpose, kind } = paper;
  const { camel } = namesOf(slug);
  const link = arxiv ? `[${title}](https://arxiv.org/abs/${arxiv})` : `*${title}*`;
  return `# @offprint/${slug}

${purpose} Say here, in two or three sentences, what it does for them.

${link}, by ${authors.join(", ")}.

## Install

\`\`\`sh
npm install @offprint/${slug} @offprint/tensor-core
\`\`\`

## Usage

Ten lines on the reader's own problem. Take \`no-run\` away once they run: then every test run executes them.

\`\`\`ts no-run
import { ${camel} } from "@offprint/${slug}";

${kind === "function" ? `${camel}({ maxIterations: 10 });` : `await ${camel}({ initial: new Float64Array(2) }, { maxIterations: 10 });`}
\`\`\`

## Options

| option | default | meaning |
| --- | --- | --- |
| \`maxIterations\` | 100 | iterations at most, >= 1 |

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
function functionSource({ slug, title }) {
  const { camel, pascal } = namesOf(slug);
  return `import { checkOptions, requireInteger, UnsupportedError } from "@offprint/tensor-core";

/** Options of \`${camel}\`. */
export interface ${pascal}Options {
  /** Iterations at most, an integer >= 1. Default 100. */
  maxIterations?: number;
}

/**
 * ${title}.
 *
 * @throws ValueError for an option out of range, or one that there is not.
 */
export function ${camel}(options: ${pascal}Options = {}): never {
  checkOptions("${camel}", options, ["maxIterations"]);
  const { maxIterations = 100 } = options;
  requireInteger("${camel}", "maxIterations", maxIterations, 1);
  throw new UnsupportedError("${camel}: the method is not written yet; its place is src/${slug}.ts");
}
`;
}

/** @param {PaperData} paper */
function solverSource({ slug, title }) {
  const { camel, pascal } = namesOf(slug);
  return `import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import { checkOptions, requireInteger, requireNonNegative, requireObject, UnsupportedError } from "@offprint/tensor-core";

/** What is to be solved. */
export interface ${pascal}Problem {
  /** \`[n]\` where it begins. */
  readonly initial: Float64Array;
}

/** What a run goes on from: a tree that survives \`tree.toJson\`. */
export interface ${pascal}State {
  /** \`[n]\` the point. */
  readonly x: Float64Array;
  /** The objective there. */
  readonly objective: number;
}

/** One iteration: what \`onProgress\` is told. */
export interface ${pascal}Record {
  /** From 1. */
  readonly iteration: number;
  /** The objective after it. */
  readonly objective: number;
}

/** Options of \`${camel}\`. */
export interface ${pascal}Options extends RunOptions<${pascal}Record, RunState<${pascal}State, ${pascal}Record>> {
  /** Iterations at most, an integer >= 1. Default 100. */
  readonly maxIterations?: number;
  /** Converged when the objective is at most this. Default 1e-8. */
  readonly tolerance?: number;
}

/** What \`${camel}\` gives. */
export interface ${pascal}Result {
  /** \`[n]\` the last point. */
  readonly x: Float64Array;
  /** The objective there. */
  readonly objective: number;
  /** How it ended. */
  readonly status: Status;
  /** Iterations done, those of resumed runs included. */
  readonly iterations: number;
  /** One record for each. */
  readonly history: readonly ${pascal}Record[];
  /** What a further run resumes from. */
  readonly state: RunState<${pascal}State, ${pascal}Record>;
}

/**
 * ${title}.
 *
 * @throws ValueError for an option out of range, or one that there is not.
 */
export async function ${camel}(problem: ${pascal}Problem, options: ${pascal}Options = {}): Promise<${pascal}Result> {
  requireObject("${camel}", "problem", problem, "{ initial }");
  checkOptions("${camel}", options, ["maxIterations", "tolerance", ...runOptionNames]);
  const { maxIterations = 100, tolerance = 1e-8 } = options;
  requireInteger("${camel}", "maxIterations", maxIterations, 1);
  requireNonNegative("${camel}", "tolerance", tolerance);
  const { last, ...run } = await runLoop<${pascal}State, ${pascal}Record>(
    {
      owner: "${camel}",
      limit: maxIterations,
      initial: () => ({ x: problem.initial, objective: Number.POSITIVE_INFINITY }),
      // A step gives a new state, and leaves the old one as it is.
      step: () => {
        throw new UnsupportedError("${camel}: the method is not written yet; its place is src/${slug}.ts");
      },
      record: ({ objective }, iteration) => ({ iteration, objective }),
      finished: ({ objective }) => (objective <= tolerance ? "converged" : undefined),
    },
    options,
  );
  return { ...run, ...last };
}
`;
}

/** What of the paper's claim a program looks at. @param {PaperData} paper */
function claimBody({ slug, kind }) {
  if (kind === "function") {
    return `    // Measure, compute \`holds\` from what was measured, and plot it: see ClaimResult.
    run: () => method(),`;
  }
  return `    async run() {
      const { status, iterations } = await method({ initial: new Float64Array(2) });
      return { measured: iterations, holds: status === "converged", detail: \`${slug} must converge (\${status})\` };
    },`;
}

/** @param {PaperData} paper */
function claims(paper) {
  const { slug } = paper;
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
${claimBody(paper)}
  };
}

/** The paper's claims. */
export const claims = defineClaims({ method: "${slug}", claims: [mainClaim()] });
`;
}

/** @param {PaperData} paper */
function test({ slug, kind }) {
  const { camel } = namesOf(slug);
  const rejection =
    kind === "function"
      ? `it("rejects an iteration count below one, and says what to give", () => {
  expect(() => ${camel}({ maxIterations: 0 })).toThrow(/maxIterations is 0; it must be an integer >= 1/);
});`
      : `it("rejects an iteration count below one, and says what to give", async () => {
  const problem = { initial: new Float64Array(2) };
  await expect(${camel}(problem, { maxIterations: 0 })).rejects.toThrow(/maxIterations is 0; it must be an integer >= 1/);
});`;
  const conformance =
    kind === "function"
      ? ""
      : `
      "  - the contract of long work: runConformance of @offprint/solvers/conformance;",`;
  return `import { expect, it } from "vitest";
import { ${camel} } from "../src/index.js";

${rejection}

it("has its method, tests and claims", () => {
  expect.fail(
    [
      "This package is new. Replace this test by tests that read like statements of the paper:",
      "  - identities and limits in which the answer is known exactly;",
      "  - brute force, or a second way to the same number, on small cases;",
      "  - gradients against finite differences in float64;",
      "  - bad input: the typed error, and its message;",${conformance}
      "  - for every claim, that it does not hold for a baseline or a broken variant.",
      "The method goes into src/${slug}.ts, the claims into claims/index.ts.",
      "docs/adding-a-method.md takes you through it.",
    ].join("\\n"),
  );
});
`;
}

/** @param {PaperData} paper */
function bench({ slug, title, kind }) {
  const { camel } = namesOf(slug);
  return `import { compare } from "@offprint/bench";
import { ${camel} } from "../src/index.js";

/** How long one run takes, beside the peers that people would use instead. */
export async function run() {
  await compare({
    name: ${JSON.stringify(title)},
    ours: () => ${camel}(${kind === "function" ? "" : "{ initial: new Float64Array(2) }"}),
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
  const { slug, kind } = paper;
  const { camel, pascal } = namesOf(slug);
  const more = kind === "function" ? ["Options"] : ["Options", "Problem", "Record", "Result", "State"];
  const types = more.map((name) => `type ${pascal}${name}`).join(", ");
  return {
    "package.json": `${JSON.stringify(manifest(paper), undefined, 2)}\n`,
    "tsconfig.json": tsconfig(paper),
    "README.md": readme(paper),
    "src/index.ts": `export { ${types}, ${camel} } from "./${slug}.js";\n`,
    [`src/${slug}.ts`]: kind === "function" ? functionSource(paper) : solverSource(paper),
    "claims/index.ts": claims(paper),
    [`test/${slug}.test.ts`]: test(paper),
    [`bench/${slug}.bench.ts`]: bench(paper),
  };
}
