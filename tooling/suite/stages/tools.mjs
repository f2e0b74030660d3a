// Tests of the tools that are no packages: checks, this suite, the generator of methods, the code of READMEs.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { addedUp } from "../suite.mjs";
import { runTests } from "./unit.mjs";

export const name = "tool tests";
export const needs = ["build"];
export const cached = "tools";

/** @type {import("../suite.mjs").Stage} */
export function run({ root, filtered, cache }) {
  if (filtered) return { passed: 0, failed: 0 };
  const tools = join(root, "tooling");
  const tested = readdirSync(tools)
    .map((tool) => join(tools, tool))
    .filter((tool) => existsSync(join(tool, "test")) && !existsSync(join(tool, "package.json")));
  return addedUp(runTests(root, tested, cache));
}
