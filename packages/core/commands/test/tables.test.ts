import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeNpz } from "@offprint/data";
import { isTensor, ShapeError, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  alignedRows,
  classesOf,
  holdOut,
  labelled,
  numbersOf,
  predictionTable,
  readTable,
  taskOf,
  writePredictions,
} from "../src/index.js";

let folder: string;
const rows = Array.from({ length: 20 }, (_, i) => [i, 2 * i, i % 3]);
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tables-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const numbers = (x: Tensor | readonly string[]) => (isTensor(x) ? Array.from(x.data()) : x);

describe("readTable", () => {
  it("gives the same table from CSV, NPZ and LIBSVM, whatever the file is called", async () => {
    const csv = file("a.data", `a,b,y\n${rows.map((row) => row.join()).join("\n")}\n`);
    const x = tensor(rows.map((row) => row.slice(0, 2)));
    const npz = file("b.data", writeNpz({ X: x, y: tensor(rows.map((row) => row[2]!)) }));
    const svm = file("c.data", rows.map(([a, b, y]) => `${y} 1:${a} 2:${b}`).join("\n"));
    for (const [path, features, name] of [
      [csv, ["a", "b"], "y"],
      [npz, ["0", "1"], "y"],
      [svm, ["1", "2"], "label"],
    ] as const) {
      const table = await readTable(path);
      expect(table.inputs.dtype).toBe("float64");
      expect(table.inputs.toArray()).toEqual(x.toArray());
      expect(numbers(table.target)).toEqual(rows.map((row) => row[2]));
      expect([table.features, table.targetName]).toEqual([features, name]);
      const last = await readTable(path, { features: [features[1]!], target: null });
      expect(numbers(last.inputs)).toEqual(rows.map((row) => row[1]));
    }
  });

  it("takes no column twice, nor the one that is to be predicted", async () => {
    const csv = file("twice.csv", "a,b c,y\n1,2,3\n4,5,6\n");
    expect((await readTable(csv, { features: ["b c"] })).inputs.toArray()).toEqual([[2], [5]]);
    expect((await readTable(csv, { features: ["y", "a"], target: null })).features).toEqual(["y", "a"]);
    const twice = readTable(csv, { features: ["a", "b c", "a"] });
    await expect(twice).rejects.toThrow(/twice\.csv: column a is asked for twice; name it once/);
    for (const target of [{}, { target: "y" }]) {
      const leaked = readTable(csv, { features: ["a", "y"], ...target });
      await expect(leaked).rejects.toThrow(/twice\.csv: column y is what is to be predicted; leave it out/);
    }
  });

  it("says in one line with the file's name what is wrong", async () => {
    const words = file("w.csv", "a,b\nred,1\nblue,2\n");
    await expect(readTable(words)).rejects.toThrow(/w\.csv: column a holds texts/);
    const svm = file("w.svm", "1 1:2 2:3\n");
    await expect(readTable(svm, { target: "y" })).rejects.toThrow(/LIBSVM text has one target, label/);
    await expect(readTable(join(folder, "none.csv"))).rejects.toThrow(ValueError);
    const npz = file("w.npz", writeNpz({ x: tensor([[1, 2]]), y: tensor([1]) }));
    await expect(readTable(npz, { target: "constructor" })).rejects.toThrow(/no array constructor; it has x, y/);
  });
});

