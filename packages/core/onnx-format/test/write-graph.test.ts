import { fromBinary } from "@bufbuild/protobuf";
import { type ElementType, isTensor, type Tensor } from "@offprint/tensor-core";
import fc from "fast-check";
import { AttributeProto_AttributeType, ModelProtoSchema } from "onnx-buf";
import { describe, expect, it } from "vitest";
import {
  type AttributeSource,
  type GraphSource,
  type OnnxGraph,
  readOnnxGraph,
  renameValues,
  writeOnnxGraph,
} from "../src/index.js";

const x = { name: "x", type: "float32", shape: ["batch", 3, "time"] } as const;
const y = { name: "y", type: "int64", shape: [] } as const;
const any = (attributes: Record<string, AttributeSource>): GraphSource => ({
  inputs: [x],
  outputs: [y],
  nodes: [{ operator: "Any", domain: "com.example", inputs: ["x", "", "x"], outputs: ["y"], attributes }],
});

describe("writeOnnxGraph", () => {
  it("says which versions the file is written for, as another reader finds them", () => {
    const model = fromBinary(ModelProtoSchema, writeOnnxGraph(any({}), { name: "named", opset: 13, irVersion: 8 }));
    expect([model.irVersion, model.producerName, model.graph?.name]).toEqual([8n, "offprint", "named"]);
    expect(model.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
      ["", 13n],
      ["com.example", 1n],
    ]);
  });

  it("is read back", () => {
    const graph = readOnnxGraph(writeOnnxGraph(any({ axis: -1 })));
    expect(graph.inputs).toEqual([x]);
    expect(graph.outputs).toEqual([y]);
    expect(graph.nodes[0]).toMatchObject({ operator: "Any", domain: "com.example", inputs: ["x", "", "x"] });
    expect(graph.opset).toBe(21);
  });

  it("keeps attributes of every kind", () => {
    const inner = {
      ...any({}),
      constants: [{ name: "c", type: "bool", shape: [2], data: Uint8Array.of(1, 0) }],
    } as const;
    const attributes: Record<string, AttributeSource> = {
      integer: -1,
      large: Number.MAX_SAFE_INTEGER,
      zero: 0,
      float: { float: 0.5 },
      text: "köln",
      integers: [1, -2, 300],
      floats: { floats: [0.25, -8] },
      tensor: { tensor: { name: "t", type: "float64", shape: [1, 2], data: Float64Array.of(1e-3, -0) } },
      graph: { graph: inner },
    };
    const bytes = writeOnnxGraph(any(attributes));
    const read = readOnnxGraph(bytes).nodes[0].attributes;
    expect(read).toMatchObject({ integer: -1, large: Number.MAX_SAFE_INTEGER, zero: 0, float: 0.5, text: "köln" });
    expect([read.integers, read.floats]).toEqual([
      [1, -2, 300],
      [0.25, -8],
    ]);
    expect(isTensor(read.tensor) && read.tensor.toArray()).toEqual([[1e-3, -0]]);
    expect((read.graph as OnnxGraph).constants.c.toArray()).toEqual([true, false]);
    const T = AttributeProto_AttributeType;
    const theirs = fromBinary(ModelProtoSchema, bytes).graph!.node[0].attribute.map((a) => [a.name, a.type]);
    expect(theirs).toEqual([
      ["integer", T.INT],
      ["large", T.INT],
      ["zero", T.INT],
      ["float", T.FLOAT],
      ["text", T.STRING],
      ["integers", T.INTS],
      ["floats", T.FLOATS],
      ["tensor", T.TENSOR],
      ["graph", T.GRAPH],
    ]);
  });

  it("keeps the bits of constants, also of views into larger arrays", () => {
    const floats = new Float32Array([9, 1.5, Number.NaN, -0, 9]).subarray(1, 4);
    const constants = [
      { name: "floats", type: "float32", shape: [3], data: floats },
      { name: "half", type: "float16", shape: [2], data: Uint16Array.of(0x3800, 0xc000) },
      { name: "bfloat", type: "bfloat16", shape: [1, 1], data: Uint16Array.of(0x3fc0) },
      { name: "long", type: "int64", shape: [], data: BigInt64Array.of(-(2n ** 40n)) },
      { name: "__proto__", type: "uint8", shape: [2], data: Uint8Array.of(0, 255) },
      { name: "empty", type: "float64", shape: [0, 4], data: new Float64Array(0) },
    ] as const;
    const read = readOnnxGraph(writeOnnxGraph({ ...any({}), constants })).constants;
    expect(Object.keys(read)).toEqual(constants.map(({ name }) => name));
    expect(read.floats.toArray()).toEqual([1.5, Number.NaN, -0]);
    expect([read.half.toArray(), read.bfloat.toArray(), read.long.toArray()]).toEqual([[0.5, -2], [[1.5]], -(2 ** 40)]);
    expect(Object.entries(read)[4][1].toArray()).toEqual([0, 255]);
    expect([read.empty.shape, read.empty.dtype]).toEqual([[0, 4], "float64"]);
    expect(read.toString).toBeUndefined();
  });

  it("refuses constants whose bytes do not fill their shape", () => {
    const wrong = [{ name: "w", type: "float32", shape: [2, 2], data: new Float32Array(3) }] as const;
    expect(() => writeOnnxGraph({ ...any({}), constants: wrong })).toThrow(
      expect.objectContaining({ name: "ValueError", message: expect.stringMatching(/"w" has 12 bytes.*needs 16/) }),
    );
  });
});

