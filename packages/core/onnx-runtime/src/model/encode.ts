import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";
import type { Attribute, ElementType, Initializer, OnnxGraph, OnnxNode, Value } from "./onnx-graph.js";

/** Version of the ONNX operator set that the lowerings are written for. */
export const OPSET = 21;
const IR_VERSION = 10;

const dataTypes: Record<ElementType, TensorProto_DataType> = {
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  uint8: TensorProto_DataType.UINT8,
  bool: TensorProto_DataType.BOOL,
};

/** The ONNX code of an element type, for Cast. */
export function dataTypeCode(type: ElementType): number {
  return dataTypes[type];
}

/** The bytes of a .onnx file. */
export function encodeModel(graph: OnnxGraph, name: string): Uint8Array {
  const domains = new Set(["", ...allNodes(graph).map((node) => node.domain)]);
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(IR_VERSION),
    producerName: "offprint",
    opsetImport: [...domains].map((domain) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(domain === "" ? OPSET : 1) }),
    ),
    graph: encodeGraph(graph, name, graph.initializers),
  });
  return toBinary(ModelProtoSchema, model);
}

function allNodes(graph: OnnxGraph): OnnxNode[] {
  return graph.nodes.flatMap((node) => [
    node,
    ...Object.values(node.attributes).flatMap((a) => (isGraph(a) ? allNodes(a) : [])),
  ]);
}

function isGraph(attribute: Attribute): attribute is OnnxGraph {
  return typeof attribute === "object" && "nodes" in attribute;
}

function encodeGraph(graph: OnnxGraph, name: string, initializers: readonly Initializer[]): GraphProto {
  return create(GraphProtoSchema, {
    name,
    node: graph.nodes.map((node) =>
      create(NodeProtoSchema, {
        // Optimizers derive names from names, and some take two nameless nodes for one.
        name: `${node.operator}/${node.outputs[0]}`,
        opType: node.operator,
        domain: node.domain,
        input: [...node.inputs],
        output: [...node.outputs],
        attribute: Object.entries(node.attributes).map(([key, value]) => encodeAttribute(key, value)),
      }),
    ),
    input: graph.inputs.map(encodeValueInfo),
    output: graph.outputs.map(encodeValueInfo),
    initializer: initializers.map(encodeInitializer),
  });
}

function encodeAttribute(name: string, value: Attribute) {
  if (typeof value === "number") {
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
  }
  if (typeof value === "string") {
    return create(AttributeProtoSchema, {
      name,
      type: AttributeProto_AttributeType.STRING,
      s: new TextEncoder().encode(value),
    });
  }
  if (isGraph(value)) {
    return create(AttributeProtoSchema, {
      name,
      type: AttributeProto_AttributeType.GRAPH,
      g: encodeGraph(value, name, []),
    });
  }
  if ("float" in value) {
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: value.float });
  }
  return create(AttributeProtoSchema, {
    name,
    type: AttributeProto_AttributeType.INTS,
    ints: value.map((v) => BigInt(v)),
  });
}

function encodeValueInfo(value: Value) {
  const shape = create(TensorShapeProtoSchema, {
    // An extent of -1 is open.
    dim: value.shape.map((n, axis) =>
      create(TensorShapeProto_DimensionSchema, {
        value: n < 0 ? { case: "dimParam", value: `axis${axis}` } : { case: "dimValue", value: BigInt(n) },
      }),
    ),
  });
  const tensorType = create(TypeProto_TensorSchema, { elemType: dataTypes[value.type], shape });
  return create(ValueInfoProtoSchema, {
    name: value.name,
    type: create(TypeProtoSchema, { value: { case: "tensorType", value: tensorType } }),
  });
}

function encodeInitializer({ value, data }: Initializer) {
  return create(TensorProtoSchema, {
    name: value.name,
    dims: value.shape.map((n) => BigInt(n)),
    dataType: dataTypes[value.type],
    rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
  });
}
