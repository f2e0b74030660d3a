import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { examplesOf, readmePrograms } from "../../src/pages/playground-page.js";
import { importableEntries } from "../../src/playground-bundle.js";
import { readWorkspace } from "../../src/workspace/workspace.js";

const repository = join(import.meta.dirname, "..", "..", "..", "..");
const { homepage } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
const workspace = readWorkspace(repository);
const available = new Set(importableEntries(workspace).map(({ specifier }) => specifier));

describe("the link of a README to the playground", () => {
  it.each([...workspace.core, ...workspace.methods].map((pkg) => [pkg.name, pkg] as const))(
    "%s leads to a program that is there",
    async (_, pkg) => {
      const programs = [...(await readmePrograms(pkg, available)).values()].map(({ id }) => id);
      const examples = (await examplesOf(pkg, available)).map(({ id }) => id);
      const address = `${homepage}/playground#`;
      const [, linked] = new RegExp(`\\(${address.replaceAll(".", "\\.")}([^)]+)\\)`).exec(pkg.readme) ?? [];
      if (!pkg.forPages) expect(linked).toBeUndefined();
      else expect([...programs.slice(0, 1), ...examples, undefined]).toContain(linked);
      // Where a program of the README runs there, it is the first one that is opened.
      if (pkg.forPages && programs.length > 0) expect(linked).toBe(programs[0]);
    },
  );
});