describe("what is to be predicted", () => {
  const table = (target: Tensor | readonly string[]) => ({
    path: "t.csv",
    inputs: tensor([[1], [2], [3]]),
    features: ["a"],
    targetName: "y",
    target,
  });

  it("is classes where it is texts, numbers otherwise, unless it is said", () => {
    expect(taskOf(table(["a", "b", "a"]))).toBe("classification");
    expect(taskOf(table(tensor([1, 2, 1])))).toBe("regression");
    expect(taskOf(table(tensor([1, 2, 1])), "classification")).toBe("classification");
    expect(() => taskOf(table(["a", "b", "a"]), "regression")).toThrow(/y holds texts, which are no numbers/);
    expect(numbersOf(table(tensor([1, 2, 1]))).shape).toEqual([3, 1]);
    expect(() => numbersOf(table(["a", "b", "a"]))).toThrow(ValueError);
  });

  it("has its classes in order, numbers by size and texts as people sort them", () => {
    const texts = classesOf(table(["b10", "b9", "a"]));
    expect(texts.names).toEqual(["a", "b9", "b10"]);
    expect(numbers(texts.codes)).toEqual([2, 1, 0]);
    expect(classesOf(table(tensor([10, 9, 9]))).names).toEqual(["9", "10"]);
    expect(() => classesOf(table(["a", "a", "a"]))).toThrow(/y has one class only/);
    expect(() => classesOf(table(tensor([[1], [2], [3]])))).toThrow(ShapeError);
  });

  it("is held out in part, the same rows for the same seed", () => {
    const whole = {
      ...table(rows.map(String)),
      inputs: tensor(rows),
    };
    const { train, test } = holdOut(whole, 0.25, 7);
    expect([train.inputs.shape[0], test?.inputs.shape[0]]).toEqual([15, 5]);
    const all = [...numbers(train.target), ...numbers(test?.target ?? [])];
    expect([...all].sort()).toEqual(rows.map(String).sort());
    expect(holdOut(whole, 0.25, 7).test?.target).toEqual(test?.target);
    expect(holdOut(whole, 0.25, 8).test?.target).not.toEqual(test?.target);
    expect(() => holdOut(whole, 0.25, {} as never)).toThrow("holdOut: seed is an object; give a finite number");
    expect(train.inputs.toArray()).toEqual((train.target as string[]).map((row) => row.split(",").map(Number)));
    expect(holdOut(whole, 0.25, 7).trainRows.map((row) => rows[row])).toEqual(train.inputs.toArray());
    expect(holdOut(whole, 0, 7)).toEqual({ train: whole, test: undefined, trainRows: [...rows.keys()] });
    expect(() => holdOut(whole, 0.01, 7)).toThrow(/--holdout is 0\.01 of 20 rows/);
    expect(() => holdOut(whole, 0.99, 7, "--validation")).toThrow(
      /--validation is 0\.99 of 20 rows; leave at least one/,
    );
  });
});

describe("predictions", () => {
  it("are numbers in columns of the target's name", () => {
    expect(predictionTable({ target: "y", values: tensor([1, 2]) }).names).toEqual(["y"]);
    const two = predictionTable({ target: "y", values: tensor([[1, 2, 3]]) });
    expect(two.columns.map(({ name, values }) => [name, ...values])).toEqual([
      ["y 0", 1],
      ["y 1", 2],
      ["y 2", 3],
    ]);
  });

  it("are classes by name, with scores and probabilities, in a file or printed", async () => {
    const found = {
      target: "kind",
      predicted: ["red", "blue"],
      classes: ["blue", "red"],
      scores: tensor([3, -1]),
      probabilities: tensor([
        [0.25, 0.75],
        [0.5, 0.5],
      ]),
    };
    const lines: string[] = [];
    const print = (line = "") => lines.push(line);
    await writePredictions({ print }, undefined, found);
    expect(lines).toEqual(["kind,score,probability blue,probability red\nred,3,0.25,0.75\nblue,-1,0.5,0.5"]);
    const path = join(folder, "p.csv");
    await writePredictions({ print }, path, found);
    expect(lines[1]).toBe(`2 predictions written: ${path}`);
    expect(readFileSync(path, "utf8").trim()).toBe(lines[0]);
    expect(() => predictionTable({ ...found, classes: ["red"] })).toThrow(ShapeError);
  });
});

describe("reports", () => {
  it("have labels and values in columns", () => {
    expect(
      labelled([
        ["accuracy", 0.95],
        ["R2 on 25 rows", "0.8"],
      ]),
    ).toEqual(["accuracy       0.95", "R2 on 25 rows  0.8"]);
  });

  it("set numbers to the right, and rule off the heading", () => {
    expect(
      alignedRows(
        [
          ["a", 1, "x"],
          ["bb", 22, ""],
        ],
        ["claim", "s", "note"],
      ),
    ).toEqual(["claim   s  note", "─────  ──  ────", "a       1  x", "bb     22"]);
    expect(alignedRows([])).toEqual([]);
  });
});
