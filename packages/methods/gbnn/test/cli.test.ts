import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Column, readCsv, Table, writeCsv, writeNpz } from "@offprint/data";
import { FormatError, tensor, ValueError } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classes } from "../claims/problems.js";
import { commands } from "../cli/index.js";
import { loadModel, predictClasses } from "../src/index.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gbnn-"));
});

afterAll(() => rm(folder, { recursive: true }));

async function run(name: string, args: Record<string, string>, options: Record<string, unknown> = {}) {
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw new Error(name);
  const defaults = Object.fromEntries((command.options ?? []).map((option) => [option.name, option.default]));
  const lines: string[] = [];
  await command.run({
    arguments: args,
    options: { ...defaults, ...options } as Record<string, string>,
    print: (line) => lines.push(line),
    onProgress: () => {},
    signal: new AbortController().signal,
    backend: async () => undefined,
  });
  return lines;
}

const wines = classes("wine", 0);
const names = ["amber", "red", "white"];
const columns: Column[] = Array.from({ length: 13 }, (_, f) => ({
  name: `m${f}`,
  type: "number",
  values: Float64Array.from({ length: wines.inputs.shape[0] }, (_, i) => wines.inputs.data()[i * 13 + f]),
}));
const grower: Column = { name: "grower", type: "text", values: Array.from(wines.targets.data(), (k) => names[k]) };

describe("offprint boost-network and boost-predict", () => {
  it("learn from a table and predict another one, whose columns are in another order", async () => {
    const data = join(folder, "wine.csv");
    const model = join(folder, "model.safetensors");
    const out = join(folder, "out.csv");
    await writeFile(data, writeCsv(new Table([...columns, grower])));
    const lines = await run("boost-network", { data }, { units: 12, output: model });
    expect(lines[0]).toMatch(/125 samples, 13 features; grower: classification/);
    expect(lines.join("\n")).toMatch(/accuracy on 25 held-out samples with +12 units: (0\.[89]|1\.0)/);
    const other = join(folder, "other.csv");
    await writeFile(other, writeCsv(new Table([grower, ...columns.toReversed()])));
    await run("boost-predict", { model, data: other }, { output: out });
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
    const lines = await run("boost-network", { data }, { units: 12, test: 0, output: model });
    expect(lines[0]).toMatch(/y: regression/);
    const all = await run("boost-predict", { model, data });
    const none = await run("boost-predict", { model, data }, { blocks: 0 });
    expect(all.join("\n").split("\n")).toHaveLength(126);
    expect(new Set(none.join("\n").split("\n").slice(1)).size).toBe(1);
  });

  it("refuse what they cannot use", async () => {
    const text = join(folder, "text.csv");
    await writeFile(text, "a,b\nred,1\nblue,2\n");
    await expect(run("boost-network", { data: text })).rejects.toThrow(/text.csv: column a holds texts/);
    await expect(run("boost-network", { data: join(folder, "none.csv") })).rejects.toThrow(ValueError);
    const words = join(folder, "words.csv");
    await writeFile(words, "a,b\n1,x\n2,y\n3,x\n");
    await expect(run("boost-network", { data: words }, { task: "regression" })).rejects.toThrow(
      /the target holds texts/,
    );
    await expect(run("boost-network", { data: words }, { task: "ranking" })).rejects.toThrow(/--task is ranking/);
    await expect(run("boost-network", { data: words }, { test: 1 })).rejects.toThrow(/--test is 1/);
    await expect(run("boost-predict", { model: words, data: words })).rejects.toThrow(FormatError);
  });
});
