import { expect, it } from "vitest";
import { check } from "../words.mjs";
import { lines, repositoryOf } from "./sandbox.js";

const command = (option: string) => ({
  "packages/methods/a/package.json": { name: "@offprint/a" },
  "packages/methods/a/cli/solve.ts": `export const solve = {\n  options: {\n    ${option}: option.integer("how many"),\n  },\n};\n`,
});

it("finds an option that other commands call something else", () => {
  expect(lines(check(repositoryOf(command("iterations"))))).toEqual([
    "packages/methods/a/cli/solve.ts:3: iterations is maxIterations in other commands",
  ]);
});

it("accepts the words of the family and those of a method", () => {
  for (const word of ["maxIterations", "batchSize", "particles"]) {
    expect(lines(check(repositoryOf(command(word))))).toEqual([]);
  }
});
