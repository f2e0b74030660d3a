import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { scan, sin, sum, type Tensor, tensor } from "@offprint/tensor-core";
import {
  AttributeProto_AttributeType,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { describe, expect, it } from "vitest";
import { loadModel, toOnnx } from "../src/index.js";
import { encodeModel, GraphBuilder } from "../src/model/graph-builder.js";

const decoded = (graph: GraphBuilder, name = "g") => fromBinary(ModelProtoSchema, encodeModel(graph, name));

describe("encodeModel", () => {
  it("says which versions the file is written for", () => {
    const graph = new GraphBuilder();
    const x = graph.input("float32", [2]);
    graph.outputs.push(graph.node("Relu", [x], x), graph.node("Special", [x], x, {}, "com.example"));
    const model = decoded(graph, "named");
    expect(model.irVersion).toBe(10n);
    expect(model.producerName).toBe("offprint");
    expect(model.graph?.name).toBe("named");
    expect(model.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
      ["", 21n],
      ["com.example", 1n],
    ]);
  });

  it("writes types and shapes, open extents by name", () => {
    const graph = new GraphBuilder();
    const x = graph.input("int64", [3, 7, 1], "x");
    graph.declareShape(x, [3, "axis1", 1]);
    graph.outputs.push(graph.node("Identity", [x], { shape: [], type: "bool" }));
    const [input] = decoded(graph).graph!.input;
    const type = input.type!.value.value as any;
    expect(input.name).toBe("x");
    expect(type.elemType).toBe(TensorProto_DataType.INT64);
    expect(type.shape.dim.map(({ value }: any) => value.value)).toEqual([3n, "axis1", 1n]);
    const output = decoded(graph).graph!.output[0].type!.value.value as any;
    expect([output.elemType, output.shape.dim]).toEqual([TensorProto_DataType.BOOL, []]);
  });

  it("writes every kind of attribute, and empty names for operands that are left out", () => {
    const graph = new GraphBuilder();
    const x = graph.input("float32", [2]);
    const inner = new GraphBuilder(graph);
    inner.outputs.push(inner.node("Identity", [x], x));
    const attributes = { axis: -1, pads: [1, 0], mode: "add", alpha: { float: 0.5 }, body: inner };
    graph.outputs.push(graph.node("Any", [x, null, x], x, attributes));
    const [node] = decoded(graph).graph!.node;
    expect(node.input).toEqual([x.name, "", x.name]);
    const byName = Object.fromEntries(node.attribute.map((a) => [a.name, a]));
    const T = AttributeProto_AttributeType;
    expect([byName.axis.type, byName.axis.i]).toEqual([T.INT, -1n]);
    expect([byName.pads.type, byName.pads.ints]).toEqual([T.INTS, [1n, 0n]]);
    expect([byName.mode.type, new TextDecoder().decode(byName.mode.s)]).toEqual([T.STRING, "add"]);
    expect([byName.alpha.type, byName.alpha.f]).toEqual([T.FLOAT, 0.5]);
    expect(byName.body.type).toBe(T.GRAPH);
    expect(byName.body.g!.node.map((n) => n.opType)).toEqual(["Identity"]);
    expect(byName.body.g!.initializer).toEqual([]);
  });

  it("keeps the bits of constants, and one of each of the small ones", () => {
    const graph = new GraphBuilder();
    const zero = graph.scalar("float64", 0);
    expect(graph.scalar("float64", 0)).toBe(zero);
    expect(graph.scalar("float64", -0)).not.toBe(zero);
    expect(graph.scalar("float32", 0)).not.toBe(zero);
    const view = new Float32Array([9, 1.5, Number.NaN, -0, 9]).subarray(1, 4);
    graph.constant("float32", [3], view);
    graph.integers([-1, 2]);
    const constants = decoded(graph).graph!.initializer;
    expect(constants).toHaveLength(5);
    const bytes = constants[3].rawData!;
    const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    expect(Array.from(values, (v) => (Object.is(v, -0) ? "-0" : String(v)))).toEqual(["1.5", "NaN", "-0"]);
    expect(constants[4].dims).toEqual([2n]);
  });
});

