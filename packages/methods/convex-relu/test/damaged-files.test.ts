import { readSafetensors, writeSafetensors } from "@offprint/data";
import { fuzzReader, type ReaderCase } from "@offprint/fuzz";
import { tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { loadModel, type ReluModel, saveModel } from "../src/index.js";

const net = {
  U: tensor(Float64Array.of(1, 2, 3, 4, 5, 6), { shape: [3, 2] }),
  a: tensor(Float64Array.of(1, -1)),
  bias: true,
};
const model: ReluModel = { net, loss: "squared", features: ["a", "constructor"], target: "y", classes: ["no", "yes"] };
const file = saveModel(model);
const { tensors, metadata } = readSafetensors(file);
const described = (bytes: Uint8Array) =>
  loadModel(writeSafetensors(tensors, { metadata: { ...metadata, model: new TextDecoder().decode(bytes) } }));

const cases: ReaderCase[] = [
  { name: "convex-relu model", read: loadModel, file },
  { name: "convex-relu description", read: described, file: new TextEncoder().encode(metadata.model) },
];

describe("damaged models give typed errors", () => {
  it("a whole one is read as it was", () => {
    const { net: loaded, ...rest } = loadModel(file);
    expect(rest).toEqual({ ...model, net: undefined });
    expect(loaded.U.toArray()).toEqual(net.U.toArray());
  });

  it.each(cases)("$name", (reader) => {
    fuzzReader(reader);
  });

  it.each(["", "null", "[]", '{"bias":true}', metadata.model.replace('"a",', "")])("%s", (text) => {
    expect(() => described(new TextEncoder().encode(text))).toThrow(expect.objectContaining({ name: "FormatError" }));
  });

  it("a model without a loss is not written", () => {
    expect(() => saveModel({ net } as never)).toThrow(expect.objectContaining({ name: "ValueError" }));
  });
});
