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
  const table = file(
    "trials.csv",
    "heat,salt,yield\n0.1,none,1\n0.5,some,3\n0.9,some,2\n0.4,none,1.5\n0.6,some,2.9\n0.2,some,1.2\n0.8,none,1\n0.3,some,2\n",
  );
  const next = await runWords(commands, "suggest-trials", [
    "--space",
    space,
    "--table",
    table,
    "--objective",
    "yield",
    "--maximize",
    "--output",
    output,
  ]);
  expect(next.out).toContain("3");
  expect(readFileSync(output, "utf8").trim().split("\n").length).toBe(2);
});

it("goes on with even points where the first ones are in the table", async () => {
  const suggested = async (count: number, table?: string) => {
    const output = join(folder, "even.csv");
    await runWords(commands, "suggest-trials", { space, objective: "yield", count, output, table });
    return readFileSync(output, "utf8").trim().split("\n").slice(1);
  };
  const five = await suggested(5);
  const made = five.slice(0, 2).map((row, i) => `${row},${i}`);
  const rest = await suggested(3, file("two.csv", `heat,salt,yield\n${made.join("\n")}\n`));
  expect(rest).toEqual(five.slice(2));
});

it("maximises some objectives and minimises others", async () => {
  const rows = ["0.1,none,1,5", "0.5,some,3,4", "0.9,some,2,1", "0.3,none,2,3"];
  const table = file("both.csv", `heat,salt,yield,cost\n${rows.join("\n")}\n`);
  const words = { space, table, objective: "yield,cost", reference: "0,10", maximize: true };
  const { code, out } = await runWords(commands, "suggest-trials", { ...words, minimize: "cost" });
  // Corners (3, 6) and (2, 9) above (0, 0).
  expect([code, /dominated hypervolume +24\.0000/.test(out)]).toEqual([0, true]);
  const both = await runWords(commands, "suggest-trials", { ...words, maximize: false, minimize: "cost" });
  expect([both.code, both.err]).toEqual([
    2,
    expect.stringContaining("without --maximize all objectives are minimised"),
  ]);
  const wrong = await runWords(commands, "suggest-trials", { ...words, minimize: "price" });
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("--minimize names price")]);
  const said = async (given: Record<string, string | undefined>) =>
    (await runWords(commands, "suggest-trials", { ...words, ...given })).err;
  expect(await said({ objective: "yield,yield" })).toMatch(/--objective must name "yield" once only/);
  expect(await said({ objective: "heat,yield" })).toMatch(/--objective names heat, which --space has as a variable/);
  expect(await said({ reference: undefined })).toMatch(/--reference is missing; give 2, one for each objective/);
  expect(await said({ reference: "1" })).toMatch(/--reference has 1 values; give 2/);
  expect(await said({ objective: "yield" })).toMatch(/--reference would do nothing, as there is one objective/);
  const nothing = await runWords(commands, "suggest-trials", { ...words, reference: "9,9", minimize: "cost" });
  expect(nothing.out + nothing.err).toContain("no trial is better than the reference");
});

it("names the row of a table that is wrong", async () => {
  const of = async (rows: string) => {
    const table = file("wrong.csv", `heat,salt,yield\n0.5,none,1\n${rows}\n`);
    const { code, err } = await runWords(commands, "suggest-trials", { space, table, objective: "yield" });
    expect(code).toBe(2);
    return err;
  };
  expect(await of(",none,1")).toContain("wrong.csv: row 2: heat is empty; fill it in");
  expect(await of("0.3,none,")).toContain("row 2: yield is empty");
  expect(await of("0.3,none,NA")).toContain('row 2: yield is "NA"; it must be a finite number');
  expect(await of("warm,none,1")).toContain('row 2: heat is "warm"');
  expect(await of("7,none,1")).toContain("row 2: heat is 7; it must be a number in [0, 1]");
  expect(await of("0.3,much,1")).toContain("row 2: salt is much; it must be one of none, some");
});

it("says in one line what is wrong with its files", async () => {
  const missing = file("missing.csv", "heat,salt\n0.1,none\n");
  const { code, err } = await runWords(commands, "suggest-trials", [
    "--space",
    space,
    "--table",
    missing,
    "--objective",
    "yield",
  ]);
  expect(code).toBe(2);
  expect(err).toContain("there is no column yield");
  const unkind = file("unkind.json", '[{ "name": "heat", "kind": "float", "lower": 0, "upper": 1 }]');
  expect((await runWords(commands, "suggest-trials", ["--space", unkind, "--objective", "yield"])).err).toContain(
    'unkind.json: heat.kind is float; it must be "real", "integer" or "choice"',
  );
  const broken = file("broken.json", "{");
  expect((await runWords(commands, "suggest-trials", ["--space", broken, "--objective", "yield"])).err).toContain(
    "this is no JSON",
  );
});
