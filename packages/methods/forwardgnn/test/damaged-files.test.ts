import { largestDifference } from "@offprint/claims";
import { readSafetensors, writeSafetensors } from "@offprint/data";
import { fuzzReader, type ReaderCase } from "@offprint/fuzz";
import { reshape, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  fitLinkPredictor,
  fitNodeClassifier,
  loadModel,
  type NodeClassifier,
  type NodeMethod,
  type NodeOptions,
  predictNodes,
  saveModel,
  scorePairs,
} from "../src/index.js";
import { settleNodes } from "../src/options.js";
import { smallLinks, smallTask } from "./tasks.js";

const model = {
  method: "sf",
  classes: 2,
  features: 2,
  options: settleNodes("test", { convolution: "gcn", layers: 1, hidden: 2, clipNorm: Infinity, tau: Infinity }),
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
} satisfies NodeClassifier;
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
    const broken = { ...model, params: [{ ...model.params[0], bias: tensor([0, Number.NaN]) }] };
    expect(() => loadModel(saveModel(broken))).toThrow(/params\.0\.bias holds values that are not finite/);
    const deeper = { ...model, options: { ...model.options, layers: 2 } };
    expect(() => loadModel(saveModel(deeper))).toThrow(/the network in the file is incomplete/);
  });

  it.each<[string, object]>([
    ["a bias of one number", { bias: tensor([0.5]) }],
    ["a bias of no axes", { bias: tensor(0.5) }],
    ["a bias of rows", { bias: tensor([[0, 1]]) }],
    ["weights of one row", { weight: tensor([[1, 2]]) }],
    ["integers", { bias: tensor([0, 1], { dtype: "int32" }) }],
  ])("%s, which a layer would broadcast or take", (_, part) => {
    const other = saveModel({ ...model, params: [{ ...model.params[0], ...part }] });
    expect(() => loadModel(other)).toThrow(expect.objectContaining({ name: "FormatError" }));
    const virtual = saveModel({ ...model, virtualFeatures: reshape(model.virtualFeatures, [1, 4]) });
    expect(() => loadModel(virtual)).toThrow(/virtualFeatures is \[1,4\] in the file/);
  });

  it.each<[string, object]>([
    ["temperature below 0", { tau: -1 }],
    ["a text for a width", { hidden: "2" }],
    ["an option of another name", { tua: 1 }],
    ["another convolution", { convolution: "gin" }],
  ])("%s among the options", (_, change) => {
    const other = saveModel({ ...model, options: { ...model.options, ...change } });
    expect(() => loadModel(other)).toThrow(/is of no model/);
  });

  it("models in memory are compared with their layers too", async () => {
    const task = smallTask();
    const options: NodeOptions = { hidden: 4, layers: 2, epochs: 2, dtype: "float64" };
    const { model: whole } = await fitNodeClassifier(task, "sf", options);
    const [first, second] = whole.params as [object, object];
    const short = { ...first, bias: tensor([1], { dtype: "float64" }) };
    await expect(predictNodes({ ...whole, params: [short, second] }, task)).rejects.toThrow(/is \[1\].*needs \[4\]/);
    await expect(predictNodes({ ...whole, params: [first] }, task)).rejects.toThrow(/params are of 1 layers/);
    const links = smallLinks();
    const { model: linked } = await fitLinkPredictor(links, "ce", options);
    await expect(predictNodes(linked as never, task)).rejects.toThrow(
      /method of the model is ce; it must be one of sf/,
    );
    await expect(scorePairs(whole as never, links, [0, 1])).rejects.toThrow(/method of the model is sf/);
    await expect(predictNodes({} as never, task)).rejects.toThrow(/method of the model is undefined/);
  });

  it.each<NodeMethod>(["sf", "ff-vn", "bp"])("a model of %s that was interrupted is saved and read", async (method) => {
    const stopAt = 3;
    const { model: early } = await fitNodeClassifier(smallTask(), method, {
      ...{ hidden: 4, layers: 3, epochs: 2, dtype: "float64" },
      onProgress: ({ layer, epoch }) => (2 * layer + epoch > stopAt ? "stop" : undefined),
    });
    const back = loadModel(saveModel(early)) as NodeClassifier;
    expect(back.options).toEqual(early.options);
    expect(largestDifference(back.params, early.params)).toBe(0);
  });

  it.each([
    ["nothing", ""],
    ["null", "null"],
    ["no features", metadata.model.replace('"features"', '"feat"')],
    ["an unknown method", metadata.model.replace('"sf"', '"constructor"')],
    ["widths that the file does not hold", metadata.model.replace('"hidden":2', '"hidden":200000')],
    ["layers without end", metadata.model.replace('"layers":1', '"layers":1000000000')],
  ])("%s", (_, text) => {
    expect(() => described(new TextEncoder().encode(text))).toThrow(expect.objectContaining({ name: "FormatError" }));
  });
});
