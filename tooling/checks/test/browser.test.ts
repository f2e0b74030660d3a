import { describe, expect, it } from "vitest";
import { check } from "../browser.mjs";
import { lines, repositoryOf } from "./sandbox.js";

describe("browser", () => {
  it("finds a Node module, also behind another file", async () => {
    const repository = repositoryOf({
      "packages/core/optim/package.json": { name: "@offprint/optim", type: "module" },
      "packages/core/optim/src/index.ts": 'export { read } from "./read.js";',
      "packages/core/optim/src/read.ts": 'import { readFileSync } from "node:fs";\nexport const read = readFileSync;',
    });
    expect(lines(await check(repository))).toEqual([expect.stringMatching(/src\/read\.ts:1: .*node:fs/)]);
  });

  it("accepts what a page can run, and packages with a part for Node", async () => {
    const repository = repositoryOf({
      "packages/core/optim/package.json": { name: "@offprint/optim", type: "module" },
      "packages/core/optim/src/index.ts": "export const x = 1;",
      "packages/core/data/package.json": { name: "@offprint/data", type: "module" },
      "packages/core/data/src/index.ts": 'export * from "node:fs";',
    });
    expect(await check(repository)).toEqual({ subjects: 1, violations: [] });
  });
});
