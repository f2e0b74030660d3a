import { describe, expect, it } from "vitest";
import { check, packageTables } from "../listed.mjs";
import { lines, repositoryOf } from "./sandbox.js";

const files = {
  "packages/core/a/package.json": { name: "@offprint/a", description: "Adds | subtracts." },
  "packages/methods/b/package.json": { name: "@offprint/b", description: "B.", offprint: { task: "Do b" } },
  "docs/architecture.md": "```\npackages/core/\n  a/  sums\n```\n",
  "tooling/c/package.json": { name: "@offprint/c", private: true, description: "Hidden." },
};
const readme = (tables: string) => `# x\n\n<!-- packages: here -->\n\n${tables}\n\n<!-- end of packages -->\n`;

describe("listed", () => {
  it("wants a line for each published package", () => {
    const tables = packageTables(repositoryOf(files));
    expect(tables).toContain("| [`@offprint/a`](packages/core/a) | Adds \\| subtracts |");
    expect(tables).toContain("| [`@offprint/b`](packages/methods/b) | **Do b.** B |");
    expect(tables).not.toContain("Hidden");
    expect(lines(check(repositoryOf({ ...files, "README.md": readme(tables) })))).toEqual([]);
    const less = tables.replace(/^.*@offprint\/b.*\n/m, "");
    expect(lines(check(repositoryOf({ ...files, "README.md": readme(less) })))).toEqual([
      expect.stringContaining("pnpm list-packages"),
    ]);
    expect(lines(check(repositoryOf({ ...files, "README.md": "# x\n" })))).toHaveLength(1);
  });

  it("wants a line for each core package in architecture.md", () => {
    const tables = packageTables(repositoryOf(files));
    const others = "```\npackages/core/\n  ab/  other sums\n```\n";
    const said = lines(check(repositoryOf({ ...files, "README.md": readme(tables), "docs/architecture.md": others })));
    expect(said).toEqual([expect.stringContaining("no line for packages/core/a;")]);
  });
});
