import { describe, expect, it } from "vitest";
import { check } from "../unfinished.mjs";
import { lines, repositoryOf } from "./sandbox.js";

describe("unfinished", () => {
  it.each([
    ["// TODO later", "TODO"],
    ["const path = '/home/somebody/data';", "machine"],
    [`const path = '/${"work"}/main/x';`, "machine"],
    ["it.only('x', () => {});", "other tests"],
  ])("finds %s with its line", (line, message) => {
    const found = lines(check(repositoryOf({ "packages/core/a/src/x.ts": `\n${line}\n` })));
    expect(found).toEqual([expect.stringMatching(new RegExp(`^packages/core/a/src/x\\.ts:2: .*${message}`))]);
  });

  it("finds a file whose name says nothing", () => {
    expect(lines(check(repositoryOf({ "packages/core/a/src/utils.ts": "" })))).toHaveLength(1);
  });

  it("accepts ordinary text and what is built", () => {
    const files = {
      "docs/x.md": "See https://offprint.dev/home/methods/ and ./work/plan",
      "packages/core/a/dist/x.js": "// TODO",
      "apps/docs/.vitepress/.temp/x.css": "/* TODO */",
    };
    expect(lines(check(repositoryOf(files)))).toEqual([]);
  });
});
