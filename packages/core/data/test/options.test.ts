import { random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import * as data from "../src/index.js";

const samples = { inputs: tensor([[1], [2]]), targets: tensor([0, 1]) };
const png = data.writePng([[0, 1]]);
const table = data.readCsv("a\n1\n");
const wrong = { colour: 1 } as never;

describe("options", () => {
  it.each([
    ["batches", () => data.batches(samples, wrong)],
    ["trainTestSplit", () => data.trainTestSplit(samples, wrong)],
    ["readCsv", () => data.readCsv("a\n1\n", wrong)],
    ["writeCsv", () => data.writeCsv(table, wrong)],
    ["readImage", () => data.readImage(png, wrong)],
    ["writePng", () => data.writePng([[0, 1]], wrong)],
    ["writePnm", () => data.writePnm([[0, 1]], wrong)],
    ["readLibsvm", () => data.readLibsvm("1 1:1\n", wrong)],
    ["writeNpy", () => data.writeNpy(tensor(1), wrong)],
    ["writeNpz", () => data.writeNpz({ a: tensor(1) }, wrong)],
    ["writeSafetensors", () => data.writeSafetensors({ a: tensor(1) }, wrong)],
    ["readSamples", () => data.readSamples(new TextEncoder().encode("a,b\n1,2\n"), wrong)],
    ["readCifar100", () => data.readCifar100(new Uint8Array(3074), wrong)],
    ["Table.tensor", () => table.tensor(["a"], wrong)],
  ])("of another name are refused by %s", (owner, run) => {
    expect(run).toThrow(expect.objectContaining({ name: "ValueError", message: expect.stringContaining(owner) }));
    expect(run).toThrow(/there is no option "colour"/);
  });

  it("are asked for by the name that is meant", () => {
    expect(() => data.batches(samples, { batchsize: 1 } as never)).toThrow(/did you mean "batchSize"/);
    expect(() => data.trainTestSplit(samples, { test: 1, rgn: random.rng(1) } as never)).toThrow(/did you mean "rng"/);
  });

  it.each([
    ["layout", () => data.readImage(png, { layout: "NCHW" as never })],
    ["channels", () => data.readImage(png, { channels: 4 as never })],
    ["bits", () => data.writePng([[0, 1]], { bits: 4 as never })],
    ["labels", () => data.readCifar100(new Uint8Array(3074), { labels: "all" as never })],
    ["floatType", () => data.writeNpz({ a: tensor(1) }, { floatType: "bfloat16" as never })],
    ["floatType", () => data.writeSafetensors({ a: tensor(1) }, { floatType: "float8" as never })],
    ["the type of a", () => data.readCsv("a\n1\n", { types: { a: "float" as never } })],
    ["dtype", () => table.tensor(["a"], { dtype: "int32" as never })],
    ["delimiter", () => data.readCsv("a\n1\n", { delimiter: 1 as never })],
    ["batchSize", () => data.batches(samples, undefined as never)],
    ["test", () => data.trainTestSplit(samples, undefined as never)],
    ["inputs and targets", () => data.batches(undefined as never, { batchSize: 1 })],
  ])("and arguments of another value are refused by name: %s", (name, run) => {
    expect(run).toThrow(expect.objectContaining({ name: "ValueError", message: expect.stringContaining(name) }));
  });

  it("of an archive go to its arrays", () => {
    const half = data.readNpz(data.writeNpz({ a: tensor([1.5]) }, { floatType: "float16", compress: false }));
    expect(half.a.toArray()).toEqual([1.5]);
  });
});
