import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runChecks } from "../../checks/checks.mjs";
import { packageTables } from "../../checks/listed.mjs";
import { readRepository } from "../../checks/repository.mjs";
import { root } from "../../setup/setup.mjs";
import { kinds } from "../kinds/kinds.mjs";
import { areasIn, createCore, createMethod } from "../new-method.mjs";
import { manifest, namesOf, packageFiles } from "../package-files.mjs";
import { completeData, coreDescription, type KindName, readArguments } from "../paper-data.mjs";
import { withDependency, withReference, withRow } from "../repository-entries.mjs";

const paper = {
  slug: "swift-descent",
  title: 'Swift Descent: "Fast" | Certain',
  authors: ["Ada Lovelace", "Charles Babbage"],
  year: 2024,
  arxiv: "2401.01234",
  area: "optimisation",
  task: "Descend | swiftly",
  purpose: "For people in a hurry.",
  description: "Swift Descent: descent that is swift | certain.",
  kind: "function" as KindName,
};
const folder = "packages/methods/swift-descent";

/** Core packages that some kind of method begins with. */
const coreUsed = ["claims", "tensor-core", "solvers", "nn", "optim", "testing"];

/** A copy of the parts of the repository that a new package meets. */
function repositoryCopy(): string {
  const copy = mkdtempSync(join(tmpdir(), "offprint-new-method-"));
  const roots = ["package.json", "tsconfig.base.json", "tsconfig.check.json", "biome.json", "vitest.config.ts"];
  const ofVitest = [
    "tooling/setup/setup.mjs",
    "tooling/setup/exclusively.mjs",
    "tooling/setup/pages.mjs",
    "tooling/suite/fingerprint.mjs",
    "tooling/checks/repository.mjs",
  ];
  const projects = [...coreUsed.map((slug) => `packages/core/${slug}`), "tooling/bench", "apps/cli"];
  for (const path of [...roots, ...ofVitest, "README.md", "tooling/size/budgets.json", ...projects]) {
    const own = (source: string) => !/[\\/](?:node_modules|dist|\.readme-code)(?:[\\/]|$)/.test(source);
    cpSync(join(root, path), join(copy, path), { recursive: true, filter: own });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "dir");
  const references = projects.filter((path) => !path.startsWith("tooling")).map((path) => ({ path }));
  writeFileSync(join(copy, "tsconfig.json"), `${JSON.stringify({ files: [], references }, undefined, 2)}\n`);
  // The copy has fewer packages than the README lists.
  const tables = packageTables(readRepository(copy));
  writeFileSync(join(copy, "README.md"), `<!-- packages: -->\n\n${tables}\n\n<!-- end of packages -->\n`);
  return copy;
}

/** Links packages as installing would. */
function link(copy: string, folder: string, packages: Record<string, string>): void {
  for (const [name, path] of Object.entries(packages)) {
    const place = join(copy, folder, "node_modules", "@offprint", name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(root, path), place, "dir");
  }
}

/** Runs a program that is installed, in the copy. */
function tool(copy: string, script: string, ...args: string[]) {
  const result = spawnSync(process.execPath, [join(root, "node_modules", script), ...args], {
    cwd: copy,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
  });
  return { status: result.status, output: `${result.stdout}${result.stderr}` };
}

async function problems(copy: string, folder: string): Promise<string[]> {
  const repository = readRepository(copy);
  const own = repository.packages.filter((pkg) => pkg.folder === folder);
  const results = await runChecks(repository, own);
  const idle = results.filter(({ subjects }) => subjects === 0).map(({ title }) => title);
  // Some checks are about methods only, and one is about commands, which a generated method does not have yet.
  if (folder.includes("/methods/")) expect(idle).toEqual(["commands have one word for one thing"]);
  else expect(results.length - idle.length).toBeGreaterThan(3);
  return results.flatMap(({ violations }) => violations.map(({ message }) => message));
}

