import { describe, expect, it } from "vitest";
import { check, inPages, withLines } from "../in-pages.mjs";
import { lines, repositoryOf } from "./sandbox.js";

const entry = { "@offprint/source": "./src/index.ts", default: "./dist/index.js" };
const usage = (specifier: string) => `## Usage\n\n\`\`\`ts\nimport { a } from "${specifier}";\n\`\`\`\n`;
const readme = (rest: string) => `# b\n\n## Install\n\n\`\`\`sh\nnpm install @offprint/b\n\`\`\`\n\n${rest}`;
const files = {
  "package.json": { homepage: "https://offprint.example" },
  "packages/methods/b/package.json": { name: "@offprint/b", exports: { ".": entry, "./node": entry } },
};

function linesOf(text: string, more: Record<string, unknown> = {}) {
  const repository = repositoryOf({ ...files, ...more, "packages/methods/b/README.md": text } as never);
  const [pkg] = repository.packages;
  return { repository, own: inPages(pkg!, text, repository), written: withLines(pkg!, text, repository) };
}

describe("in pages", () => {
  it("leads to the import map, and to the first program that the playground can run", () => {
    const { own } = linesOf(readme(usage("@offprint/b")));
    expect(own).toContain("https://unpkg.com/@offprint/b");
    expect(own).toContain("https://offprint.example/methods/b#install");
    expect(own).toContain("https://offprint.example/playground#readme/b/1");
  });

  it("leads to an example where no program of the README runs there, or to none", () => {
    const forNode = readme(usage("@offprint/b/node"));
    expect(linesOf(forNode).own).not.toContain("playground");
    expect(linesOf(forNode, { "packages/methods/b/playground/1-first.js": "// First" }).own).toContain(
      "https://offprint.example/playground#b/1-first",
    );
    expect(linesOf(readme(usage("lodash"))).own).not.toContain("playground");
  });

  it("wants the lines of today behind the command that installs", () => {
    const bare = readme(usage("@offprint/b"));
    const { repository, written } = linesOf(bare);
    expect(lines(check(repository))).toEqual([expect.stringContaining("pnpm list-packages")]);
    expect(written.indexOf("in pages")).toBeGreaterThan(written.indexOf("npm install"));
    expect(written.indexOf("end of in pages")).toBeLessThan(written.indexOf("## Usage"));
    expect(lines(check(linesOf(written).repository))).toEqual([]);
    expect(lines(check(linesOf(written.replace("unpkg", "unpacked")).repository))).toHaveLength(1);
    expect(linesOf(written).written).toBe(written);
  });

  it("asks nothing of what runs in Node only, or is private", () => {
    const manifest = { name: "@offprint/b", private: true, exports: { ".": entry } };
    const { own, written } = linesOf(readme(""), { "packages/methods/b/package.json": manifest });
    expect(own).toBeUndefined();
    expect(written).toBe(readme(""));
  });
});
