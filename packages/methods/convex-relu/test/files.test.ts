import { readSafetensors, writeSafetensors } from "@offprint/data";
import { readOnnxGraph } from "@offprint/onnx-format";
import { loadModel as loadOnnx, onnxRuntime } from "@offprint/onnx-runtime";
import { jit, random, tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { inOriginalUnits, loadModel, networkToOnnx, predict, saveModel, type TwoLayerNet } from "../src/index.js";

const rng = random.rng(6);
const net: TwoLayerNet = {
  U: rng.normal([4, 5], { dtype: "float64" }),
  a: rng.normal([5], { dtype: "float64" }),
  bias: true,
};
const X = rng.normal([7, 3], { dtype: "float64" });

describe("a network", () => {
  it("is the sum of its neurons", () => {
    const outputs = predict(net, X).data();
    for (let k = 0; k < 7; k++) {
      let f = 0;
      for (let j = 0; j < 5; j++) {
        let h = Number(net.U.data()[15 + j]);
        for (let c = 0; c < 3; c++) h += Number(X.data()[3 * k + c]) * Number(net.U.data()[5 * c + j]);
        f += Math.max(0, h) * Number(net.a.data()[j]);
      }
      expect(outputs[k]).toBeCloseTo(f, 12);
    }
  });

  it("keeps its outputs in the units that the data had before they were standardised", () => {
    const [mean, std] = [
      [1, -2, 0.5],
      [2, 0.1, 7],
    ];
    const raw = tensor(
      Float64Array.from(X.data(), (value, p) => value * std[p % 3] + mean[p % 3]),
      { shape: [7, 3] },
    );
    const original = inOriginalUnits(net, { mean, std, targetMean: 3, targetStd: 0.5 });
    const outputs = predict(original, raw).data();
    predict(net, X)
      .data()
      .forEach((value, k) => expect(outputs[k]).toBeCloseTo(3 + 0.5 * value, 11));
  });

  it("compiles, and runs from its .onnx file, with the outputs that it has here", async () => {
    const backend = await onnxRuntime({ device: "cpu", threads: 1 });
    const expected = predict(net, X).data();
    const compiled = await jit((x) => predict(net, x), { backend })(X);
    (await compiled.host()).data().forEach((value: number, k: number) => expect(value).toBeCloseTo(expected[k], 12));
    for (const dtype of ["float64", "float32"] as const) {
      const bytes = networkToOnnx(net, { dtype });
      expect(readOnnxGraph(bytes).nodes.map(({ operator }) => operator)).toEqual(["Gemm", "Relu", "Gemm"]);
      const model = await loadOnnx(bytes);
      const { score } = await model.run({ x: X.cast(dtype) });
      const values = await score.host();
      expect(values.shape).toEqual([7, 1]);
      values.data().forEach((value, k) => expect(value).toBeCloseTo(expected[k], dtype === "float64" ? 12 : 4));
      await model.release();
    }
    await backend.release();
  });
});

describe("a model file", () => {
  const model = {
    net,
    loss: "bce" as const,
    features: ["a", "b", "c"],
    target: "kind",
    classes: ["no", "yes"] as [string, string],
    certificate: { objective: 1.5, dualBound: { value: 1.4, scope: "network" as const } },
  };
  const bytes = saveModel(model);

  it("gives back what was saved, to the last bit", () => {
    const { net: loaded, ...rest } = loadModel(bytes);
    const { net: own, ...described } = model;
    expect(rest).toEqual(described);
    expect(loaded.U.toArray()).toEqual(own.U.toArray());
    expect(loaded.a.toArray()).toEqual(own.a.toArray());
    expect(loaded.bias).toBe(true);
  });

  it("that is cut off, damaged or another's is refused", () => {
    expect(() => loadModel(bytes.slice(0, bytes.length - 9))).toThrow(expect.objectContaining({ name: "FormatError" }));
    expect(() => loadModel(writeSafetensors({ U: net.U }))).toThrow(/is not marked "offprint convex-relu 1"/);
    const { metadata } = readSafetensors(bytes);
    expect(() => loadModel(writeSafetensors({ U: net.U }, { metadata }))).toThrow(/network in the file is incomplete/);
    const broken = { ...metadata, model: "{" };
    expect(() => loadModel(writeSafetensors({ U: net.U, a: net.a }, { metadata: broken }))).toThrow(/damaged/);
  });
});
