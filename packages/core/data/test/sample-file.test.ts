import { FormatError, ShapeError, tensor, ValueError } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { readSamples, writeNpz } from "../src/index.js";

const csv = (text: string) => new TextEncoder().encode(text);

describe("samples of a CSV file", () => {
  it("are the columns but the last, which is the target", () => {
    const { inputs, inputNames, targets, targetName } = readSamples(csv("a,b,price\n1,2,10\n3,4,20\n"));
    expect(inputs.dtype).toBe("float64");
    expect(inputs.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(inputNames).toEqual(["a", "b"]);
    expect(targetName).toBe("price");
    expect(targets).toMatchObject({ shape: [2] });
  });

  it("have the target that is named, texts too, or none", () => {
    const file = csv("kind,a,b\nx,1,2\ny,3,4\n");
    expect(readSamples(file, { target: "kind" }).targets).toEqual(["x", "y"]);
    const known = readSamples(file, { target: null, inputs: ["b", "a"] });
    expect(known.targets).toBeUndefined();
    expect(known.inputs.toArray()).toEqual([
      [2, 1],
      [4, 3],
    ]);
  });

  it("are refused where numbers are infinite, in files of any kind", () => {
    expect(() => readSamples(csv("a,b,y\n1,2,3\n1,Infinity,3\n"))).toThrow(/column b is Infinity in row 2; fill it in/);
    expect(() => readSamples(csv("a,b,y\n1,2,-Infinity\n"))).toThrow(/column y is -Infinity in row 1/);
    expect(() => readSamples(csv("1 1:2 2:inf\n"))).toThrow(/inf/i);
    const x = tensor([
      [1, 2],
      [3, Number.NaN],
    ]);
    expect(() => readSamples(writeNpz({ x, y: tensor([1, 2]) }))).toThrow(/column 1 is NaN in row 2/);
    expect(() =>
      readSamples(writeNpz({ x: x.slice([null, { start: 0, stop: 1 }]), y: tensor([1, Infinity]) })),
    ).toThrow(/column y is Infinity in row 2/);
  });

  it("are refused where values are missing or of the wrong kind", () => {
    expect(() => readSamples(csv("a,y\n1,2\n,3\n"))).toThrow(/column a has no value in row 2/);
    expect(() => readSamples(csv("a,y\n1,2\n2,\n"))).toThrow(/column y has no value in row 2/);
    expect(() => readSamples(csv("a,b,y\nred,1,2\n"))).toThrow(
      'column a holds texts; leave it out of the columns to predict from, or replace them by numbers (one column of 0 and 1 for each text): "red" in row 1',
    );
    expect(() => readSamples(csv("a;y\n1;2\n0,5;2\n"))).toThrow('write numbers with a point: "0,5" in row 2');
    expect(() => readSamples(csv("a,y\n1,2\n"), { target: "z" })).toThrow(ValueError);
    expect(() => readSamples(csv("y\n1\n"))).toThrow(/no column to predict from/);
    expect(() => readSamples(csv("a,y\n"))).toThrow(FormatError);
  });
});

describe("samples of an NPZ file", () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);

  it("are the arrays x and y", () => {
    const { inputs, inputNames, targets, targetName } = readSamples(writeNpz({ x, y: tensor([5, 6]) }));
    expect(inputs.toArray()).toEqual(x.toArray());
    expect(inputNames).toEqual(["0", "1"]);
    expect(targets).toMatchObject({ shape: [2], dtype: "float64" });
    expect(targetName).toBe("y");
    expect(readSamples(writeNpz({ x }), { target: null }).targets).toBeUndefined();
  });

  it("are refused where arrays are missing or do not fit", () => {
    expect(() => readSamples(writeNpz({ x }))).toThrow(/no array y; it has x/);
    expect(() => readSamples(writeNpz({ x, y: tensor([1]) }))).toThrow(ShapeError);
    expect(() => readSamples(writeNpz({ x: tensor([1]), y: tensor([1]) }))).toThrow(/must be \[samples, features\]/);
    expect(() => readSamples(writeNpz({ x, y: tensor([1, 2]) }), { inputs: ["a"] })).toThrow(/1 are asked for/);
    expect(() => readSamples(writeNpz({ x }).slice(0, 40))).toThrow(FormatError);
  });
});

describe("samples of LIBSVM text", () => {
  const text = csv("# rows\n1 1:2 3:4\n-1 2:5\n");

  it("are its rows, whose columns are numbered from 1, and their labels", () => {
    const { inputs, inputNames, targets, targetName } = readSamples(text);
    expect(inputs.toArray()).toEqual([
      [2, 0, 4],
      [0, 5, 0],
    ]);
    expect([inputNames, targetName]).toEqual([["1", "2", "3"], "label"]);
    expect(targets).toMatchObject({ shape: [2], dtype: "float64" });
  });

  it("may have fewer columns than are asked for, or those of another format by their places", () => {
    expect(readSamples(text, { target: null, inputs: ["3", "4"] }).inputs.toArray()).toEqual([
      [4, 0],
      [0, 0],
    ]);
    const named = readSamples(text, { inputs: ["a", "b", "c", "d"] });
    expect(named.inputs.shape).toEqual([2, 4]);
    expect(() => readSamples(text, { inputs: ["a", "b"] })).toThrow(ValueError);
  });

  it("are refused with another target, and where they would fill the memory", () => {
    expect(() => readSamples(text, { target: "y" })).toThrow(/one target, label/);
    expect(() => readSamples(csv("1 2000000000:1\n"))).toThrow(/too many for a table that is not sparse/);
  });
});
