import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { type Column, readCsv, Table, writeCsv, writeNpz } from "@offprint/data";
import { breastCancer, wine } from "@offprint/datasets";
import { tensor } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "target-surrogates-"));
});

afterAll(() => rm(folder, { recursive: true }));

async function run(name: string, given: Record<string, number | string>) {
  const { code, out, err } = await runWords(commands, name, given);
  expect([code, err]).toEqual([0, ""]);
  return out.trimEnd();
}

function columnsOf(set: { inputs: { shape: readonly number[]; data(): ArrayLike<number> } }): Column[] {
  const [n, d] = set.inputs.shape;
  const data = set.inputs.data();
  return Array.from({ length: d }, (_, f) => ({
    name: `m${f}`,
    type: "number",
    values: Float64Array.from({ length: n }, (_, i) => data[i * d + f]),
  }));
}

const wines = wine({ dtype: "float64" });
const growers = Array.from(wines.targets.data(), (k) => ["amber", "red", "white"][k]);

describe("offprint fit-targets and predict-targets", () => {
  it("learn three classes from a table, and predict another one, whose columns are in another order", async () => {
    const data = join(folder, "wine.csv");
    const [model, out] = [join(folder, "wine.safetensors"), join(folder, "out.csv")];
    const grower: Column = { name: "grower", type: "text", values: growers };
    await writeFile(data, writeCsv(new Table([...columnsOf(wines), grower])));
    const text = await run("fit-targets", { table: data, epochs: 10, batchSize: 32, output: model });
    expect(text).toMatch(/142 samples to learn from, 13 features; grower: 3 classes/);
    expect(text).toMatch(/accuracy on 36 held-out samples +(0\.9|1\.0)/);
    await writeFile(data, writeCsv(new Table(columnsOf(wines).toReversed())));
    expect(await run("predict-targets", { model, table: data, output: out })).toMatch(/178 predictions written/);
    const table = readCsv(await readFile(out));
    expect(table.names).toEqual(["grower", "probability amber", "probability red", "probability white"]);
    const right = (table.column("grower").values as string[]).filter((each, i) => each === growers[i]);
    expect(right.length).toBeGreaterThan(0.95 * 178);
    const sums = [1, 2, 3].map((k) => table.column(table.names[k]).values[0] as number);
    expect(sums.reduce((a, b) => a + b)).toBeCloseTo(1, 10);
  });

  it("learn numbers alike in any unit", async () => {
    const found = async (unit: number, place: number, hidden: string) => {
      const [data, model] = [join(folder, "units.csv"), join(folder, "units.safetensors")];
      const [m0, ...others] = columnsOf(wines);
      const y = Float64Array.from(m0.values as Float64Array, (value) => place + unit * value);
      await writeFile(data, writeCsv(new Table([...others, { name: "y", type: "number", values: y }])));
      const text = await run("fit-targets", { table: data, epochs: 10, hidden, output: model });
      const predicted = (await run("predict-targets", { model, table: data })).split("\n").slice(1);
      const error = Number(text.match(/mean squared error on 36 held-out samples +(\S+)/)?.[1]);
      return { error: error / unit ** 2, predicted: predicted.map((value) => (Number(value) - place) / unit) };
    };
    for (const hidden of ["none", "8"]) {
      const plain = await found(1, 0, hidden);
      for (const [unit, place] of [
        [1e12, 0],
        [1e-12, 0],
        [1e60, 0],
        [100, 1e6],
      ]) {
        const other = await found(unit, place, hidden);
        expect(other.error).toBeCloseTo(plain.error, 3);
        other.predicted.forEach((value, i) => expect(value).toBeCloseTo(plain.predicted[i], 3));
      }
    }
  });

  it("learn two classes given as numbers, with a network", async () => {
    const set = breastCancer({ dtype: "float64" });
    const [data, model] = [join(folder, "cancer.csv"), join(folder, "cancer.safetensors")];
    const benign: Column = { name: "benign", type: "number", values: Float64Array.from(set.targets.data()) };
    await writeFile(data, writeCsv(new Table([benign, ...columnsOf(set)])));
    const options = {
      target: "benign",
      task: "classification",
      hidden: "8",
      epochs: 3,
      batchSize: 0,
      innerSteps: 10,
      output: model,
    };
    expect(await run("fit-targets", { table: data, ...options })).toMatch(
      /accuracy on 114 held-out samples +(0\.9|1\.0)/,
    );
    const lines = (await run("predict-targets", { model, table: data })).split("\n");
    expect(lines[0]).toBe("benign,probability 0,probability 1");
    expect(lines).toHaveLength(570);
  });

  it("learn numbers from arrays: all samples at once, one step, is least squares", async () => {
    const x = wines.inputs;
    const y = tensor(Float64Array.from({ length: 178 }, (_, i) => 3 * x.data()[i * 13] - x.data()[i * 13 + 4] / 10));
    const [data, model] = [join(folder, "numbers.npz"), join(folder, "numbers.safetensors")];
    await writeFile(data, writeNpz({ x, y }));
    const options = { batchSize: 0, epochs: 1, innerSteps: 2000, schedule: "constant", holdout: 0, output: model };
    expect(await run("fit-targets", { table: data, ...options })).toMatch(/1 steps/);
    const lines = (await run("predict-targets", { model, table: data })).split("\n").slice(1).map(Number);
    for (const i of [0, 50, 177]) expect(lines[i]).toBeCloseTo(y.data()[i], 3);
  });

  it("go on after an interruption to the same model", async () => {
    const table = join(folder, "growers.csv");
    await writeFile(
      table,
      writeCsv(new Table([...columnsOf(wines), { name: "grower", type: "text", values: growers }])),
    );
    const words = { table, epochs: 2, batchSize: 32 };
    const [whole, parts] = await runInTwo(commands, "fit-targets", words, {
      output: join(folder, "resumed.safetensors"),
      state: join(folder, "state.json"),
    });
    expect(parts).toEqual(whole);
  });

  it("refuse what they cannot use", async () => {
    const data = join(folder, "small.csv");
    await writeFile(data, "a,b\n1,x\n2,y\n3,x\n4,y\n");
    const wrong = async (name: string, given: Record<string, number | string>) =>
      (await runWords(commands, name, given)).err;
    const said = (given: Record<string, number | string>) => wrong("fit-targets", { table: data, ...given });
    expect(await said({ hidden: "a" })).toMatch(/--hidden must be an integer/);
    expect(await said({ holdout: 1 })).toMatch(/--holdout must be a number/);
    expect(await said({ epochs: 0 })).toMatch(/--epochs must be a number above 0/);
    expect(await said({ eta: -1 })).toMatch(/--eta must be a number above 0/);
    expect(await said({ metric: "round" })).toMatch(/--metric cannot be "round"/);
    expect(await said({ table: join(folder, "none.csv") })).toMatch(/there is no such file/);
    await writeFile(data, "a,b\n1,x\n2,x\n");
    expect(await said({})).toMatch(/b has one class only/);
    expect(await wrong("predict-targets", { model: data, table: data })).toMatch(/small\.csv: /);
  });
});
