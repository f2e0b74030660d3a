import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FormatError, ValueError } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { refineSchedule } from "../src/index.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "offprint refine "));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(csv: string, options: Record<string, string | number> = {}): Promise<string[]> {
  const file = join(folder, "norms.csv");
  writeFileSync(file, csv);
  const lines: string[] = [];
  await commands[0].run({
    arguments: { norms: file },
    options: { norm: "l2", tau: 0.1, ...options },
    print: (line) => lines.push(line),
    onProgress: () => {},
    signal: new AbortController().signal,
    backend: async () => undefined,
  });
  return lines;
}

const norms = [4, 3, 2, 1, 1, 1, 1, 1];
const csv = `step,gnorm\n${norms.map((g, t) => `${t},${g}`).join("\n")}\n`;

describe("offprint refine-schedule", () => {
  it("writes the multipliers of the file's norms", async () => {
    const out = join(folder, "out.csv");
    const lines = await run(csv, { out });
    const rows = readFileSync(out, "utf8").trim().split("\n");
    expect(rows[0]).toBe("step,multiplier");
    expect(rows.slice(1).map((row) => Number(row.split(",")[1]))).toEqual([...refineSchedule(norms).multipliers]);
    expect(lines[0]).toBe("8 norms, a schedule of 8 steps");
    expect(lines.at(-1)).toBe(`written: ${out}`);
  });

  it("takes the number of steps of the run to come, and other options", async () => {
    const lines = await run(csv, { steps: 100, power: 1, floor: 0.1, "drop-edge": 1 });
    expect(lines[0]).toBe("8 norms, a schedule of 100 steps");
    expect(lines.some((line) => /begin tuning the peak learning rate at \d/.test(line))).toBe(true);
  });

  it("prints the warnings of a schedule", async () => {
    const collapsing = Array.from({ length: 40 }, (_, t) => `${t},${10 ** -t}`).join("\n");
    const lines = await run(`step,gnorm\n${collapsing}\n`);
    expect(lines.some((line) => line.startsWith("Warning: the largest weight"))).toBe(true);
  });

  it("names the file, and what is wrong with it or with an option", async () => {
    await expect(run("step,gnorm\n0,x\n")).rejects.toThrow(FormatError);
    await expect(run("step,gnorm\n0,x\n")).rejects.toThrow(/norms\.csv.*line 2/);
    await expect(run(csv, { norm: "max" })).rejects.toThrow(ValueError);
    await expect(run(csv, { norm: "l1" })).rejects.toThrow(/only the other norm/);
  });
});
