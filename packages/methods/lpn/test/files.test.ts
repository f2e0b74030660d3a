import { readSafetensors, writeSafetensors } from "@offprint/data";
import { fuzzReader, type ReaderCase } from "@offprint/fuzz";
import { loadModel, toOnnx } from "@offprint/onnx-runtime";
import { random, type Tensor } from "@offprint/tensor-core";
import { errorLike, expectClose } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { loadLpn, lpn, saveLpn } from "../src/index.js";

const model = lpn({ kind: "conv", shape: [1, 4, 4], strides: [1, 2], hidden: 2, dense: 3, alpha: 0.01 });
const params = model.init(random.rng(0));
const file = saveLpn({ model, params, sigma: 0.1 });
const { tensors, metadata } = readSafetensors(file);
const described = (bytes: Uint8Array) =>
  loadLpn(writeSafetensors(tensors, { metadata: { ...metadata, model: new TextDecoder().decode(bytes) } }));

const cases: ReaderCase[] = [
  { name: "network", read: loadLpn, file },
  { name: "description", read: described, file: new TextEncoder().encode(metadata.model) },
];

describe("saved networks", () => {
  it("are read as they were", () => {
    const saved = loadLpn(file);
    expect(saved.model.config).toEqual(model.config);
    expect(saved.sigma).toBe(0.1);
    const y = random.rng(1).normal([2, 1, 4, 4]);
    expectClose(saved.model.prox(saved.params, y).data(), model.prox(params, y).data(), 0);
  });

  it.each(cases)("give a typed error where the $name is damaged", (reader) => {
    fuzzReader(reader);
  });

  it("are refused where a weight is negative, when written and when read", () => {
    const broken = { ...params, convex: params.convex.map((w) => w.neg()) };
    expect(() => saveLpn({ model, params: broken })).toThrow(expect.objectContaining({ name: "ValueError" }));
    const written = writeSafetensors({ ...tensors, "convex.0": tensors["convex.0"].neg() }, { metadata });
    expect(() => loadLpn(written)).toThrow(expect.objectContaining({ name: "FormatError" }));
  });
});

it("the noise of a saved network is a level, or a range of them, and nothing else is saved", () => {
  expect(loadLpn(saveLpn({ model, params, sigma: [0.1, 0.2] })).sigma).toEqual([0.1, 0.2]);
  for (const sigma of [Number.NaN, -1, "0.1", [3, 1], [0.1]]) {
    expect(() => saveLpn({ model, params, sigma: sigma as number })).toThrow(errorLike("ValueError", /sigma/));
    const description = JSON.stringify({ config: model.config, sigma });
    const bytes = writeSafetensors(tensors, { metadata: { ...metadata, model: description } });
    expect(() => loadLpn(bytes)).toThrow(errorLike("FormatError", /sigma/));
  }
  expect(() => saveLpn({ model, params, sgima: 0.1 } as never)).toThrow(errorLike("ValueError", /mean "sigma"/));
  expect(() => saveLpn({ model: {}, params } as never)).toThrow(errorLike("ValueError", /no network of lpn/));
});

it("a network is written as ONNX, its gradient with it, and gives the same there", async () => {
  const y = random.rng(2).normal([3, 1, 4, 4]);
  const network = await loadModel(toOnnx((v: Tensor) => model.prox(params, v), { shape: y.shape, dtype: "float32" }));
  const { output0 } = await network.run({ input0: y });
  await network.release();
  expectClose(output0.data(), model.prox(params, y).data(), 1e-5);
});
