import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** The numbers of a table of the AssemblyScript kernels. */
function table(source: string, name: string): number[] {
  const body =
    source.match(new RegExp(`export const ${name}: usize = memory.data<f\\d+>\\(\\[([^\\]]*)\\]`))?.[1] ?? "";
  return body
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map(Number);
}

it("compiled loops take the coefficients of the host's kernels", () => {
  const kernels = readFileSync(new URL("../../assembly/coefficients.ts", import.meta.url), "utf8");
  const compiler = readFileSync(new URL("../../src/host-compiler/vector-math.ts", import.meta.url), "utf8");
  const lists = [...compiler.matchAll(/(ln2|exp|log): \[([^\]]*)\]/g)].map(([, name, numbers]) => [
    name,
    numbers
      .split(",")
      .map((text) => text.trim())
      .filter((text) => text !== "")
      .map(Number),
  ]);
  expect(lists).toEqual([
    ["ln2", table(kernels, "LN2_64")],
    ["exp", table(kernels, "EXP_64")],
    ["log", table(kernels, "LOG_64")],
    ["ln2", table(kernels, "LN2_32")],
    ["exp", table(kernels, "EXP_32")],
    ["log", table(kernels, "LOG_32")],
  ]);
});
