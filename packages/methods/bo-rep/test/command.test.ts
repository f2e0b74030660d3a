import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runWords } from "@offprint/commands/testing";
import { random } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

let folder: string;
const wrong = new Set<number>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "clean-labels-"));
  const rng = random.rng(2);
  const rows = (n: number, flips: number) =>
    Array.from({ length: n }, (_, i) => {
      const [a, b] = rng.normal([2], { dtype: "float64" }).data();
      if (i < flips) wrong.add(i);
      return `${a},${b},${a + b > 0 !== i < flips ? "yes" : "no"}`;
    }).join("\n");
  await writeFile(join(folder, "dirty.csv"), `a,b,label\n${rows(80, 12)}\n`);
  await writeFile(join(folder, "clean.csv"), `a,b,label\n${rows(60, 0)}\n`);
  await writeFile(join(folder, "other.csv"), `a,c,label\n${rows(6, 0)}\n`);
});
afterAll(() => rm(folder, { recursive: true }));

describe("clean-labels", () => {
  const words = (clean: string) => [
    "--table",
    join(folder, "dirty.csv"),
    "--clean",
    join(folder, clean),
    "--target",
    "label",
  ];

  it("writes a weight for each row, small ones for wrong labels", async () => {
    const output = join(folder, "weights.csv");
    const { out, code } = await runWords(commands, "clean-labels", [
      ...words("clean.csv"),
      "--iterations",
      "300",
      "-o",
      output,
    ]);
    expect(code).toBe(0);
    expect(out).toContain("80 rows, 2 features, 2 classes; 60 rows to trust");
    const lines = (await readFile(output, "utf8")).trim().split("\n");
    expect(lines[0]).toBe("row,label,weight");
    expect(lines.length).toBe(81);
    const weights = lines.slice(1).map((line) => Number(line.split(",")[2]));
    const mean = (rows: readonly number[]) => rows.reduce((a, b) => a + b) / rows.length;
    const [bad, good] = [true, false].map((which) => mean(weights.filter((_, i) => wrong.has(i) === which)));
    expect(bad).toBeLessThan(good - 0.2);
  });

  it("says which table does not fit", async () => {
    const { code, err } = await runWords(commands, "clean-labels", words("other.csv"));
    expect(code).toBe(2);
    expect(err).toContain("there is no column b; it has a, c, label");
  });
});
