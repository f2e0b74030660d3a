import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { readCsv } from "@offprint/data";
import { random } from "@offprint/tensor-core";
import { temporaryFolder } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("scale rates");
const at = (name: string) => join(folder, name);
const rng = random.rng(2);
const rows = Array.from({ length: 160 }, () => {
  const [a, b, noise] = rng.normal([3], { dtype: "float64" }).data();
  return [a, b, a > b ? "up" : "down", 400 * (a - 0.5 * b + 0.2 * noise)];
});
const table = at("table.csv");
writeFileSync(table, `a,b,way,much\n${rows.map((row) => row.join(",")).join("\n")}\n`);
const common = { table, features: "a,b", hidden: "4", steps: 60, batches: "4,16,64", repeats: 8, tries: 60 };

describe("scale-rates", () => {
  it("writes the largest rate of each batch size, which is one where steps are tried, and the spectrum", async () => {
    const files = { output: at("rates.csv"), plot: at("spectrum.svg") };
    const { code, out, err } = await runWords(commands, "scale-rates", { ...common, target: "much", ...files });
    expect(code).toBe(0);
    expect(out).toMatch(/160 rows, 2 features; much: regression/);
    expect(err).toMatch(/limits of stability where the network is now/);
    const rates = readCsv(readFileSync(files.output));
    const of = (name: string) => Array.from<number | string | null>(rates.column(name).values) as number[];
    expect(of("batch")).toEqual([4, 16, 64]);
    const sgd = of("largest rate of SGD");
    expect(sgd[0]! < sgd[1]! && sgd[1]! < sgd[2]!).toBe(true);
    expect(of("largest rate of heavy ball").map((rate, i) => rate / sgd[i]!)).toEqual(
      [1.9, 1.9, 1.9].map((v) => expect.closeTo(v, 12)),
    );
    const [half, twice] = [of("loss at half of SGD's"), of("loss at twice SGD's")];
    // Large batches see the curvature that all rows have: the limit is one.
    expect(half[2]).toBeLessThan(0.3);
    expect(twice[2]! > 2 * half[2]! || !Number.isFinite(twice[2])).toBe(true);
    expect(readFileSync(files.plot, "utf8")).toMatch(/^<svg/);
  });

  it("learns classes too, and goes on after an interruption to the same rates", async () => {
    const words = { ...common, target: "way", hidden: "none" };
    const files = { output: at("resumed.csv"), state: at("state.json") };
    const [whole, parts] = await runInTwo(commands, "scale-rates", words, { ...files, interruptAt: 0.25 });
    expect(whole.out).toMatch(/way: classification/);
    expect(parts).toEqual(whole);
    // While batches are measured, and the spectrum is probed, too.
    for (const interruptAt of [0.6, 0.83]) {
      const [, later] = await runInTwo(commands, "scale-rates", words, { ...files, interruptAt });
      expect(later).toEqual(whole);
    }
  });

  it("can be interrupted among probes without end, and steps without end", async () => {
    // A hair beyond where the part begins.
    for (const [endless, begins] of [
      [{ probes: 99_999_999 }, 0.8],
      [{ tries: 99_999_999 }, 0.9],
    ] as const) {
      const words = { ...common, ...endless, target: "way", state: at("endless.json") };
      const { code, err } = await runWords(commands, "scale-rates", words, { interruptAt: begins + 1e-12 });
      expect([code, err]).toEqual([130, expect.stringContaining("--resume goes on with it")]);
    }
  });

  it("says what to do where the curvature of batches does not fall with their size", async () => {
    // One batch of each size: chance decides which is more curved.
    writeFileSync(at("even.csv"), `a,y\n${Array.from({ length: 40 }, (_, i) => `${i % 2},${i % 2}`).join("\n")}\n`);
    const words = { table: at("even.csv"), hidden: "none", steps: 1, batches: "2,4", repeats: 1, tries: 1 };
    const said = await Promise.all(
      Array.from({ length: 12 }, (_, seed) => runWords(commands, "scale-rates", { ...words, seed })),
    );
    const refused = said.filter(({ code }) => code !== 0);
    expect(refused.length).toBeGreaterThan(0);
    for (const { code, err } of refused) {
      expect([code, err]).toEqual([2, expect.stringMatching(/even\.csv: curvature does not fall .* more --repeats/)]);
    }
  });

  it("refuses batches that the table has no rows for", async () => {
    const same = await runWords(commands, "scale-rates", { ...common, target: "way", batches: "4,4" });
    expect([same.code, same.err]).toEqual([2, expect.stringContaining('--batches must name "4" once only')]);
    writeFileSync(at("few.csv"), "a,b\n1,2\n3,4\n");
    const few = await runWords(commands, "scale-rates", { table: at("few.csv") });
    expect([few.code, few.err]).toEqual([2, expect.stringContaining("2 rows are too few for two sizes of batches")]);
    const { code, err } = await runWords(commands, "scale-rates", { ...common, target: "way", batches: "4,400" });
    expect([code, err]).toEqual([2, expect.stringMatching(/400/)]);
  });
});
