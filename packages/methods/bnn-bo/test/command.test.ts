import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runWords } from "@offprint/commands/testing";
import { temporaryFolder } from "@offprint/testing";
import { expect, it } from "vitest";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("offprint-bnn-bo");
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const space = file(
  "space.json",
  JSON.stringify([
    { name: "heat", kind: "real", lower: 0, upper: 1 },
    { name: "salt", kind: "choice", values: ["none", "some"] },
  ]),
);

it("suggests first trials, then the next ones from a table", async () => {
  const output = join(folder, "first.csv");
  const first = await runWords(commands, "suggest-trials", [
    "--space",
    space,
    "--objective",
    "yield",
    "--count",
    "3",
    "--output",
    output,
  ]);
  expect(first.code).toBe(0);
  const [header, ...rows] = readFileSync(output, "utf8").trim().split("\n");
  expect([header, rows.length]).toEqual(["heat,salt", 3]);
  const trials = file(
    "trials.csv",
    "heat,salt,yield\n0.1,none,1\n0.5,some,3\n0.9,some,2\n0.4,none,1.5\n0.6,some,2.9\n0.2,some,1.2\n0.8,none,1\n0.3,some,2\n",
  );
  const next = await runWords(commands, "suggest-trials", [
    "--space",
    space,
    "--trials",
    trials,
    "--objective",
    "yield",
    "--maximize",
    "--output",
    output,
  ]);
  expect(next.out).toContain("3");
  expect(readFileSync(output, "utf8").trim().split("\n").length).toBe(2);
});

it("says in one line what is wrong with its files", async () => {
  const missing = file("missing.csv", "heat,salt\n0.1,none\n");
  const { code, err } = await runWords(commands, "suggest-trials", [
    "--space",
    space,
    "--trials",
    missing,
    "--objective",
    "yield",
  ]);
  expect(code).toBe(2);
  expect(err).toContain("there is no column yield");
  const broken = file("broken.json", "{");
  expect((await runWords(commands, "suggest-trials", ["--space", broken, "--objective", "yield"])).err).toContain(
    "this is no JSON",
  );
});