describe("toOnnx", () => {
  const f = (s: Tensor, xs: Tensor) => scan((c: Tensor, x: Tensor): [Tensor, Tensor] => [sin(c.add(x)), c], s, xs);
  const args = [tensor([0.5]), tensor([[1], [2]])];

  it("gives the same bytes for the same function", () => {
    expect(toOnnx(f, ...args)).toEqual(toOnnx(f, ...args));
  });
  it("names inputs and outputs by their places, nodes by what they are, and everything once", () => {
    const { graph } = fromBinary(ModelProtoSchema, toOnnx(f, ...args));
    expect(graph!.name).toBe("f");
    expect(graph!.input.map((v) => v.name)).toEqual(["input0", "input1"]);
    expect(graph!.output.map((v) => v.name)).toEqual(["output0", "output1"]);
    const nodes = [...graph!.node, ...graph!.node.flatMap((n) => n.attribute.flatMap((a) => a.g?.node ?? []))];
    const names = nodes.map((n) => n.name);
    expect(new Set(names).size).toBe(names.length);
    const values = nodes.flatMap((n) => n.output);
    expect(new Set(values).size).toBe(values.length);
  });
  it("passes inputs, constants and repeated results through", async () => {
    const bytes = toOnnx(
      (x: Tensor) => {
        const y = sum(x);
        return { a: x, b: tensor([7, 8]), c: y, d: y };
      },
      { shape: [2], dtype: "float32" },
    );
    const model = await loadModel(bytes);
    const results = await model.run({ input0: [1, 2] });
    expect(model.outputs.map(({ name }) => (results[name] as Tensor).toArray())).toEqual([[1, 2], [7, 8], 3, 3]);
    await model.release();
  });
});

/** A model that casts its float32 input of two elements to another element type. */
function castModel(to: TensorProto_DataType): Uint8Array {
  const info = (name: string, elemType: TensorProto_DataType) =>
    create(ValueInfoProtoSchema, {
      name,
      type: create(TypeProtoSchema, {
        value: {
          case: "tensorType",
          value: create(TypeProto_TensorSchema, {
            elemType,
            shape: create(TensorShapeProtoSchema, {
              dim: [create(TensorShapeProto_DimensionSchema, { value: { case: "dimParam", value: "n" } })],
            }),
          }),
        },
      }),
    });
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [create(OperatorSetIdProtoSchema, { version: 17n })],
      graph: create(GraphProtoSchema, {
        name: "cast",
        node: [
          create(NodeProtoSchema, {
            opType: "Cast",
            input: ["x"],
            output: ["y"],
            attribute: [{ name: "to", type: AttributeProto_AttributeType.INT, i: BigInt(to) }],
          }),
        ],
        input: [info("x", TensorProto_DataType.FLOAT)],
        output: [info("y", to)],
      }),
    }),
  );
}

describe("models of others", () => {
  const T = TensorProto_DataType;
  it.each([
    ["float16", T.FLOAT16, "float32"],
    ["int64", T.INT64, "int32"],
    ["uint8", T.UINT8, "int32"],
    ["int16", T.INT16, "int32"],
    ["float64", T.DOUBLE, "float64"],
  ] as const)("with %s results give them in an element type that tensors have", async (_, code, dtype) => {
    const model = await loadModel(castModel(code));
    expect(model.inputs[0].shape).toEqual(["n"]);
    const { y } = await model.run({ x: [3, 100, 0] });
    expect([y.dtype, y.toArray()]).toEqual([dtype, [3, 100, 0]]);
    await model.release();
  });
  it("with int64 results that do not fit int32 are refused", async () => {
    const model = await loadModel(castModel(T.INT64));
    await expect(model.run({ x: [1e12] })).rejects.toThrow(/"y" holds 999999995904, which does not fit int32/);
    await model.release();
  });
});