describe("the generated core package, in a copy of the repository", () => {
  const folder = "packages/core/swift-things";
  let copy: string;
  beforeAll(() => {
    copy = repositoryCopy();
    createCore(copy, { slug: "swift-things", description: "Things that | are swift." });
    link(copy, folder, { "tensor-core": "packages/core/tensor-core", testing: "packages/core/testing" });
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it("passes the repository's checks, is formatted and lints", async () => {
    expect(await problems(copy, folder)).toEqual([]);
    const { status, output } = tool(
      copy,
      "@biomejs/biome/bin/biome",
      "ci",
      "--error-on-warnings",
      folder,
      "tsconfig.json",
    );
    expect(status, output).toBe(0);
  });

  it("fails one test, which says what to write", () => {
    const { status, output } = tool(copy, "vitest/vitest.mjs", "run", "--experimental.fsModuleCache=false", folder);
    expect(status).toBe(1);
    expect(output).toMatch(/Tests\s+1 failed/);
    expect(output).toContain("docs/adding-a-core-package.md");
  });

  it("is named by the build, the size budgets, the README and a changeset", () => {
    const text = (path: string) => readFileSync(join(copy, path), "utf8");
    expect(text("tsconfig.json")).toContain(`"path": "${folder}"`);
    expect(JSON.parse(text("tooling/size/budgets.json")).own["@offprint/swift-things"]).toBe(10_000);
    expect(text("README.md")).toContain(`](${folder}) | Things that \\| are swift |`);
    expect(text(".changeset/swift-things.md")).toContain("New package: Things that | are swift.");
  });

  it("has a description, from a flag or asked for, and nothing of a paper", async () => {
    const { core, given } = readArguments(["x", "--core", "--description", "Does things"]);
    expect([core, await coreDescription(given, undefined)]).toEqual([true, "Does things."]);
    expect(await coreDescription({}, async () => "Asked for.")).toBe("Asked for.");
    await expect(coreDescription({}, undefined)).rejects.toThrow("give --description");
    expect(() => readArguments(["x", "--core", "--year", "2024"])).toThrow(/a core package has no --year/);
  });
});

describe("generated methods, in copies of the repository", () => {
  const names = Object.keys(kinds) as KindName[];
  const copies = new Map<KindName, string>();

  beforeAll(() => {
    for (const kind of names) {
      const copy = repositoryCopy();
      copies.set(kind, copy);
      createMethod(copy, { ...paper, kind });
      const core = Object.fromEntries(coreUsed.map((slug) => [slug, `packages/core/${slug}`]));
      link(copy, folder, { ...core, bench: "tooling/bench" });
    }
  });

  afterAll(() => {
    for (const copy of copies.values()) rmSync(copy, { recursive: true, force: true });
  });

  // In one run of the compiler, which reads what both import once.
  it("type-check", () => {
    const [first] = copies.values();
    // Programs of the playground are JavaScript, in which the page puts `display`.
    const parts = ["src", "claims", "test", "bench"];
    const include = [...copies.values()].flatMap((copy) => parts.map((part) => join(copy, folder, part)));
    const project = { extends: "./tsconfig.check.json", compilerOptions: { incremental: false }, include };
    writeFileSync(join(first!, "tsconfig.types.json"), JSON.stringify(project));
    const words = ["-p", "tsconfig.types.json", "--listFiles", "--pretty", "false"];
    const { output } = tool(first!, "typescript/bin/tsc", ...words);
    const own = output
      .split("\n")
      .map((line) => line.replaceAll("\\", "/"))
      .filter((line) => line.includes(`${folder}/`));
    expect(own.filter((line) => line.includes(": error "))).toEqual([]);
    for (const [kind, copy] of copies) {
      const listed = own.filter((line) => line.startsWith(`${copy.replaceAll("\\", "/")}/`));
      const written = Object.keys(packageFiles({ ...paper, kind })).filter((path) => path.endsWith(".ts"));
      expect(listed.length).toBe(written.length);
    }
  }, 900_000);

  describe.each(names)("a %s", (kind) => {
    let copy: string;
    beforeAll(() => {
      copy = copies.get(kind)!;
    });

    it("passes the repository's checks", async () => {
      // The picture is drawn when the method is finished.
      expect(await problems(copy, folder)).toEqual([
        "1-swift-descent.svg is missing: pnpm pictures swift-descent",
        "README.md: above its first section it must show ![...](playground/1-swift-descent.svg)",
      ]);
    });

    it("leaves the command's own anatomy right", async () => {
      const repository = readRepository(copy);
      const cli = repository.packages.filter(({ slug }) => slug === "cli");
      const [anatomy] = await runChecks(repository, cli);
      expect(anatomy!.violations.map(({ message }) => message).filter((message) => /swift/.test(message))).toEqual([]);
    });

    it("is formatted and lints", () => {
      const written = [folder, "tsconfig.json", "apps/cli/package.json", "apps/cli/tsconfig.json"];
      const { status, output } = tool(copy, "@biomejs/biome/bin/biome", "ci", "--error-on-warnings", ...written);
      expect(status, output).toBe(0);
    });

    it("fails one test, which says what to write", () => {
      const { status, output } = tool(copy, "vitest/vitest.mjs", "run", "--experimental.fsModuleCache=false", folder);
      expect(status).toBe(1);
      // What it begins with passes the suite of its kind, and its claim fails for a broken variant.
      expect(output).toMatch(/Tests\s+1 failed \| [1-9]\d* passed/);
      expect(output).toContain("test/claims.test.ts");
      expect(output).toContain("Replace this test by tests that read like statements of the paper");
      expect(output).toContain("docs/adding-a-method.md");
      expect(output.includes("conformance.test.ts")).toBe(kind === "solver" || kind === "optimizer");
    });

    it("comes with a changeset, a size budget, a place in the README and the command", () => {
      const text = (path: string) => readFileSync(join(copy, path), "utf8");
      expect(text(".changeset/swift-descent.md")).toMatch(
        /"@offprint\/swift-descent": minor[\s\S]*New method. Swift Descent: descent that is swift/,
      );
      expect(JSON.parse(text("tooling/size/budgets.json")).own["@offprint/swift-descent"]).toBe(10_000);
      expect(text("README.md")).toContain(
        "](packages/methods/swift-descent) | **Descend \\| swiftly.** Swift Descent: descent that is swift \\| certain |",
      );
      expect(JSON.parse(text("apps/cli/package.json")).dependencies["@offprint/swift-descent"]).toBe("workspace:^");
      expect(areasIn(copy)).toContain("optimisation");
    });

    it("refuses a name that is taken, and changes nothing", () => {
      expect(() => createMethod(copy, { ...paper, title: "Another" })).toThrow(/already there/);
      expect(() => createMethod(copy, { ...paper, slug: "claims" })).toThrow(/packages\/core\/claims is already there/);
      expect(readFileSync(join(copy, folder, "package.json"), "utf8")).toContain("Swift Descent");
      expect(existsSync(join(copy, "packages/methods/claims"))).toBe(false);
    });
  });
});

describe("the paper's data", () => {
  const flags = [
    "--title",
    "T",
    "--authors",
    "A; B",
    "--year",
    "2024",
    "--arxiv",
    "none",
    "--area",
    "graphs",
    "--task",
    "Draw",
    "--purpose",
    "For all.",
    "--description",
    "T: draws",
    "--kind",
    "function",
  ];

  it("comes from flags", async () => {
    const { slug, given, install } = readArguments(["x-y", ...flags, "--no-install"]);
    expect(install).toBe(false);
    expect(await completeData(slug, given, [], undefined)).toEqual({
      slug: "x-y",
      title: "T",
      authors: ["A", "B"],
      year: 2024,
      arxiv: null,
      area: "graphs",
      task: "Draw",
      purpose: "For all.",
      description: "T: draws.",
      kind: "function",
    });
  });

  it("is asked for where flags are missing, again after an answer that cannot be", async () => {
    const answers = ["", "2024", "2310.7831x", "2310.07831"];
    const questions: string[] = [];
    const ask = async (question: string) => {
      questions.push(question);
      return answers.shift()!;
    };
    const given = {
      title: "T",
      authors: "A",
      area: "graphs",
      task: "Draw",
      purpose: "For all.",
      description: "D",
      kind: "solver",
    };
    const data = await completeData("x", given, [], ask);
    expect([data.year, data.arxiv]).toEqual([2024, "2310.07831"]);
    expect(questions.length).toBe(4);
  });

  it("names the flags to give where nobody can be asked", async () => {
    await expect(completeData("x", { title: "T" }, [], undefined)).rejects.toThrow(
      "give --authors, --year, --arxiv, --area, --task, --purpose, --description, --kind",
    );
  });

  it("rejects what cannot be a slug, a year, a number on arXiv, or an option", async () => {
    expect(() => readArguments(["Bad_Slug"])).toThrow(/not a slug/);
    expect(() => readArguments([])).toThrow(/which method/);
    expect(() => readArguments(["a", "b"])).toThrow(/one slug at a time/);
    expect(() => readArguments(["a", "--colour", "red"])).toThrow(/colour/);
    const given = {
      title: "T",
      authors: "A",
      year: "soon",
      arxiv: "none",
      area: "x",
      task: "Draw",
      purpose: "For all.",
      description: "D",
      kind: "solver",
    };
    await expect(completeData("x", given, [], undefined)).rejects.toThrow(/"soon" is not a year/);
    await expect(completeData("x", { ...given, year: "2024", arxiv: "1" }, [], undefined)).rejects.toThrow(/arXiv/);
    await expect(completeData("x", { ...given, year: "2024", kind: "net" }, [], undefined)).rejects.toThrow(
      '"net" is no kind; give function, layer, optimizer, solver',
    );
    const aimless = { ...given, year: "2024", purpose: "draws" };
    await expect(completeData("x", aimless, [], undefined)).rejects.toThrow(/begins with "For"/);
  });
});

describe("the entries outside the package", () => {
  it("keep the layout of what is there", () => {
    const compact = '{ "references": [{ "path": "a" }, { "path": "c" }] }';
    expect(withReference(compact, "b")).toMatch(/\{ "path": "a" \},\n\s+\{ "path": "b" \},\n\s+\{ "path": "c" \}/);
    const spread = JSON.stringify({ references: [{ path: "a" }, { path: "c" }] }, undefined, 2);
    const expected = JSON.stringify({ references: [{ path: "a" }, { path: "b" }, { path: "c" }] }, undefined, 2);
    expect(withReference(spread, "b")).toBe(expected);
    expect(withReference(spread, "c")).toBe(spread);
  });

  it("sort dependencies and leave a README without a table alone", () => {
    const text = JSON.stringify({ name: "x", dependencies: { a: "1", c: "1" } });
    expect(Object.keys(JSON.parse(withDependency(text, "b", "2")).dependencies)).toEqual(["a", "b", "c"]);
    expect(withRow("# Title\n", manifest(paper))).toBe("# Title\n");
  });

  it("make names of a slug", () => {
    expect(namesOf("batch-lr")).toEqual({ slug: "batch-lr", camel: "batchLr", pascal: "BatchLr" });
  });
});
