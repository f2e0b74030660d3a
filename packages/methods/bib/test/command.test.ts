import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runWords } from "@offprint/commands/testing";
import { temporaryFolder } from "@offprint/testing";
import { expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { scores, sequences } from "./problem.js";

const folder = temporaryFolder("offprint-bib");
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const table = file("table.csv", `sequence,score\n${sequences.map((s, i) => `${s},${scores[i]}`).join("\n")}\n`);
const lines = (path: string) => readFileSync(path, "utf8").trim().split("\n");

it("trains a model on sequences, and designs with it and without", async () => {
  const model = join(folder, "model.safetensors");
  const trained = await runWords(commands, "train-sequence-model", {
    ...{ sequences: table, steps: 4, features: 8, layers: 1, output: model },
  });
  expect([trained.code, trained.err]).toEqual([0, ""]);
  const output = join(folder, "designs.csv");
  for (const given of [{ model, pool: "flatten", ridge: 0.01 }, {}]) {
    const options = { table, steps: 5, starts: 6, output, ...given };
    const { code, out } = await runWords(commands, "design-sequences", options);
    expect(code).toBe(0);
    expect(out).toContain("best score of the table");
    const [header, ...rows] = lines(output);
    expect(header).toBe("sequence,prediction,start,distance");
    expect(rows.length).toBeGreaterThan(0);
    const predictions = rows.map((row) => Number(row.split(",")[1]));
    expect(predictions).toEqual([...predictions].sort((a, b) => b - a));
  }
});

it("an interrupted run is gone on with, to the same proposals", async () => {
  const [whole, rest, state] = ["whole.csv", "rest.csv", "run.state"].map((name) => join(folder, name));
  const options = { table, steps: 6, starts: 4 };
  await runWords(commands, "design-sequences", { ...options, output: whole });
  const aborted = await runWords(
    commands,
    "design-sequences",
    { ...options, output: rest, state },
    { signal: AbortSignal.abort() },
  );
  expect(aborted.code).toBe(130);
  const resumed = await runWords(commands, "design-sequences", { ...options, output: rest, state, resume: true });
  expect(resumed.code).toBe(0);
  expect(lines(rest)).toEqual(lines(whole));
});

it("says in one line what is wrong with a table or an alphabet", async () => {
  const design = async (words: object) => {
    const { code, err } = await runWords(commands, "design-sequences", { table, ...words });
    expect(code).toBe(2);
    return err;
  };
  expect(await design({ score: "yield" })).toMatch(/no column "yield"; it has sequence, score/);
  expect(await design({ alphabet: "A" })).toMatch(/two or more different letters/);
  expect(await design({ alphabet: "protein", score: "sequence" })).toMatch(/must hold numbers/);
  const strange = file("strange.csv", "sequence,score\nACGT,1\nACGX,2\n");
  expect(await design({ table: strange })).toMatch(/"X" at place 4/);
});