describe("integers of any size", () => {
  const integer = fc.oneof(fc.integer(), fc.maxSafeInteger());
  it("come back as they were written, one by one and in lists, and another reader agrees", () => {
    fc.assert(
      fc.property(fc.array(integer), integer, (many, one) => {
        const bytes = writeOnnxGraph(any({ many, one }));
        const { attributes } = readOnnxGraph(bytes).nodes[0];
        expect([attributes.many, attributes.one]).toEqual([many, one]);
        const theirs = fromBinary(ModelProtoSchema, bytes).graph!.node[0].attribute;
        expect([theirs[0].ints.map(Number), Number(theirs[1].i)]).toEqual([many, one]);
      }),
      { numRuns: 50 },
    );
  });

  it.each(["int64", "uint64", "int32", "uint32", "int16", "uint16", "int8", "uint8"] satisfies ElementType[])(
    "%s constants keep their values",
    (type) => {
      const arrays = {
        int64: BigInt64Array.of(-1n, 2n ** 31n, 2n ** 63n - 1n),
        uint64: BigUint64Array.of(0n, 2n ** 32n, 2n ** 64n - 1n),
        int32: Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1),
        uint32: Uint32Array.of(0, 1, 2 ** 32 - 1),
        int16: Int16Array.of(-(2 ** 15), 0, 1),
        uint16: Uint16Array.of(0, 1, 65535),
        int8: Int8Array.of(-128, 0, 127),
        uint8: Uint8Array.of(0, 1, 255),
      };
      const data = arrays[type];
      const constants = [{ name: "c", type, shape: [3], data }];
      const read: Tensor = readOnnxGraph(writeOnnxGraph({ ...any({}), constants })).constants.c;
      const saturated = Array.from(data as ArrayLike<number | bigint>, (v) =>
        Math.min(Number(v), Number.MAX_SAFE_INTEGER),
      );
      expect(read.toArray()).toEqual(saturated);
      expect(read.dtype).toBe(saturated.every((v) => v === (v | 0)) ? "int32" : "float64");
    },
  );
});

it("renames inputs and outputs, and hands values on under their old names", () => {
  const bytes = writeOnnxGraph({
    inputs: [{ name: "x", type: "float32", shape: ["batch", 2] }],
    outputs: [{ name: "y", type: "float32", shape: ["batch", 2] }],
    nodes: [{ operator: "Relu", inputs: ["x"], outputs: ["y"] }],
  });
  const graph = readOnnxGraph(renameValues(bytes, { x: "sample", y: "result" }));
  expect(graph.inputs).toEqual([{ name: "sample", type: "float32", shape: ["batch", 2] }]);
  expect(graph.outputs.map(({ name }) => name)).toEqual(["result"]);
  expect(graph.nodes.map(({ operator, inputs, outputs }) => [operator, ...inputs, ...outputs])).toEqual([
    ["Identity", "sample", "x"],
    ["Relu", "x", "y"],
    ["Identity", "y", "result"],
  ]);
  expect(() => renameValues(bytes, { z: "sample" })).toThrow(/no input or output "z"/);
  expect(() => renameValues(new Uint8Array(), { x: "sample" })).toThrow(/no graph/);
});
