import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInTwo, runWords } from "@offprint/commands/testing";
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
    ...{ table, steps: 4, width: 8, layers: 1, output: model },
  });
  expect([trained.code, trained.err]).toEqual([0, ""]);
  const output = join(folder, "designs.csv");
  for (const given of [{ model, pool: "flatten", ridge: 0.01 }, {}]) {
    const options = { table, steps: 5, starts: 6, output, ...given };
    const { code, out } = await runWords(commands, "design-sequences", options);
    expect(code).toBe(0);
    expect(out).toContain("best score of the table");
    const refused = async (more: object) => (await runWords(commands, "design-sequences", { ...options, ...more })).err;
    expect(await refused({ kmer: 3 })).toContain("--kmer would do nothing");
    expect(await refused("model" in given ? { alphabet: "ACG" } : { pool: "cls" })).toContain("would do nothing");
    const [header, ...rows] = lines(output);
    expect(header).toBe("sequence,prediction,start,distance");
    expect(rows.length).toBeGreaterThan(0);
    const predictions = rows.map((row) => Number(row.split(",")[1]));
    expect(predictions).toEqual([...predictions].sort((a, b) => b - a));
  }
});

it("designs alike whatever the unit of the scores, where no rule has steps in units", async () => {
  const designed = async (unit: number) => {
    const rows = sequences.map((s, i) => `${s},${scores[i] * unit}`);
    const output = join(folder, "units.csv");
    const words = {
      table: file("units-table.csv", `sequence,score\n${rows.join("\n")}\n`),
      steps: 20,
      mode: "bdi",
      starts: 6,
      output,
    };
    expect((await runWords(commands, "design-sequences", words)).code).toBe(0);
    return lines(output).map((row) => row.split(",")[0]);
  };
  const plain = await designed(1);
  for (const unit of [2 ** 60, 2 ** -60]) expect(await designed(unit)).toEqual(plain);
});

it("designs with an encoder in an .onnx file, from a list in JSON", async () => {
  const model = fileURLToPath(new URL("fixtures/encoder.onnx", import.meta.url));
  const rows = sequences.slice(0, 12).map((s, i) => ({ seq: `${s}A`, fitness: scores[i] }));
  const json = file("table.json", JSON.stringify(rows));
  const output = join(folder, "encoded.csv");
  const words = { table: json, sequence: "seq", score: "fitness", model, ridge: 0.01, steps: 3, starts: 3, output };
  const { code, out } = await runWords(commands, "design-sequences", words);
  expect([code, out]).toEqual([0, expect.stringMatching(/rows +12/)]);
  expect(lines(output)[1]).toMatch(/^[ACGT]{6},/);
  const wrong = await runWords(commands, "design-sequences", { ...words, table, sequence: "sequence", score: "score" });
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("exported for 6")]);
});

it("looks beside an encoder for weights that lie in another file", async () => {
  const fixture = new URL("../../../core/networks/test/fixtures/external-data.json", import.meta.url);
  const { model: text, data } = JSON.parse(readFileSync(fixture, "utf8"));
  const model = join(folder, "beside.onnx");
  writeFileSync(model, Buffer.from(text, "base64"));
  const refusal = async () => (await runWords(commands, "design-sequences", { table, model, steps: 1 })).err;
  expect(await refusal()).toContain('is in the file "model.onnx.data", which is not there; put it beside the model');
  writeFileSync(join(folder, "model.onnx.data"), Buffer.from(data, "base64").subarray(1));
  expect(await refusal()).toContain('the bytes 168 to 176 of "model.onnx.data", which has 175');
});

it("reads letters as letters, whatever they look like", async () => {
  const digits = file("digits.csv", "sequence,score\n0110,1\n0000,2\n1010,0.5\n0011,3\n");
  const peptides = file("peptides.csv", "sequence,score\nNA,1\nIN,2\nNN,0\n");
  for (const words of [
    { table: digits, alphabet: "01" },
    { table: peptides, alphabet: "protein" },
  ]) {
    const { code, err } = await runWords(commands, "design-sequences", { ...words, steps: 1, starts: 2 });
    expect([code, err.includes("offprint:")]).toEqual([0, false]);
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
  const rows = async (text: string, name = "rows.csv") => design({ table: file(name, text) });
  expect(await rows("sequence,score\nACGT,1\nACGA,\n")).toMatch(
    /rows.csv: column "score" must hold numbers; row 2 is empty/,
  );
  expect(await rows("sequence,score\nACGT,1\nACGA,high\n")).toMatch(/row 2 holds "high"/);
  expect(await rows("sequence,score\nACGT,1\n,2\n")).toMatch(/column "sequence" must hold texts of letters; row 2/);
  expect(await rows("")).toMatch(/rows.csv: CSV: the file is empty/);
  expect(await rows('[{"sequence": "ACGT"}]', "rows.json")).toMatch(/rows.json: row 1 has no "score"/);
  expect(await rows('[{"sequence": ', "rows.json")).toMatch(/rows.json: this is no JSON/);
});

it("a training of a model that was interrupted goes on to the same model", async () => {
  const words = { table, steps: 4, width: 8, layers: 1 };
  const [whole, parts] = await runInTwo(commands, "train-sequence-model", words, {
    output: join(folder, "resumed.safetensors"),
    state: join(folder, "state.json"),
  });
  expect(parts).toEqual(whole);
});
