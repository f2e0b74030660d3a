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

  it("of claims, and of what an app loads by its name, does not follow tests", () => {
    declare("apps/cli", ["method"]);
    const edit = () => write("packages/methods/method/test/index.test.ts", "// other tests");
    expect(changedBy(edit, "claims")).toEqual([]);
    const explain = () => write("packages/methods/method/README.md", "# Of the method");
    expect(changedBy(explain, "claims").sort()).toEqual(["cli", "method"]);
  });

  it("of an app's README follows what its code imports", () => {
    declare("apps/docs", ["tools"]);
    const edit = (folder: string) => () => write(`${folder}/src/index.ts`, "export {};");
    expect(changedBy(edit("packages/methods/method"), "README code")).toEqual(["method"]);
    expect(changedBy(edit("packages/core/base"), "README code")).toContain("docs");
  });

  it("of the tarball of an app that names methods follows their versions, not their sources", () => {
    declare("apps/cli", ["method", "tools"]);
    expect(changedBy(() => write("packages/methods/method/src/index.ts", "export {};"), "packages")).toEqual([
      "method",
    ]);
    expect(changedBy(() => declare("packages/methods/method", ["tools"]), "packages").sort()).toEqual([
      "cli",
      "method",
    ]);
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

  it("of the tests of the site's package, but for those of the built site, follows what they stand on", () => {
    declare("apps/docs", ["tools"]);
    expect(changedBy(() => write("packages/methods/method/README.md", "# One"))).toEqual(["method"]);
    expect(changedBy(() => write("docs/a.md", "# A guide"))).toEqual(["docs"]);
    expect(changedBy(() => write("packages/core/tools/src/index.ts", "export {};"))).toContain("docs");
  });

  it("of the built site's tests follows what all packages say, and of those that see what they are given the rest", () => {
    declare("apps/docs", ["tools"]);
    const prints = () => {
      const repository = readRepository(root);
      const docs = repository.packages.find(({ slug }) => slug === "docs")!;
      const parts = [{ name: "pages" }, { name: "reading", digest: () => "" }, { name: "weights", digest: () => "" }];
      return parts.map((part) => fingerprints(repository).ofPackage("site tests", docs, part));
    };
    const first = prints();
    expect(new Set(first).size).toBe(3);
    write("packages/methods/method/README.md", "# Method");
    const second = prints();
    expect(second.map((print, k) => print === first[k])).toEqual([false, true, true]);
    for (const path of ["apps/docs/test/site/reading.test.ts", "packages/core/tools/src/index.ts"]) {
      const before = prints();
      write(path, "// more");
      expect(prints().filter((print, k) => print === before[k])).toEqual([]);
    }
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

  it.each(["beside the packages", "that are packages"])(
    "of the tests of tools %s follows tools and core packages, not methods",
    (which) => {
      declare("tooling/bench", []);
      const print = () => {
        const repository = readRepository(root);
        const prints = fingerprints(repository);
        const bench = repository.packages.find(({ slug }) => slug === "bench")!;
        return which === "that are packages" ? prints.ofPackage("tests", bench) : prints.ofTools("tests");
      };
      const first = print();
      write("packages/methods/method/src/index.ts", "export {};");
      expect(print()).toBe(first);
      write("tooling/checks/anatomy.mjs", "// more");
      const second = print();
      expect(second).not.toBe(first);
      write("packages/core/base/src/index.ts", "export {};");
      expect(print()).not.toBe(second);
    },
  );

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
