import { readFileSync } from "node:fs";
import { FormatError, isTensor, type Tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { readOnnxGraph } from "../src/index.js";

const { model } = JSON.parse(readFileSync(new URL("./fixtures/onnx.json", import.meta.url), "utf8")) as {
  model: string;
};
const bytes = Uint8Array.from(Buffer.from(model, "base64"));

describe("readOnnxGraph", () => {
  const graph = readOnnxGraph(bytes);

  it("gives inputs, outputs and operators in order", () => {
    expect(graph.inputs).toEqual([{ name: "x", type: "float32", shape: ["batch", 3] }]);
    expect(graph.outputs).toEqual([{ name: "z", type: "float32", shape: ["batch", 2] }]);
    expect(graph.opset).toBe(18);
    const [gemm, custom] = graph.nodes;
    expect(gemm).toMatchObject({
      operator: "Gemm",
      domain: "",
      name: "first",
      inputs: ["x", "weight", "typed"],
      outputs: ["y"],
    });
    expect(gemm.attributes).toEqual({ alpha: 0.5, transB: 1 });
    expect(custom).toMatchObject({ operator: "Custom", domain: "my.domain", inputs: ["y", "", "ends"] });
    expect(custom.attributes).toEqual({ words: ["a", "b"], sizes: [1, 2], mode: "fast" });
  });

  it("gives constants of every kind as tensors, the largest int64 saturated", () => {
    const { constants } = graph;
    expect(Object.values(constants).every(isTensor)).toBe(true);
    const read = (name: string) => [constants[name].dtype, constants[name].toArray()];
    expect(read("weight")).toEqual([
      "float32",
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ]);
    expect(read("half")).toEqual(["float32", [0.5, -2]]);
    expect(read("typed")).toEqual(["float32", [1.5, -2.5]]);
    expect(read("double")).toEqual(["float64", 1e-3]);
    expect((constants.flag as Tensor).dtype).toBe("bool");
    expect(Array.from(constants.flag.data())).toEqual([1, 0]);
    expect(Array.from(constants.ends.data())).toEqual([3, Number.MAX_SAFE_INTEGER]);
  });

  it("reads Node's buffers, which share one memory, as well", () => {
    expect(readOnnxGraph(Buffer.from(model, "base64")).constants.weight.toArray()).toEqual(
      graph.constants.weight.toArray(),
    );
  });

  it("refuses bytes that are no model", () => {
    expect(() => readOnnxGraph(new Uint8Array([1, 2, 3]))).toThrow(FormatError);
    expect(() => readOnnxGraph(new Uint8Array(0))).toThrow(/holds no graph/);
    expect(() => readOnnxGraph(bytes.subarray(0, 40))).toThrow(FormatError);
  });
});
