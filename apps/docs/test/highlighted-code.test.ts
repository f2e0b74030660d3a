import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HighlightedCode } from "../src/highlighted-code.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "offprint-highlighted-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const colour = () => vi.fn((code: string, language: string, attributes: string) => `${language}${attributes}<${code}>`);

it("colours a block once in a build, and not again in the next one", () => {
  const path = join(folder, "cache", "blocks.json");
  const first = colour();
  const build = new HighlightedCode(path, ["theme"]);
  const highlight = build.remembering(first);
  expect([
    highlight("a", "ts", ""),
    highlight("a", "ts", ""),
    highlight("a", "js", ""),
    highlight("a", "js", "{1}"),
  ]).toEqual(["ts<a>", "ts<a>", "js<a>", "js{1}<a>"]);
  expect(first).toHaveBeenCalledTimes(3);
  build.save(true);
  const second = colour();
  const next = new HighlightedCode(path, ["theme"]);
  expect([next.remembering(second)("a", "ts", ""), next.remembering(second)("b", "ts", "")]).toEqual([
    "ts<a>",
    "ts<b>",
  ]);
  expect(second.mock.calls).toEqual([["b", "ts", ""]]);
  next.save(false);
  // Where some pages were built, the blocks of the others are still known.
  const some = colour();
  new HighlightedCode(path, ["theme"]).remembering(some)("a", "js", "");
  expect(some).not.toHaveBeenCalled();
  next.save(true);
  // What no page shows any more is forgotten.
  const third = colour();
  new HighlightedCode(path, ["theme"]).remembering(third)("a", "js", "");
  expect(third).toHaveBeenCalledTimes(1);
});

it("takes nothing from a build with other settings or from a damaged file", () => {
  const path = join(folder, "blocks.json");
  const build = new HighlightedCode(path, ["theme"]);
  build.remembering(colour())("a", "ts", "");
  build.save(true);
  const other = colour();
  new HighlightedCode(path, ["another theme"]).remembering(other)("a", "ts", "");
  expect(other).toHaveBeenCalledTimes(1);
  writeFileSync(path, '{"stamp":');
  const damaged = colour();
  new HighlightedCode(path, ["theme"]).remembering(damaged)("a", "ts", "");
  expect(damaged).toHaveBeenCalledTimes(1);
});
