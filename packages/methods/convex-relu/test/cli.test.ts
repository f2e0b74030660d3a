import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeCsv, writeNpz } from "@offprint/data";
import { iris } from "@offprint/datasets";
import { random, tensor } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { loadModel, predict } from "../src/index.js";

let folder = "";
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "convex-relu-"));
  const flowers = iris();
  const [values, kinds] = [flowers.inputs.data(), flowers.targets.data()];
  const lines = ["length,width,kind"];
  // Versicolor and virginica by two of their lengths.
  for (let k = 50; k < 150; k += 2)
    lines.push(`${values[4 * k + 2]},${values[4 * k + 3]},${kinds[k] === 1 ? "versicolor" : "virginica"}`);
  await writeFile(at("iris.csv"), `${lines.join("\n")}\n`);
  const x = random.rng(1).normal([30, 1], { dtype: "float64" });
  const y = tensor(Float64Array.from(x.data(), (value) => 10 + 3 * Math.abs(value)));
  await writeFile(at("curve.npz"), writeNpz({ X: x, y }));
  await writeFile(at("texts.csv"), "a,y\nred,1\nblue,2\n");
  await writeFile(at("gap.csv"), "a,y\n1,1\n,2\n");
  await writeFile(
    at("three.csv"),
    writeCsv(
      tensor([
        [1, 0],
        [2, 1],
        [3, 2],
      ]),
      { names: ["a", "y"] },
    ),
  );
  await writeFile(at("broken.safetensors"), "no model");
});
afterAll(() => rm(folder, { recursive: true }));

async function call(action: string, files: string[], given: Record<string, unknown> = {}) {
  const lines: string[] = [];
  const [command] = commands;
  const defaults = Object.fromEntries((command.options ?? []).map((option) => [option.name, option.default]));
  await command.run({
    arguments: { action, files: files.map(at) },
    options: { ...defaults, ...given } as never,
    print: (line) => lines.push(line),
    onProgress: () => {},
    signal: new AbortController().signal,
    backend: async () => undefined,
  });
  return lines;
}

describe("offprint convex-relu", () => {
  it("trains a classifier on a table, proves its gap, and predicts with it", async () => {
    const files = { save: at("iris.safetensors"), onnx: at("iris.onnx"), json: at("iris.json") };
    const lines = await call("train", ["iris.csv"], { target: "kind", iterations: 300, patterns: 30, ...files });
    expect(lines[0]).toMatch(/50 samples, 2 features, loss bce/);
    expect(lines.join("\n")).toMatch(/certified: no network is below 0\.\d+; relative gap \d/);
    const right = Number(/training data: ([\d.]+) % right/.exec(lines.join("\n"))?.[1]);
    expect(right).toBeGreaterThan(90);
    const model = loadModel(new Uint8Array(await readFile(files.save)));
    expect(model).toMatchObject({
      features: ["length", "width"],
      classes: ["versicolor", "virginica"],
      target: "kind",
    });
    expect(model.certificate?.objective).toBeGreaterThanOrEqual(model.certificate?.dualBound.value ?? Infinity);
    const report = JSON.parse(await readFile(files.json, "utf8"));
    expect(report.gap).toBeCloseTo(report.networkObjective / report.dualBound.value - 1, 12);
    expect((await readFile(files.onnx)).length).toBeGreaterThan(100);
    const output = at("kinds.csv");
    const told = await call("predict", ["iris.safetensors", "iris.csv"], { output });
    expect(told[0]).toBe(`${Math.round(right / 2)} of 50 right (${right.toFixed(2)} %)`);
    const table = (await readFile(output, "utf8")).trim().split("\n");
    expect(table[0]).toBe("kind,score,probability of virginica");
    expect(table.length).toBe(51);
    const [kind, score, probability] = table[1].split(",");
    const first = Number(predict(model.net, tensor([[4.7, 1.4]], { dtype: "float64" })).data()[0]);
    expect(Number(score)).toBeCloseTo(first, 5);
    expect(kind === "virginica").toBe(Number(probability) >= 0.5);
  });

  it("fits a curve from arrays, in their own units, and tests on what it held back", async () => {
    const save = at("curve.safetensors");
    const lines = await call("train", ["curve.npz"], { holdout: 0.3, save });
    expect(lines[0]).toMatch(/21 samples, 1 features, loss squared/);
    expect(lines[lines.length - 1]).toMatch(/^held out \(9\): root mean square error 0\.\d+, R2 0\.9\d+$/);
    const told = await call("predict", ["curve.safetensors", "curve.npz"]);
    expect(told[0]).toMatch(/^root mean square error 0\.\d+$/);
    expect(told.length).toBe(32);
  });

  it("trains against moves and states the certified loss", async () => {
    const lines = await call("train", ["iris.csv"], {
      target: "kind",
      eps: 0.1,
      loss: "hinge",
      patterns: 20,
      iterations: 200,
    });
    expect(lines.join("\n")).toMatch(/worst-case loss within the boxes: at most \d\.\d+ \(certified\)/);
  });

  it("says what is wrong", async () => {
    await expect(call("train", [])).rejects.toThrow(/give train DATA, or predict MODEL DATA/);
    await expect(call("fit", ["iris.csv"])).rejects.toThrow(/give train DATA/);
    await expect(call("train", ["missing.csv"])).rejects.toThrow(/cannot read/);
    await expect(call("train", ["iris.csv"])).rejects.toThrow(/column kind holds texts/);
    await expect(call("train", ["iris.csv"], { features: "length" })).rejects.toThrow(/no column y; name the target/);
    await expect(call("train", ["texts.csv"])).rejects.toThrow(/column a holds texts; encode it as numbers/);
    await expect(call("train", ["gap.csv"])).rejects.toThrow(/row 2 has no number in column a/);
    await expect(call("train", ["three.csv"], { loss: "bce" })).rejects.toThrow(
      /3 different values; --loss bce needs two/,
    );
    await expect(call("train", ["iris.csv"], { target: "kind", loss: "l1" })).rejects.toThrow(/--loss is l1/);
    await expect(call("train", ["iris.csv"], { target: "kind", holdout: 1 })).rejects.toThrow(/--holdout is 1/);
    await expect(call("train", ["curve.npz"], { inputs: "Z" })).rejects.toThrow(/there is no array Z \(it has X, y\)/);
    await expect(call("predict", ["broken.safetensors", "iris.csv"])).rejects.toThrow(
      expect.objectContaining({ name: "FormatError" }),
    );
  });
});
