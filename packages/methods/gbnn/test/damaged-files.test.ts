import { readSafetensors, writeSafetensors } from "@offprint/data";
import { fuzzReader, type ReaderCase } from "@offprint/fuzz";
import { describe, expect, it } from "vitest";
import { type GbnnModel, loadModel, saveModel } from "../src/index.js";

const block = {
  hiddenWeight: Float64Array.of(1, 2, 3, 4),
  hiddenBias: Float64Array.of(1, 2),
  outputWeight: Float64Array.of(3, 4),
  outputBias: Float64Array.of(5),
  step: 0.5,
};
const model: GbnnModel = {
  task: "classification",
  classes: ["no", "yes"],
  features: 2,
  units: 2,
  outputs: 1,
  activation: "tanh",
  link: "sigmoid",
  margin: 2,
  mean: Float64Array.of(0, 1),
  std: Float64Array.of(1, 1),
  initial: Float64Array.of(0),
  blocks: [block, block],
};
const file = saveModel(model);
const { tensors, metadata } = readSafetensors(file);
const described = (bytes: Uint8Array) =>
  loadModel(writeSafetensors(tensors, { metadata: { ...metadata, model: new TextDecoder().decode(bytes) } }));

const cases: ReaderCase[] = [
  { name: "gbnn model", read: loadModel, file },
  { name: "gbnn description", read: described, file: new TextEncoder().encode(metadata.model) },
];

describe("damaged models give typed errors", () => {
  it("a whole one is read as it was", () => {
    expect(loadModel(file)).toEqual(model);
  });

  it.each(cases)("$name", (reader) => {
    fuzzReader(reader);
  });

  it("numbers that no model has", () => {
    const changed = (change: Partial<GbnnModel>) => () => loadModel(saveModel({ ...model, ...change }));
    expect(changed({ std: Float64Array.of(1, 0) })).toThrow(/std holds 0, which no model has/);
    expect(changed({ mean: Float64Array.of(Number.NaN, 0) })).toThrow(/mean holds NaN/);
    expect(changed({ blocks: [{ ...block, step: Infinity }] })).toThrow(/steps holds Infinity/);
    expect(changed({ classes: ["no", "no"] })).toThrow(/is of no model/);
  });

  it.each(["", "null", "[]", "{", '{"features":2}', metadata.model.replace("tanh", "constructor")])("%s", (text) => {
    expect(() => described(new TextEncoder().encode(text))).toThrow(expect.objectContaining({ name: "FormatError" }));
  });
});
