import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { readSafetensors } from "@offprint/data";
import { temporaryFolder } from "@offprint/testing";
import { expect, it } from "vitest";
import { commands } from "../cli/index.js";

const folder = temporaryFolder("fit dynamics");

it("learns a damped oscillation from a table, writes network and plot", async () => {
  const file = join(folder, "series.csv");
  const rows = Array.from({ length: 31 }, (_, i) => {
    const t = 0.2 * i;
    return `${t},${Math.exp(-0.2 * t) * Math.cos(2 * t)},${Math.exp(-0.2 * t) * Math.sin(2 * t)}`;
  });
  writeFileSync(file, `time,x,y\n${rows.join("\n")}\n`);
  const [model, plot] = [join(folder, "model.safetensors"), join(folder, "fit.svg")];
  const { code, out } = await runWords(commands, "fit-dynamics", [
    "--table",
    file,
    "--steps",
    "200",
    "--learning-rate",
    "0.03",
    "--hidden",
    "8",
    "--stretch",
    "5",
    "--output",
    model,
    "--plot",
    plot,
  ]);
  expect(code).toBe(0);
  const [before, after] = ["loss of the first step", "of the last step"].map((label) =>
    Number((out.match(new RegExp(`${label}\\s+(\\S+)`)) as RegExpMatchArray)[1]),
  ) as [number, number];
  expect(after).toBeLessThan(0.3 * before);
  expect(readSafetensors(new Uint8Array(readFileSync(model))).tensors.w1.shape).toEqual([2, 8]);
  expect(readFileSync(plot, "utf8")).toMatch(/^<svg/);
});

it("learns the same of quantities in any unit, and tells its error in theirs", async () => {
  const file = join(folder, "unit.csv");
  const told = async (unit: number) => {
    const rows = Array.from({ length: 11 }, (_, i) => `${i},${unit * Math.cos(i / 2)}`);
    writeFileSync(file, `time,x\n${rows.join("\n")}\n`);
    const words = ["--table", file, "--steps", "5", "--hidden", "4", "--lambda", "0"];
    const { out } = await runWords(commands, "fit-dynamics", words);
    const of = (label: string) => Number((out.match(new RegExp(`${label}\\s+(\\S+)`)) as RegExpMatchArray)[1]);
    return [of("of the last step"), of("from the first row on") / unit] as const;
  };
  const plain = await told(1);
  for (const unit of [1e-300, 1e300]) {
    const [loss, error] = await told(unit);
    expect(loss / plain[0]).toBeCloseTo(1, 6);
    expect(error / plain[1]).toBeCloseTo(1, 6);
  }
});

it("says in one line what is wrong with a table, and in which row", async () => {
  const file = join(folder, "bad.csv");
  const of = async (text: string, ...more: string[]) => {
    writeFileSync(file, text);
    const { code, err } = await runWords(commands, "fit-dynamics", ["--table", file, ...more]);
    expect(code).toBe(2);
    return err;
  };
  expect(await of("time,x\n0,1\n2,2\n1,3\n3,4\n")).toMatch(/times of column "time" must grow from row to row, row 3/);
  expect(await of("time,x\n0,1\n1,\n2,3\n3,4\n")).toContain('column "x" has no finite value in row 2; fill it');
  expect(await of("time,x\n0,1\n1,2\nNA,3\n3,4\n")).toContain('column "time" has no finite value in row 3');
  expect(await of("time\n0\n1\n2\n3\n")).toContain('there is no column but "time"; add one for each quantity');
  const fine = "time,x\n0,1\n1,2\n2,3\n3,4\n";
  expect(await of(fine, "--columns", "x,time")).toContain('"time" is the column of times; leave it out');
  expect(await of(fine, "--tolerance", "1e-300")).toContain("--tolerance must be a number of at least 1e-14");
  expect(await of(fine, "--columns", "x,x")).toContain('--columns must name "x" once only, got "x,x"');
});

it("goes on after an interruption to the same network", async () => {
  const table = join(folder, "short.csv");
  writeFileSync(
    table,
    `time,x\n${Array.from({ length: 8 }, (_, i) => `${0.1 * i},${Math.cos(0.3 * i)}`).join("\n")}\n`,
  );
  const words = { table, steps: 8, hidden: 4 };
  const [whole, parts] = await runInTwo(commands, "fit-dynamics", words, {
    output: join(folder, "resumed.safetensors"),
    state: join(folder, "state.json"),
  });
  expect(parts).toEqual(whole);
});
