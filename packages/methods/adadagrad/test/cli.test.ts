import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { type Column, readCsv, readSafetensors, Table, writeCsv } from "@offprint/data";
import { wine } from "@offprint/datasets";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

let folder: string;
const set = wine({ dtype: "float64" });
const columns: Column[] = Array.from({ length: 13 }, (_, f) => ({
  name: `m${f}`,
  type: "number",
  values: Float64Array.from({ length: 178 }, (_, i) => set.inputs.data()[i * 13 + f]),
}));
const grower: Column = { name: "grower", type: "text", values: Array.from(set.targets.data(), (k) => "abc"[k]) };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adadagrad-"));
  await writeFile(join(folder, "wine.csv"), writeCsv(new Table([...columns, grower])));
});

afterAll(() => rm(folder, { recursive: true }));

const run = (given: Record<string, number | string>, table = join(folder, "wine.csv")) =>
  runWords(commands, "grow-batches", { table, ...given });

describe("offprint grow-batches", () => {
  it("learns classes, and writes parameters and the batch sizes that were chosen", async () => {
    const [history, output] = [join(folder, "history.csv"), join(folder, "network.safetensors")];
    const { code, out: text } = await run({ hidden: "8", epochs: 15, history, output });
    expect(code).toBe(0);
    expect(text).toMatch(/142 samples to learn from, 36 held out; grower: 3 classes/);
    expect(text).toMatch(/accuracy on 36 held-out samples +(0\.[89]|1\.0)/);
    const table = readCsv(await readFile(history));
    const sizes = table.column("batchSize").values as Float64Array;
    expect(sizes[0]).toBe(16);
    expect(sizes[sizes.length - 1]).toBeGreaterThan(16);
    expect(Object.values(readSafetensors(await readFile(output)).tensors).map(({ shape }) => shape.join())).toContain(
      "13,8",
    );
  });

  it("learns numbers by a linear model", async () => {
    const [data, history] = [join(folder, "numbers.csv"), join(folder, "numbers-history.csv")];
    await writeFile(data, writeCsv(new Table(columns)));
    const { out: text } = await run(
      { hidden: "none", target: "m0", epochs: 5, test: "augmented", optimizer: "adagrad-norm", maxBatch: 20, history },
      data,
    );
    const sizes = readCsv(await readFile(history)).column("batchSize").values as Float64Array;
    expect(sizes[sizes.length - 1]).toBe(20);
    expect(text).toMatch(/mean squared error on 36 held-out samples +[\d.]+/);
  });

  it("learns numbers alike in any unit, and keeps the units with the parameters", async () => {
    const error = async (unit: number, place: number) => {
      const [data, output] = [join(folder, "units.csv"), join(folder, "units.safetensors")];
      const y = Float64Array.from(columns[0].values as Float64Array, (value) => place + unit * value);
      await writeFile(data, writeCsv(new Table([...columns.slice(1), { name: "y", type: "number", values: y }])));
      const { out } = await run({ hidden: "8", epochs: 10, output }, data);
      const { tensors } = readSafetensors(await readFile(output));
      expect(Math.abs(Number(tensors["targets.mean"].item()) - place) / unit).toBeCloseTo(13, 0);
      expect(tensors["inputs.std"].shape).toEqual([12]);
      return Number(out.match(/mean squared error on 36 held-out samples +(\S+)/)?.[1]) / unit ** 2;
    };
    const plain = await error(1, 0);
    expect(plain).toBeLessThan(0.5);
    for (const [unit, place] of [
      [1e12, 0],
      [1e-12, 0],
      [100, 1e6],
    ]) {
      expect(await error(unit, place)).toBeCloseTo(plain, 3);
    }
  });

  it("goes on after an interruption to the same network", async () => {
    const words = { table: join(folder, "wine.csv"), hidden: "4", epochs: 4 };
    const [whole, parts] = await runInTwo(commands, "grow-batches", words, {
      output: join(folder, "resumed.safetensors"),
      state: join(folder, "state.json"),
    });
    expect(parts).toEqual(whole);
  });

  it("refuses what it cannot use", async () => {
    expect((await run({ batchSize: 1000 })).err).toMatch(/--batch-size is 1000; there are \d+ samples to learn from/);
    expect((await run({ batchSize: 1 })).err).toMatch(/--batch-size must be an integer of at least 2, got "1"/);
    for (const maxBatch of [8, 1000]) {
      expect((await run({ maxBatch })).err).toMatch(
        /--max-batch is \d+; it must be from --batch-size, 16, to \d+ samples/,
      );
    }
    const said = async (given: Record<string, string>) => (await run(given)).err;
    expect(await said({ test: "size" })).toMatch(/--test cannot be "size"/);
    expect(await said({ hidden: "a" })).toMatch(/--hidden must be an integer of at least 1, got "a"/);
    expect(await said({ optimizer: "adam" })).toMatch(/--optimizer cannot be "adam"/);
    expect(await said({ nu: "2" })).toMatch(/--nu would do nothing, as --test norm does not look across/);
    expect(await said({ test: "orthogonality", eta: "1" })).toMatch(/--eta would do nothing/);
    expect(await said({ target: "year" })).toMatch(/no column year/);
  });
});
