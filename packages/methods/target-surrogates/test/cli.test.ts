import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Column, readCsv, Table, writeCsv, writeNpz } from "@offprint/data";
import { breastCancer, wine } from "@offprint/datasets";
import { FormatError, tensor, ValueError } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "target-surrogates-"));
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
  return lines.join("\n");
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
    const text = await run("fit-targets", { data }, { passes: 10, batch: 32, output: model });
    expect(text).toMatch(/142 samples to learn from, 13 features; grower: 3 classes/);
    expect(text).toMatch(/accuracy on 36 held-out samples: (0\.9|1\.0)/);
    await writeFile(data, writeCsv(new Table(columnsOf(wines).toReversed())));
    expect(await run("predict-targets", { model, data }, { output: out })).toMatch(/178 predictions written/);
    const table = readCsv(await readFile(out));
    expect(table.names).toEqual(["grower", "probability amber", "probability red", "probability white"]);
    const right = (table.column("grower").values as string[]).filter((each, i) => each === growers[i]);
    expect(right.length).toBeGreaterThan(0.95 * 178);
    const sums = [1, 2, 3].map((k) => table.column(table.names[k]).values[0] as number);
    expect(sums.reduce((a, b) => a + b)).toBeCloseTo(1, 10);
  });

  it("learn two classes given as numbers, with a network", async () => {
    const set = breastCancer({ dtype: "float64" });
    const [data, model] = [join(folder, "cancer.csv"), join(folder, "cancer.safetensors")];
    const benign: Column = { name: "benign", type: "number", values: Float64Array.from(set.targets.data()) };
    await writeFile(data, writeCsv(new Table([benign, ...columnsOf(set)])));
    const options = {
      target: "benign",
      classes: true,
      hidden: "8",
      passes: 3,
      batch: 0,
      "inner-steps": 10,
      output: model,
    };
    expect(await run("fit-targets", { data }, options)).toMatch(/accuracy on 114 held-out samples: (0\.9|1\.0)/);
    const lines = (await run("predict-targets", { model, data })).split("\n");
    expect(lines[0]).toBe("benign,probability 0,probability 1");
    expect(lines).toHaveLength(570);
  });

  it("learn numbers from arrays: all samples at once, one step, is least squares", async () => {
    const x = wines.inputs;
    const y = tensor(Float64Array.from({ length: 178 }, (_, i) => 3 * x.data()[i * 13] - x.data()[i * 13 + 4] / 10));
    const [data, model] = [join(folder, "numbers.npz"), join(folder, "numbers.safetensors")];
    await writeFile(data, writeNpz({ x, y }));
    const options = { batch: 0, passes: 1, "inner-steps": 2000, schedule: "constant", test: 0, output: model };
    expect(await run("fit-targets", { data }, options)).toMatch(/1 steps/);
    const lines = (await run("predict-targets", { model, data })).split("\n").slice(1).map(Number);
    for (const i of [0, 50, 177]) expect(lines[i]).toBeCloseTo(y.data()[i], 3);
  });

  it("refuse what they cannot use", async () => {
    const data = join(folder, "small.csv");
    await writeFile(data, "a,b\n1,x\n2,y\n3,x\n4,y\n");
    await expect(run("fit-targets", { data }, { hidden: "a" })).rejects.toThrow(/--hidden: "a" is no width/);
    await expect(run("fit-targets", { data }, { test: 1 })).rejects.toThrow(/--test is 1/);
    await expect(run("fit-targets", { data }, { passes: 0 })).rejects.toThrow(/--passes is 0/);
    await expect(run("fit-targets", { data }, { eta: -1 })).rejects.toThrow(/eta is -1/);
    await expect(run("fit-targets", { data }, { metric: "round" })).rejects.toThrow(ValueError);
    await expect(run("fit-targets", { data: join(folder, "none.csv") })).rejects.toThrow(ValueError);
    await writeFile(data, "a,b\n1,x\n2,x\n");
    await expect(run("fit-targets", { data })).rejects.toThrow(/one class only/);
    await expect(run("predict-targets", { model: data, data })).rejects.toThrow(FormatError);
  });
});
