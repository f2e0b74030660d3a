import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runWords } from "@offprint/commands/testing";
import { readCsv, writeCsv, writeNpz } from "@offprint/data";
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

type Given = Record<string, number | string>;

const run = (name: string, { table, model, ...given }: Given) =>
  runWords(commands, name, {
    table: at(String(table)),
    ...(model !== undefined && { model: at(String(model)) }),
    ...given,
  });

async function call(name: string, given: Given) {
  const { code, out, err } = await run(name, given);
  expect([code, err.replace(/^--output.*\n/, "")]).toEqual([0, ""]);
  return out.trimEnd().split("\n");
}

describe("offprint train-convex and predict-convex", () => {
  it("train a classifier on a table, prove its gap, and predict with it", async () => {
    const files = { output: at("iris.safetensors"), onnx: at("iris.onnx"), json: at("iris.json") };
    const settings = { target: "kind", maxIterations: 300, patterns: 30, holdout: 0 };
    const lines = await call("train-convex", { table: "iris.csv", ...settings, ...files });
    expect(lines[0]).toMatch(/50 samples, 2 features, loss bce/);
    expect(lines.join("\n")).toMatch(/certified: no network is below 0\.\d+; relative gap \d/);
    const right = Number(/training data +([\d.]+) % right/.exec(lines.join("\n"))?.[1]);
    expect(right).toBeGreaterThan(90);
    const model = loadModel(new Uint8Array(await readFile(files.output)));
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
    await call("predict-convex", { model: "iris.safetensors", table: "iris.csv", output });
    const table = readCsv(await readFile(output));
    expect(table.names).toEqual(["kind", "score", "probability versicolor", "probability virginica"]);
    const kinds = readCsv(await readFile(at("iris.csv"))).column("kind").values;
    const matching = Array.from<number | string | null, boolean>(
      table.column("kind").values,
      (kind, i) => kind === kinds[i],
    ).filter(Boolean).length;
    expect(matching).toBe(Math.round(right / 2));
    const [kind, score, , probability] = table.columns.map(({ values }) => values[0]);
    const first = Number(predict(model.net, tensor([[4.7, 1.4]], { dtype: "float64" })).data()[0]);
    expect(Number(score)).toBeCloseTo(first, 5);
    expect(kind === "virginica").toBe(Number(probability) >= 0.5);
  });

  it("fit a curve from arrays, in their own units, and test on what was held out", async () => {
    const output = at("curve.safetensors");
    const lines = await call("train-convex", { table: "curve.npz", holdout: 0.3, output });
    expect(lines[0]).toMatch(/21 samples, 1 features, loss squared/);
    expect(lines.at(-2)).toMatch(/^held out \(9\) +root mean square error 0\.\d+, R2 0\.9\d+$/);
    const told = await call("predict-convex", { model: "curve.safetensors", table: "curve.npz" });
    expect(told[0]).toBe("y");
    expect(told.length).toBe(31);
  });

  it("train against moves and state the certified loss", async () => {
    const settings = { target: "kind", eps: 0.1, loss: "hinge", patterns: 20, maxIterations: 200 };
    const lines = await call("train-convex", { table: "iris.csv", ...settings });
    expect(lines.join("\n")).toMatch(/worst-case loss within the boxes: at most \d\.\d+ \(certified\)/);
  });

  it("are interrupted with their state kept, and go on", async () => {
    const state = at("state.json");
    const given = { table: at("iris.csv"), target: "kind", patterns: 10, holdout: 0, state };
    const controller = new AbortController();
    controller.abort();
    const first = await runWords(commands, "train-convex", given, { signal: controller.signal });
    expect([first.code, first.err]).toEqual([130, expect.stringContaining("The run is kept in")]);
    const again = await runWords(commands, "train-convex", { ...given, resume: true, maxIterations: 100 });
    expect(again.code).toBe(0);
    const whole = await runWords(commands, "train-convex", { ...given, state: undefined, maxIterations: 100 });
    expect(again.out).toBe(whole.out);
  });

  it("certify that nothing is left of a target that is constant", async () => {
    await writeFile(at("constant.csv"), `a,y\n${Array.from({ length: 12 }, (_, i) => `${i},7`).join("\n")}\n`);
    const { out } = await run("train-convex", { table: "constant.csv" });
    expect(out).toMatch(/relative gap 0\.00e\+0/);
  });

  it("say what is wrong", async () => {
    const wrong = async (name: string, given: Given) => {
      const { code, err } = await run(name, given);
      expect(code).toBe(2);
      return err;
    };
    const train = (given: Given) => wrong("train-convex", given);
    expect(await train({ table: "missing.csv" })).toMatch(/there is no such file/);
    expect(await train({ table: "iris.csv", target: "length" })).toMatch(/column kind holds texts/);
    expect(await train({ table: "iris.csv", target: "y" })).toMatch(/there is no column y; it has length, width, kind/);
    expect(await train({ table: "texts.csv" })).toMatch(
      /column a holds texts; leave it out of the columns .* or replace them by numbers/,
    );
    expect(await train({ table: "gap.csv" })).toMatch(/column a has no value in row 2/);
    expect(await train({ table: "three.csv", loss: "bce" })).toMatch(/3 different values; --loss bce needs two/);
    expect(await train({ table: "iris.csv", samples: 9 })).toMatch(/--samples .* --method admm takes --patterns/);
    expect(await train({ table: "iris.csv", method: "scp", patterns: 9 })).toMatch(/--patterns .* takes --samples/);
    expect(await train({ table: "iris.csv", method: "scp", eps: 0.1 })).toMatch(
      /--method would do nothing, as with --eps/,
    );
    expect(await train({ table: "iris.csv", loss: "l1" })).toMatch(/--loss cannot be "l1"/);
    expect(await train({ table: "iris.csv", holdout: 1 })).toMatch(/--holdout must be a number/);
    expect(await train({ table: "curve.npz", target: "Z" })).toMatch(/no array Z; it has X, y/);
    expect(await wrong("predict-convex", { model: "broken.safetensors", table: "iris.csv" })).toMatch(/broken/);
  });
});
