import { describe, expect, it } from "vitest";
import { check } from "../anatomy.mjs";
import { type Files, lines, manifest, repositoryOf } from "./sandbox.js";

const folder = "packages/core/optim";

function core(more: object = {}): Files {
  return {
    "tsconfig.json": { references: [{ path: folder }] },
    [`${folder}/package.json`]: manifest(folder, more),
    [`${folder}/tsconfig.json`]: {},
    [`${folder}/README.md`]: "# optim\n",
    [`${folder}/src/index.ts`]: "",
    [`${folder}/test/a.test.ts`]: "",
  };
}

const methodFolder = "packages/methods/diffgrad";

function method(): Files {
  const entry = { types: "./dist/index.d.ts", default: "./dist/index.js" };
  const exports = { ".": entry, "./claims": entry };
  const source = { "@offprint/source": "./src/index.ts" };
  return {
    "tsconfig.json": { references: [{ path: methodFolder }] },
    [`${methodFolder}/package.json`]: manifest(methodFolder, {
      offprint: {
        task: "Do",
        purpose: "For all.",
        title: "T",
        authors: ["A"],
        year: 2020,
        arxiv: "1909.11015",
        area: "optimization",
      },
      exports: { ".": { ...source, ...entry }, "./claims": { ...source, ...entry } },
      publishConfig: { access: "public", exports },
    }),
    [`${methodFolder}/tsconfig.json`]: {},
    [`${methodFolder}/README.md`]:
      "## Install\n## Usage\n## Options\n## Claims\n## Citation\n```bibtex\n@misc{x}\n```\n",
    [`${methodFolder}/src/index.ts`]: "",
    [`${methodFolder}/claims/index.ts`]: "",
    [`${methodFolder}/bench/a.bench.ts`]: "",
    [`${methodFolder}/test/a.test.ts`]: "",
  };
}

describe("anatomy", () => {
  it("accepts a complete package and a complete method", () => {
    expect(lines(check(repositoryOf(core())))).toEqual([]);
    expect(lines(check(repositoryOf(method())))).toEqual([]);
  });

  it.each([
    ["README.md", "README.md is missing"],
    ["src/index.ts", "src/index.ts is missing"],
    ["test/a.test.ts", "test/ needs"],
    ["tsconfig.json", "tsconfig.json is missing"],
  ])("misses %s", (file, message) => {
    const { [`${folder}/${file}`]: _, ...files } = core();
    expect(lines(check(repositoryOf(files)))).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    [{ license: "ISC" }, "license"],
    [{ description: undefined }, "description"],
    [{ scripts: { build: "tsc -b", postinstall: "node x.js" } }, "installing must run nothing"],
    [{ repository: { directory: "packages/core/nn" } }, "repository.directory"],
    [{ name: "@offprint/other" }, "the name must be @offprint/optim"],
  ])("rejects a manifest with %j", (change, message) => {
    expect(lines(check(repositoryOf(core(change))))).toEqual([expect.stringContaining(message)]);
  });

  it("wants a package in the solution, and its dependencies referenced", () => {
    const files = core({ dependencies: { "@offprint/nn": "workspace:^" } });
    files["packages/core/nn/package.json"] = manifest("packages/core/nn");
    const repository = repositoryOf({ ...files, "tsconfig.json": {} });
    const found = lines(
      check(
        repository,
        repository.packages.filter(({ slug }) => slug === "optim"),
      ),
    );
    expect(found).toEqual([
      expect.stringContaining('"references" must name packages/core/nn'),
      expect.stringContaining("root tsconfig.json"),
    ]);
  });

  it.each(["claims/index.ts", "bench/a.bench.ts"])("misses a method's %s", (file) => {
    const { [`${methodFolder}/${file}`]: _, ...files } = method();
    expect(lines(check(repositoryOf(files)))).toHaveLength(1);
  });

  it("rejects a method that is described by its paper's title", () => {
    const paper = {
      task: "T",
      purpose: "For all.",
      title: "On A: Method",
      authors: [],
      year: 2020,
      arxiv: null,
      area: "a",
    };
    const files = method();
    const path = `${methodFolder}/package.json`;
    files[path] = { ...(files[path] as object), description: "On a method.", offprint: paper };
    expect(lines(check(repositoryOf(files)))).toEqual([expect.stringContaining("is not the paper's title")]);
  });

  it("misses a method that the command does not list", () => {
    const command = manifest("apps/cli", { private: true, dependencies: {} });
    const repository = repositoryOf({ ...method(), "apps/cli/package.json": command });
    const methods = repository.packages.filter(({ kind }) => kind === "method");
    expect(lines(check(repository, methods))).toEqual([
      expect.stringContaining("apps/cli/package.json must depend on it"),
    ]);
  });

  it("misses sections of a method's README", () => {
    const files = { ...method(), [`${methodFolder}/README.md`]: "## Install\n## Usage\n" };
    expect(lines(check(repositoryOf(files)))).toEqual([
      expect.stringContaining('"Options"'),
      expect.stringContaining('"Claims"'),
      expect.stringContaining('"Citation"'),
      expect.stringContaining("bibtex"),
    ]);
  });
});
