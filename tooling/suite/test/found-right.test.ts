import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FoundRight } from "../found-right.mjs";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "offprint-right-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it("files that were found right are known until they or the settings change", () => {
  const [one, two] = ["one.ts", "two.ts"].map((name) => join(root, name));
  for (const path of [one, two]) writeFileSync(path, path);
  const known = (settings = "a") => new FoundRight(join(root, "kept", "right.json"), root, [settings]);
  expect(known().unknownOf([one, two])).toEqual([one, two]);
  known().keep([one, two]);
  expect(known().unknownOf([one, two])).toEqual([]);
  expect(known("b").unknownOf([one, two])).toEqual([one, two]);
  writeFileSync(two, "other");
  expect(known().unknownOf([one, two])).toEqual([two]);
  writeFileSync(join(root, "kept", "right.json"), "{ half");
  expect(known().unknownOf([one])).toEqual([one]);
});
