import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { random } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tune-svm-"));
  const rng = random.rng(2);
  const rows = Array.from({ length: 60 }, (_, i) => {
    const [a, b] = rng.normal([2], { dtype: "float64" }).data();
    const flipped = i % 6 === 0;
    return `${a},${b},${a + b > 0 !== flipped ? "yes" : "no"}`;
  });
  await writeFile(join(folder, "data.csv"), `a,b,label\n${rows.join("\n")}\n`);
  await writeFile(join(folder, "three.csv"), "a,label\n1,x\n2,y\n3,z\n");
});
afterAll(() => rm(folder, { recursive: true }));

describe("tune-svm", () => {
  it("lowers the loss of the rows to judge by, and writes the costs", async () => {
    const output = join(folder, "costs.csv");
    const words = ["--table", join(folder, "data.csv"), "--target", "label", "--max-iterations", "400", "-o", output];
    const { out, err, code } = await runWords(commands, "tune-svm", words);
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toContain("36 rows to learn from, 24 to judge by, 2 features");
    const losses = out.split("\n").filter((line) => /loss of the rows|with the tuned costs/.test(line));
    const [before, after] = losses.slice(0, 2).map((line) => Number(line.trim().split(/\s+/).at(-1)));
    expect(after).toBeLessThan(before);
    const lines = (await readFile(output, "utf8")).trim().split("\n");
    expect(lines[0]).toBe("row,label,cost");
    expect(lines.length).toBe(37);
    // The numbers are those of the table's rows.
    const table = (await readFile(join(folder, "data.csv"), "utf8")).trim().split("\n");
    const found = lines.slice(1).map((line) => line.split(","));
    expect(new Set(found.map(([row]) => row)).size).toBe(36);
    for (const [row, label] of found) expect(table[Number(row)].split(",")[2]).toBe(label);
    expect(Math.max(...found.map(([row]) => Number(row)))).toBeGreaterThan(36);
  });

  it("holds where a line parts the classes, which asks for costs as large as they may be", async () => {
    const rng = random.rng(4);
    const rows = Array.from({ length: 40 }, (_, i) => {
      const [a, b] = rng.normal([2], { std: 0.6, dtype: "float64" }).data();
      return i % 2 === 0 ? `${a},${b},no` : `${a + 3},${b - 3},yes`;
    });
    await writeFile(join(folder, "apart.csv"), `a,b,label\n${rows.join("\n")}\n`);
    const words = ["--table", join(folder, "apart.csv"), "--target", "label"];
    const { code, out } = await runWords(commands, "tune-svm", words);
    expect(code).toBe(0);
    const [before, after] = out.match(/\d\.\d+$/gm)!.map(Number);
    expect(after).toBeLessThan(before);
  });

  it("goes on after an interruption to the same costs", async () => {
    const words = { table: join(folder, "data.csv"), target: "label", maxIterations: 8 };
    const [whole, parts] = await runInTwo(commands, "tune-svm", words, {
      output: join(folder, "resumed.csv"),
      state: join(folder, "state.json"),
    });
    expect(parts).toEqual(whole);
  });

  it("does not make costs worse than equal ones, where little is wrong", async () => {
    const rng = random.rng(3);
    const rows = Array.from({ length: 90 }, () => {
      const [a, b, noise] = rng.normal([3], { dtype: "float64" }).data();
      return `${a},${b},${a + 0.3 * noise > 0 ? "ill" : "well"}`;
    });
    await writeFile(join(folder, "clear.csv"), `a,b,label\n${rows.join("\n")}\n`);
    for (const per of ["all", "example"]) {
      const words = ["--table", join(folder, "clear.csv"), "--per", per, "--max-iterations", "60"];
      const { out } = await runWords(commands, "tune-svm", words);
      const losses = out.split("\n").filter((line) => /loss of the rows|with the tuned costs/.test(line));
      const [before, after] = losses.slice(0, 2).map((line) => Number(line.trim().split(/\s+/).at(-1)));
      expect(after).toBeLessThanOrEqual(before);
    }
  });

  it("finds one cost for all within the largest, and judges rows no worse than the best of those that it tries first", async () => {
    const words = ["--table", join(folder, "apart.csv"), "--target", "label", "--per", "all", "--max-iterations", "50"];
    const lossesFor = async (largest: number) => {
      const { code, out } = await runWords(commands, "tune-svm", [...words, "--largest-cost", `${largest}`]);
      expect(code).toBe(0);
      const [, cost, common] = /one cost for all, (\S+)\s+(\S+)/.exec(out)!.map(Number);
      expect(cost).toBeLessThanOrEqual(largest);
      const [one, , tuned] = out.match(/\d\.\d+$/gm)!.map(Number);
      expect(common).toBeLessThan(one);
      expect(tuned).toBeLessThan(1.01 * common);
      return tuned;
    };
    // Where a line parts the classes, large costs are right.
    expect(await lossesFor(200)).toBeLessThan(await lossesFor(12));
    const { err } = await runWords(commands, "tune-svm", [...words, "--largest-cost", "1"]);
    expect(err).toMatch(/--largest-cost must be a number above 1 and of at most 1000/);
  });

  it("says by its own option that a part would be empty", async () => {
    const words = ["--table", join(folder, "data.csv"), "--target", "label", "--validation", "0.999"];
    const { err, code } = await runWords(commands, "tune-svm", words);
    expect([code, err]).toEqual([2, expect.stringContaining("--validation is 0.999 of 60 rows")]);
  });

  it("says so where one class alone is left to learn from", async () => {
    await writeFile(join(folder, "few.csv"), "a,label\n1,x\n2,y\n3,x\n");
    const words = { table: join(folder, "few.csv"), validation: 0.7 };
    const { err, code } = await runWords(commands, "tune-svm", words);
    expect([code, err]).toEqual([2, expect.stringContaining("--validation leaves rows of one class to learn from")]);
  });

  it("takes two classes", async () => {
    const { code, err } = await runWords(commands, "tune-svm", [
      "--table",
      join(folder, "three.csv"),
      "--target",
      "label",
    ]);
    expect(code).toBe(2);
    expect(err).toContain("label has 3 classes; a support vector machine tells two apart");
  });
});
