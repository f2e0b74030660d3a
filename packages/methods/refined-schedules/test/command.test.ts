import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runWords } from "@offprint/commands/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { refineSchedule } from "../src/index.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "offprint refine "));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (csv: string, given: Record<string, string | number> = {}) => {
  const table = join(folder, "norms.csv");
  writeFileSync(table, csv);
  return runWords(commands, "refine-schedule", { table, ...given });
};

const norms = [4, 3, 2, 1, 1, 1, 1, 1];
const csv = `step,gnorm\n${norms.map((g, t) => `${t},${g}`).join("\n")}\n`;

describe("offprint refine-schedule", () => {
  it("writes the multipliers of the file's norms", async () => {
    const output = join(folder, "out.csv");
    const { code, out } = await run(csv, { output });
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    const rows = readFileSync(output, "utf8").trim().split("\n");
    expect(rows[0]).toBe("step,multiplier");
    expect(rows.slice(1).map((row) => Number(row.split(",")[1]))).toEqual([...refineSchedule(norms).multipliers]);
    expect(lines[0]).toBe("8 norms, a schedule of 8 steps");
    expect(lines.at(-1)).toBe(`written: ${output}`);
  });

  it("takes the number of steps of the run to come, and other options", async () => {
    const { out, err } = await run(csv, { steps: 100, power: 1, floor: 0.1, dropEdge: 1 });
    expect(out).toMatch(/^8 norms, a schedule of 100 steps\n/);
    expect(out).toMatch(/\nbegin tuning the peak learning rate at +\d/);
    expect(err).toBe("--output <file> writes the multipliers.\n");
  });

  it("prints the warnings of a schedule", async () => {
    const collapsing = Array.from({ length: 40 }, (_, t) => `${t},${10 ** -t}`).join("\n");
    const { err } = await run(`step,gnorm\n${collapsing}\n`);
    expect(err).toMatch(/^Warning: the largest weight/m);
  });

  it("names the file, and what is wrong with it or with an option", async () => {
    expect(await run("step,gnorm\n0,x\n")).toMatchObject({ code: 2, err: expect.stringMatching(/norms\.csv.*line 2/) });
    expect((await run(csv, { norm: "max" })).err).toMatch(/--norm cannot be "max"/);
    expect((await run(csv, { norm: "l1" })).err).toMatch(/only the other norm/);
    expect((await run(csv, { dropEdge: 4 })).err).toMatch(/--drop-edge is 4, which leaves nothing of 8 norms/);
    expect((await run("step,gnorm\n0,4\n2,3\n1,2\n")).err).toMatch(/norms\.csv.*line 4: step 1 comes after 2; sort/);
  });

  it("says how many rows have no norm, as the schedule is shorter by them", async () => {
    const gap = csv.replace("\n3,1\n", "\n3,NaN\n");
    expect((await run(gap)).err).toMatch(/^1 of 8 rows have no finite norm .* --steps/);
    expect((await run(gap, { steps: 8 })).err).not.toMatch(/have no finite norm/);
  });
});
