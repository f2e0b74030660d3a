import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { holdOut, readTable } from "@offprint/commands";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { random } from "@offprint/tensor-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { commands } from "../cli/index.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "predict-intervals-"));
  const rng = random.rng(2);
  const rows = Array.from({ length: 60 }, () => [...rng.normal([2], { dtype: "float64" }).data()]);
  const noise = rng.studentT([60], { degreesOfFreedom: 3, dtype: "float64" }).data();
  const numbers = rows.map(([a, b], i) => `${a},${b},${50 + 10 * Math.sin(a) + b + noise[i]}`);
  await writeFile(join(folder, "numbers.csv"), `a,b,yield\n${numbers.join("\n")}\n`);
  await writeFile(
    join(folder, "classes.csv"),
    `a,b,kind\n${rows.map(([a, b]) => `${a},${b},${a > b ? "red" : "blue"}`).join("\n")}\n`,
  );
  await writeFile(join(folder, "new.csv"), `b,a\n0,1\n1,0\n`);
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);

it("predict-intervals writes predictions with intervals, and draws them beside the values", async () => {
  const files = ["-o", at("out.csv"), "--plot", at("intervals.svg"), "--calibration", at("calibration.svg")];
  const words = ["--table", at("numbers.csv"), "--target", "yield", "--max-iterations", "30", ...files];
  const { out, code } = await runWords(commands, "predict-intervals", words);
  expect(code).toBe(0);
  expect(out).toContain("60 rows, 2 features; yield: regression");
  expect(out).toContain("held-out values inside the 90 % intervals");
  const lines = (await readFile(at("out.csv"), "utf8")).trim().split("\n");
  expect(lines[0]).toBe("yield,low,high,actual");
  expect(lines.length).toBe(13);
  for (const line of lines.slice(1)) {
    const [mean, low, high] = line.split(",").map(Number);
    expect(low < mean && mean < high).toBe(true);
  }
  for (const name of ["intervals.svg", "calibration.svg"]) expect(await readFile(at(name), "utf8")).toContain("<svg");
});

it("predict-intervals predicts for another table, of numbers and of classes", async () => {
  const asked = ["--predict", at("new.csv"), "-o", at("predicted.csv")];
  const of = (name: string, ...rest: string[]) =>
    runWords(commands, "predict-intervals", ["--table", at(name), ...asked, ...rest]);
  expect((await of("numbers.csv", "--holdout", "0", "--scale", "known", "--max-iterations", "10")).code).toBe(0);
  const [first] = (await readFile(at("predicted.csv"), "utf8")).trim().split("\n").slice(1);
  expect(Math.abs(Number(first.split(",")[0]) - 58.4)).toBeLessThan(4);
  const { out, code } = await of("classes.csv", "--steps", "60", "--inducing", "10");
  expect(code).toBe(0);
  expect(out).toContain("accuracy");
  expect(await readFile(at("predicted.csv"), "utf8")).toMatch(/^kind,probability blue,probability red\nred,.*\nblue,/);
});

it("predict-intervals judges by rows of one class, and says when a class is held out as a whole", async () => {
  const withRed = async (row: number) => {
    const rows = Array.from({ length: 20 }, (_, i) => `${i},${i === row ? "red" : "blue"}`);
    await writeFile(at("rare.csv"), `a,kind\n${rows.join("\n")}\n`);
  };
  const run = () => runWords(commands, "predict-intervals", ["--table", at("rare.csv"), "--steps", "5"]);
  await withRed(0);
  const { trainRows } = holdOut(await readTable(at("rare.csv")), 0.2, 0);
  await withRed(trainRows[0]);
  expect(await run()).toMatchObject({ code: 0, out: expect.stringContaining("accuracy") });
  await withRed(Array.from({ length: 20 }, (_, i) => i).find((i) => !trainRows.includes(i)) ?? -1);
  expect(await run()).toMatchObject({
    code: 2,
    err: expect.stringContaining("all rows of the class red are held out"),
  });
});

it("predict-intervals says what does not fit", async () => {
  const of = (...rest: string[]) => runWords(commands, "predict-intervals", ["--table", at("numbers.csv"), ...rest]);
  expect(await of("--holdout", "0")).toMatchObject({ code: 2 });
  expect((await of("--holdout", "0")).err).toContain("name a table with --predict");
  expect((await of("--inducing", "5")).err).toContain("--inducing would do nothing, as they are for classes");
  expect((await of("--steps", "5")).err).toContain("--steps would do nothing");
  expect((await of("--level", "1")).err).toContain("--level");
  const flat = Array.from({ length: 12 }, (_, i) => `${i},3`).join("\n");
  await writeFile(at("flat.csv"), `a,b\n${flat}\n`);
  expect((await runWords(commands, "predict-intervals", ["--table", at("flat.csv")])).err).toContain(
    "b is 3 in all rows",
  );
  for (const rows of [12, 20]) {
    const line = Array.from({ length: rows }, (_, i) => `${i},${2 * i}`).join("\n");
    await writeFile(at("line.csv"), `a,b\n${line}\n`);
    const exact = await runWords(commands, "predict-intervals", ["--table", at("line.csv")]);
    expect([exact.code, exact.out + exact.err]).toEqual([0, expect.stringContaining("The fit found no noise")]);
  }
  const classes = (...rest: string[]) =>
    runWords(commands, "predict-intervals", ["--table", at("classes.csv"), ...rest]);
  expect((await classes("--plot", at("no.svg"))).err).toContain("--plot would do nothing, as they are for numbers");
  expect((await classes("--level", "0.5")).err).toContain("--level would do nothing");
  expect(await classes("--holdout", "0")).toMatchObject({ code: 2, err: expect.stringContaining("--predict") });
});

it("predict-intervals goes on after an interruption to the same predictions", async () => {
  for (const [name, limit] of [
    ["numbers.csv", "--max-iterations"],
    ["classes.csv", "--steps"],
  ]) {
    const words = ["--table", at(name), limit, 6];
    const settings = { output: at("resumed.csv"), state: at("state.json") };
    const [whole, parts] = await runInTwo(commands, "predict-intervals", words, settings);
    expect(parts).toEqual(whole);
  }
});
