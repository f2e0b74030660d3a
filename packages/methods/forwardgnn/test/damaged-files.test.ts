import { largestDifference } from "@offprint/claims";
import { readSafetensors, writeSafetensors } from "@offprint/data";
import { fuzzReader, type ReaderCase } from "@offprint/fuzz";
import { tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { loadModel, type NodeClassifier, saveModel } from "../src/index.js";

const model = {
  method: "sf",
  classes: 2,
  features: 2,
  options: { convolution: "gcn", layers: 1, hidden: 2, clipNorm: Infinity },
  params: [
    {
      weight: tensor([
        [1, 2],
        [3, 4],
      ]),
      bias: tensor([0, 1]),
    },
  ],
  virtualFeatures: tensor([
    [1, 0],
    [0, 1],
  ]),
} as unknown as NodeClassifier; // prettier-ignore
const file = saveModel(model);
const { tensors, metadata } = readSafetensors(file);
const described = (bytes: Uint8Array) =>
  loadModel(writeSafetensors(tensors, { metadata: { ...metadata, model: new TextDecoder().decode(bytes) } }));

const cases: ReaderCase[] = [
  { name: "forwardgnn model", read: loadModel, file },
  { name: "forwardgnn description", read: described, file: new TextEncoder().encode(metadata.model) },
];

describe("damaged models give typed errors", () => {
  it("a whole one is read as it was", () => {
    const { params, virtualFeatures, ...rest } = loadModel(file) as NodeClassifier;
    const { params: given, virtualFeatures: virtual, ...expected } = model;
    expect(rest).toEqual(expected);
    expect(largestDifference(params, given)).toBe(0);
    expect(virtualFeatures.toArray()).toEqual(virtual.toArray());
  });

  it.each(cases)("$name", (reader) => {
    fuzzReader(reader);
  });

  it("weights that are not finite, and other than the layers that are described", () => {
    const broken = { ...model, params: [{ weight: tensor([[1, Number.NaN]]), bias: tensor([0, 1]) }] };
    expect(() => loadModel(saveModel(broken))).toThrow(/params\.0\.weight holds values that are not finite/);
    const deeper = { ...model, options: { ...model.options, layers: 2 } };
    expect(() => loadModel(saveModel(deeper))).toThrow(/the network in the file is incomplete/);
  });

  it.each([
    ["nothing", ""],
    ["null", "null"],
    ["no layout", metadata.model.replace("layout", "lay")],
    ["an unknown method", metadata.model.replace('"sf"', '"constructor"')],
    [
      "a layout without end",
      metadata.model.replace(/"layout":.*/, `"layout":${'{"kind":"array","items":['.repeat(1e5)}`),
    ],
  ])("%s", (_, text) => {
    expect(() => described(new TextEncoder().encode(text))).toThrow(expect.objectContaining({ name: "FormatError" }));
  });
});
