import { readSafetensors, writeSafetensors } from "@offprint/data";
import { fuzzReader, type ReaderCase } from "@offprint/fuzz";
import { random, type Tensor, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { loadSoftCheckpoint, saveSoftCheckpoint, softVisionTransformer } from "../src/index.js";

const model = softVisionTransformer({
  size: {
    dims: [4, 4, 6, 6],
    heads: [1, 2, 1, 2],
    depths: [1, 1, 1, 1],
    ratios: [4, 2, 2],
    localConvs: [5, 3, 3],
    positions: [8, 4, 2, 1],
  },
  classes: 3,
});
const file = saveSoftCheckpoint({ params: model.init(random.rng(1)), state: model.initState() }, model);

const cases: ReaderCase[] = [{ name: "soft-attention checkpoint", read: (b) => loadSoftCheckpoint(b, model), file }];

describe("damaged files give typed errors and no huge allocation", () => {
  it.each(cases)("$name", (reader) => {
    fuzzReader(reader);
  });

  it("tensors of other ranks, or that have no halves, are refused by name", () => {
    const { tensors } = readSafetensors(file);
    const other = (name: string, x: Tensor) => () =>
      loadSoftCheckpoint(writeSafetensors({ ...tensors, [name]: x }), model);
    const format = expect.objectContaining({
      name: "FormatError",
      message: expect.stringMatching(/kv\.(weight|bias)/),
    });
    expect(other("block4.0.attn.kv.weight", tensor(1))).toThrow(format);
    expect(other("block4.0.attn.kv.bias", tensor([1, 2, 3]))).toThrow(format);
  });
});
