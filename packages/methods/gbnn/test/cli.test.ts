import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInTwo, runWords } from "@offprint/commands/testing";
import { type Column, readCsv, Table, writeCsv, writeNpz } from "@offprint/data";
import { tensor } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classes } from "../claims/problems.js";
import { commands } from "../cli/index.js";
import { loadModel, predictClasses } from "../src/index.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gbnn-"));
});

afterAll(() => rm(folder, { recursive: true }));

async function run(name: string, given: Record<string, number | string>) {
  const { code, out, err } = await runWords(commands, name, given);
  expect([code, err.replace("--output <file> keeps the model.\n", "")]).toEqual([0, ""]);
  return out.trimEnd().split("\n");
}

const wrong = async (name: string, given: Record<string, number | string>) =>
  (await runWords(commands, name, given)).err;

const wines = classes("wine", 0);
const names = ["amber", "red", "white"];
const columns: Column[] = Array.from({ length: 13 }, (_, f) => ({
  name: `m${f}`,
  type: "number",
  values: Float64Array.from({ length: wines.inputs.shape[0] }, (_, i) => wines.inputs.data()[i * 13 + f]),
}));
const grower: Column = { name: "grower", type: "text", values: Array.from(wines.targets.data(), (k) => names[k]) };

describe("offprint boost-network and predict-boosted", () => {
  it("learn from a table and predict another one, whose columns are in another order", async () => {
    const data = join(folder, "wine.csv");
    const model = join(folder, "model.safetensors");
    const out = join(folder, "out.csv");
    await writeFile(data, writeCsv(new Table([...columns, grower])));
    const lines = await run("boost-network", { table: data, units: 12, output: model });
    expect(lines[0]).toMatch(/125 samples, 13 features; grower: classification/);
    expect(lines.join("\n")).toMatch(/accuracy on 25 held-out samples with +12 units +(0\.[89]|1\.0)/);
    const other = join(folder, "other.csv");
    await writeFile(other, writeCsv(new Table([grower, ...columns.toReversed()])));
    await run("predict-boosted", { model, table: other, output: out });
    const table = readCsv(await readFile(out));
    expect(table.names).toEqual(["grower", "probability amber", "probability red", "probability white"]);
    const expected = predictClasses(loadModel(await readFile(model)), wines.inputs);
    expect(table.column("grower").values).toEqual(expected);
  });

  it("learn numbers from arrays, and predict with fewer blocks", async () => {
    const data = join(folder, "numbers.npz");
    const model = join(folder, "numbers.safetensors");
    const y = tensor(columns[0].values as Float64Array);
    await writeFile(data, writeNpz({ x: wines.inputs, y }));
    const lines = await run("boost-network", { table: data, units: 12, holdout: 0, output: model });
    expect(lines[0]).toMatch(/y: regression/);
    const all = await run("predict-boosted", { model, table: data });
    const none = await run("predict-boosted", { model, table: data, blocks: 0 });
    expect(all).toHaveLength(126);
    expect(new Set(none.slice(1)).size).toBe(1);
  });

  it("learn a target alike in any unit, and name each size of the network once", async () => {
    const learnt = async (unit: number) => {
      const [data, model] = [join(folder, "units.csv"), join(folder, "units.safetensors")];
      const y = Float64Array.from(columns[0].values as Float64Array, (value) => unit * value);
      await writeFile(data, writeCsv(new Table([...columns.slice(1), { name: "y", type: "number", values: y }])));
      const lines = await run("boost-network", { table: data, units: 15, output: model });
      const [, ...predicted] = await run("predict-boosted", { model, table: data });
      return { lines, predicted: predicted.map((value) => Number(value) / unit) };
    };
    const plain = await learnt(1);
    const judged = plain.lines.filter((line) => line.includes("held-out"));
    expect(judged.map((line) => Number(line.match(/with +(\d+) units/)?.[1]))).toEqual([3, 9, 15]);
    for (const unit of [2 ** 40, 2 ** -40]) {
      const other = await learnt(unit);
      const apartFromLoss = ({ lines }: typeof plain) => lines.filter((line) => !line.includes("loss"));
      expect(apartFromLoss(other)).toEqual(apartFromLoss(plain));
      other.predicted.forEach((value, i) => expect(value).toBeCloseTo(plain.predicted[i], 6));
    }
  });

  it("go on after an interruption to the same network", async () => {
    const table = join(folder, "growers.csv");
    await writeFile(table, writeCsv(new Table([...columns, grower])));
    const words = { table, units: 8 };
    const [whole, parts] = await runInTwo(commands, "boost-network", words, {
      output: join(folder, "resumed.safetensors"),
      state: join(folder, "state.json"),
    });
    expect(parts).toEqual(whole);
  });

  it("refuse what they cannot use", async () => {
    const text = join(folder, "text.csv");
    await writeFile(text, "a,b\nred,1\nblue,2\n");
    expect(await wrong("boost-network", { table: text })).toMatch(/text\.csv: column a holds texts/);
    expect(await wrong("boost-network", { table: join(folder, "none.csv") })).toMatch(
      /none\.csv: there is no such file/,
    );
    const words = join(folder, "words.csv");
    await writeFile(words, "a,b\n1,x\n2,y\n3,x\n");
    expect(await wrong("boost-network", { table: words, task: "regression" })).toMatch(/b holds texts, which are no/);
    expect(await wrong("boost-network", { table: words, task: "ranking" })).toMatch(/--task cannot be "ranking"/);
    expect(await wrong("boost-network", { table: words, holdout: 1 })).toMatch(/--holdout must be a number .*below 1/);
    expect(await wrong("predict-boosted", { model: words, table: words })).toMatch(/words\.csv: /);
    expect(await wrong("boost-network", { table: words, units: 2 })).toMatch(/--units 2 are less than one block/);
    await writeFile(words, `a,b\n${[1, 2, 3, 4, 5].map((x) => `${x},${x}`).join("\n")}\n`);
    expect(await wrong("boost-network", { table: words, task: "classification", holdout: 0.4 })).toMatch(
      /--holdout leaves no row of class \d to learn from/,
    );
    const model = join(folder, "short.safetensors");
    expect(await wrong("boost-network", { table: words, units: 6, holdout: 0, output: model })).toBe("");
    expect(await wrong("predict-boosted", { model, table: words, blocks: 9 })).toMatch(
      /--blocks is 9; .*short\.safetensors has 2 blocks/,
    );
  });
});
