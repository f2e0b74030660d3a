import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readRepository } from "../../checks/repository.mjs";
import { fingerprints, reachedBy } from "../fingerprint.mjs";

let root = "";

function write(path: string, text: string) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function declare(folder: string, dependencies: string[], devDependencies: string[] = []) {
  const listed = (names: string[]) => Object.fromEntries(names.map((name) => [`@offprint/${name}`, "workspace:^"]));
  const name = `@offprint/${folder.split("/").at(-1)}`;
  const manifest = { name, dependencies: listed(dependencies), devDependencies: listed(devDependencies) };
  write(`${folder}/package.json`, JSON.stringify(manifest));
  write(`${folder}/src/index.ts`, `export const name = "${name}";`);
  write(`${folder}/test/index.test.ts`, "// tests");
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "offprint-prints-"));
  declare("packages/core/base", []);
  declare("packages/core/tools", ["base"]);
  declare("packages/core/other", []);
  declare("packages/methods/method", ["tools"], ["other"]);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** For which packages a stage has another hash after a change. */
function changedBy(change: () => void, stage = "tests"): string[] {
  const prints = () => {
    const repository = readRepository(root);
    const known = fingerprints(repository);
    return new Map(repository.packages.map((pkg) => [pkg.slug, known.ofPackage(stage, pkg)]));
  };
  const before = prints();
  change();
  return [...prints()].filter(([slug, print]) => before.get(slug) !== print).map(([slug]) => slug);
}

describe("the hash of a job", () => {
  it("stays where nothing changes", () => {
    expect(changedBy(() => undefined)).toEqual([]);
  });

  it("follows sources of what a package stands on, not their tests", () => {
    expect(changedBy(() => write("packages/core/base/src/index.ts", "export {};"))).toEqual([
      "base",
      "tools",
      "method",
    ]);
    expect(changedBy(() => write("packages/core/base/test/index.test.ts", "// more"))).toEqual(["base"]);
    expect(changedBy(() => write("packages/core/other/src/more.ts", "export {};"))).toEqual(["other", "method"]);
  });

  it("of claims, and of what apps show, does not follow tests", () => {
    declare("apps/docs", []);
    const edit = () => write("packages/methods/method/test/index.test.ts", "// other tests");
    expect(changedBy(edit, "claims")).toEqual([]);
    const explain = () => write("packages/methods/method/README.md", "# Of the method");
    expect(changedBy(explain, "claims").sort()).toEqual(["docs", "method"]);
  });

  it("of the command's tests, which bring methods of their own, follows core packages and what they read", () => {
    declare("apps/cli", ["method", "tools"]);
    expect(changedBy(() => write("packages/methods/method/src/index.ts", "export {};"))).toEqual(["method"]);
    expect(changedBy(() => write("packages/core/tools/src/index.ts", "export {};"))).toEqual([
      "cli",
      "tools",
      "method",
    ]);
    expect(changedBy(() => write("apps/docs/guides/from-one-machine-to-many.md", "# More"))).toEqual(["cli"]);
    expect(changedBy(() => write("packages/methods/method/src/index.ts", ""), "README code")).toContain("cli");
  });

  it("of the site's tests follows what all packages say, and of its package's other tests what they stand on", () => {
    declare("apps/docs", ["tools"]);
    const explain = (text: string) => () => write("packages/methods/method/README.md", text);
    expect(changedBy(explain("# One"), "tests")).toEqual(["method"]);
    expect(changedBy(explain("# Another"), "site tests")).toContain("docs");
    expect(changedBy(() => write("docs/a.md", "# A guide"))).toEqual(["docs"]);
    expect(changedBy(() => write("packages/core/tools/src/index.ts", "export {};"))).toContain("docs");
  });

  it("of types follows whatever a package's programs import, and of tools the tools", () => {
    declare("apps/docs", []);
    declare("tooling/bench", []);
    expect(changedBy(() => write("packages/methods/method/test/index.test.ts", "// more"), "types")).toEqual([
      "method",
    ]);
    expect(changedBy(() => write("packages/core/tools/src/index.ts", "export {};"), "types")).toEqual([
      "tools",
      "method",
    ]);
    expect(changedBy(() => write("tooling/checks/anatomy.mjs", "// more"), "types")).toEqual(["bench"]);
  });

  it("of the tests of tools follows tools and core packages, not methods", () => {
    const print = () => fingerprints(readRepository(root)).ofTools("tests");
    const first = print();
    write("packages/methods/method/src/index.ts", "export {};");
    expect(print()).toBe(first);
    write("tooling/checks/anatomy.mjs", "// more");
    const second = print();
    expect(second).not.toBe(first);
    write("packages/core/base/src/index.ts", "export {};");
    expect(print()).not.toBe(second);
  });

  it("of the site follows what it shows and what builds it, not tests and other tools", () => {
    declare("apps/docs", []);
    const print = () => fingerprints(readRepository(root)).ofSite("site");
    let last = print();
    for (const path of [
      "apps/docs/test/site/pages.test.ts",
      "packages/methods/method/test/a.test.ts",
      "tooling/suite/a.mjs",
    ]) {
      write(path, "// more");
      expect(print(), path).toBe(last);
    }
    for (const path of [
      "apps/docs/src/site.ts",
      "apps/docs/.vitepress/config.ts",
      "packages/methods/method/src/index.ts",
      "packages/methods/method/README.md",
      "docs/decisions/0001.md",
      "CONTRIBUTING.md",
      "tooling/setup/setup.mjs",
    ]) {
      write(path, "// more");
      expect(print(), path).not.toBe(last);
      last = print();
    }
  });

  it("is the same whether absent devices fail or not, as what misses one is not remembered", () => {
    const before = process.env.OFFPRINT_REQUIRE_ALL;
    try {
      expect(changedBy(() => (process.env.OFFPRINT_REQUIRE_ALL = "1"))).toEqual([]);
    } finally {
      if (before === undefined) delete process.env.OFFPRINT_REQUIRE_ALL;
      else process.env.OFFPRINT_REQUIRE_ALL = before;
    }
  });

  it("follows new files, the lock file and the settings of all", () => {
    expect(changedBy(() => write("packages/methods/method/README.md", "# Method"))).toEqual(["method"]);
    expect(changedBy(() => write("pnpm-lock.yaml", "lockfileVersion: 9")).length).toBe(4);
  });
});

describe("packages that a change reaches", () => {
  it("are those with changed files and all that stand on them", () => {
    const { packages } = readRepository(root);
    const reached = (...paths: string[]) => reachedBy(packages, paths).map(({ slug }) => slug);
    expect(reached("packages/core/tools/src/index.ts")).toEqual(["tools", "method"]);
    expect(reached("packages/core/base/README.md")).toEqual(["base", "tools", "method"]);
    expect(reached("README.md")).toEqual([]);
  });
});
