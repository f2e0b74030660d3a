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

/** Which packages' tests have another hash after a change. */
function changedBy(change: () => void): string[] {
  const prints = () => {
    const repository = readRepository(root);
    const { ofPackage } = fingerprints(repository);
    return new Map(repository.packages.map((pkg) => [pkg.slug, ofPackage("tests", pkg)]));
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
