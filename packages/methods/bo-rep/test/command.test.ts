import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
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
      "--max-iterations",
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

  it("goes on after an interruption to the same weights", async () => {
    const given = [...words("clean.csv"), "--max-iterations", "6"];
    const [whole, parts] = await runInTwo(commands, "clean-labels", given, {
      output: join(folder, "resumed.csv"),
      state: join(folder, "state.json"),
    });
    expect(parts).toEqual(whole);
  });

  it("says which table does not fit", async () => {
    const { code, err } = await runWords(commands, "clean-labels", words("other.csv"));
    expect(code).toBe(2);
    expect(err).toContain(`${join(folder, "other.csv")}: there is no column b; it has a, c, label`);
  });

  it("refuses labels to trust that the table has not, and says of which there are none", async () => {
    await writeFile(join(folder, "spelt.csv"), "a,b,label\n1,1,Yes\n-1,-1,no\n");
    const spelt = await runWords(commands, "clean-labels", words("spelt.csv"));
    expect([spelt.code, spelt.out]).toEqual([2, ""]);
    expect(spelt.err).toMatch(
      /spelt\.csv: label has Yes, which .*dirty\.csv has not; its labels are (yes, no|no, yes)/,
    );
    await writeFile(join(folder, "half.csv"), "a,b,label\n1,1,yes\n2,1,yes\n");
    const half = await runWords(commands, "clean-labels", [...words("half.csv"), "--max-iterations", "2"]);
    expect(half.code).toBe(0);
    expect(half.err).toMatch(/half\.csv has no row with no: such rows of .*dirty\.csv are taken for wrong/);
  });
});
