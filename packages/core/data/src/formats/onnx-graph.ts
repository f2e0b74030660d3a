import { fromBinary } from "@bufbuild/protobuf";
import { FormatError, type Tensor, tensor, UnsupportedError } from "@offprint/tensor-core";
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  type ValueInfoProto,
} from "onnx-buf";
import { decodeElements, type ElementType } from "./elements.js";

/** Value of a node's attribute. Integers are numbers, those beyond 2^53 saturated; graphs are graphs. */
export type OnnxAttribute =
  | number
  | string
  | Tensor
  | OnnxGraph
  | readonly number[]
  | readonly string[]
  | readonly Tensor[];

/** An operator of an ONNX graph. */
export interface OnnxNode {
  /** Name of the operator, such as `Gemm`. */
  readonly operator: string;
  /** Its domain; empty for the standard operators. */
  readonly domain: string;
  /** The node's own name, often empty. */
  readonly name: string;
  /** Names of the inputs; an optional one that is left out is empty. */
  readonly inputs: readonly string[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
  /** Attributes by name. */
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** An input or output of an ONNX graph. */
export interface OnnxValue {
  /** Name in the graph. */
  readonly name: string;
  /** Extents, texts where any extent is allowed; nothing where the file does not say. */
  readonly shape: readonly (number | string)[] | undefined;
}

/** The content of an .onnx file, as far as it describes a computation. */
export interface OnnxGraph {
  /** Inputs that are not constants. */
  readonly inputs: readonly OnnxValue[];
  /** Outputs. */
  readonly outputs: readonly OnnxValue[];
  /** Constants by name. Integers become int32 or float64, half floats float32. */
  readonly constants: Readonly<Record<string, Tensor>>;
  /** Operators in an order in which they can be run. */
  readonly nodes: readonly OnnxNode[];
  /** Version of the standard operators; 0 in nested graphs. */
  readonly opset: number;
}

const types: Partial<Record<number, ElementType>> = {
  [TensorProto_DataType.BOOL]: "bool",
  [TensorProto_DataType.INT8]: "int8",
  [TensorProto_DataType.UINT8]: "uint8",
  [TensorProto_DataType.INT16]: "int16",
  [TensorProto_DataType.UINT16]: "uint16",
  [TensorProto_DataType.INT32]: "int32",
  [TensorProto_DataType.UINT32]: "uint32",
  [TensorProto_DataType.INT64]: "int64",
  [TensorProto_DataType.UINT64]: "uint64",
  [TensorProto_DataType.FLOAT16]: "float16",
  [TensorProto_DataType.BFLOAT16]: "bfloat16",
  [TensorProto_DataType.FLOAT]: "float32",
  [TensorProto_DataType.DOUBLE]: "float64",
};

/**
 * Reads the graph of an .onnx file: its operators and constants, without running anything.
 *
 * @throws FormatError for bytes that are no ONNX model; UnsupportedError for weights in an external file or of an element
 * type that tensors cannot hold
 */
export function readOnnxGraph(bytes: Uint8Array): OnnxGraph {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new FormatError(`onnx: these bytes are no ONNX model (${(cause as Error).message})`, { cause });
  }
  if (model.graph === undefined || model.graph.output.length === 0) {
    throw new FormatError("onnx: the file holds no graph; it is damaged, or no ONNX model");
  }
  const opset = model.opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version ?? 0n;
  return readGraph(model.graph, Number(opset));
}

function readGraph(graph: GraphProto, opset: number): OnnxGraph {
  if (graph.sparseInitializer.length > 0)
    throw new UnsupportedError("onnx: sparse constants are not read; store them densely");
  const constants = Object.fromEntries(graph.initializer.map((proto) => [proto.name, readTensor(proto)]));
  return {
    inputs: graph.input.filter(({ name }) => !Object.hasOwn(constants, name)).map(readValue),
    outputs: graph.output.map(readValue),
    constants,
    nodes: graph.node.map(readNode),
    opset,
  };
}

function readValue({ name, type }: ValueInfoProto): OnnxValue {
  if (type?.value.case !== "tensorType" || type.value.value.shape === undefined) return { name, shape: undefined };
  const shape = type.value.value.shape.dim.map(({ value }) =>
    value.case === "dimValue" ? Number(value.value) : value.case === "dimParam" ? value.value : "?",
  );
  return { name, shape };
}

function readNode(node: NodeProto): OnnxNode {
  return {
    operator: node.opType,
    domain: node.domain === "ai.onnx" ? "" : node.domain,
    name: node.name,
    inputs: node.input,
    outputs: node.output,
    attributes: Object.fromEntries(node.attribute.map((attribute) => [attribute.name, readAttribute(attribute)])),
  };
}

function readAttribute(attribute: AttributeProto): OnnxAttribute {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  switch (attribute.type) {
    case AttributeProto_AttributeType.FLOAT:
      return attribute.f;
    case AttributeProto_AttributeType.INT:
      return saturated(attribute.i);
    case AttributeProto_AttributeType.STRING:
      return text(attribute.s);
    case AttributeProto_AttributeType.TENSOR:
      return readTensor(attribute.t as TensorProto);
    case AttributeProto_AttributeType.GRAPH:
      return readGraph(attribute.g as GraphProto, 0);
    case AttributeProto_AttributeType.FLOATS:
      return attribute.floats;
    case AttributeProto_AttributeType.INTS:
      return attribute.ints.map(saturated);
    case AttributeProto_AttributeType.STRINGS:
      return attribute.strings.map(text);
    case AttributeProto_AttributeType.TENSORS:
      return attribute.tensors.map(readTensor);
    default:
      throw new UnsupportedError(
        `onnx: attribute "${attribute.name}" is of a kind that is not read (${attribute.type})`,
      );
  }
}

/** Exporters write the largest int64 for "to the end". */
function saturated(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER;
  if (value < BigInt(Number.MIN_SAFE_INTEGER)) return Number.MIN_SAFE_INTEGER;
  return Number(value);
}

function readTensor(proto: TensorProto): Tensor {
  const name = `onnx: constant "${proto.name}"`;
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    throw new UnsupportedError(`${name} is in another file; save the model with its weights inside`);
  }
  const type = types[proto.dataType];
  if (type === undefined) {
    const kind = TensorProto_DataType[proto.dataType] ?? String(proto.dataType);
    throw new UnsupportedError(`${name} has element type ${kind}, which is not read; convert the model to float32`);
  }
  const shape = proto.dims.map(Number);
  if (type === "int64") return saturatedTensor(name, proto, shape);
  if (proto.rawData.length > 0) return decodeElements(name, proto.rawData, type, shape);
  return tensor(typedValues(name, proto, type, shape), { shape });
}

function saturatedTensor(name: string, proto: TensorProto, shape: readonly number[]): Tensor {
  const count = shape.reduce((size, n) => size * n, 1);
  const { rawData } = proto;
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  const raw = rawData.length > 0;
  if ((raw ? rawData.length / 8 : proto.int64Data.length) !== count) throw wrongCount(name, shape);
  const values = Float64Array.from({ length: count }, (_, k) =>
    saturated(raw ? view.getBigInt64(8 * k, true) : proto.int64Data[k]),
  );
  return values.every((value) => value === (value | 0))
    ? tensor(Int32Array.from(values), { shape })
    : tensor(values, { shape });
}

/** Values of the typed fields, in which small kinds share one of int32. */
function typedValues(name: string, proto: TensorProto, type: ElementType, shape: readonly number[]) {
  const count = shape.reduce((size, n) => size * n, 1);
  const check = <A extends { length: number }>(values: A): A => {
    if (values.length !== count) throw wrongCount(name, shape);
    return values;
  };
  switch (type) {
    case "float32":
      return Float32Array.from(check(proto.floatData));
    case "float64":
      return Float64Array.from(check(proto.doubleData));
    case "uint32":
    case "uint64":
      return Float64Array.from(check(proto.uint64Data), Number);
    case "float16":
    case "bfloat16": {
      const bits = Uint16Array.from(check(proto.int32Data));
      return decodeElements(name, new Uint8Array(bits.buffer), type, shape).data();
    }
    case "bool":
      return Uint8Array.from(check(proto.int32Data));
    default:
      return Int32Array.from(check(proto.int32Data));
  }
}

function wrongCount(name: string, shape: readonly number[]): FormatError {
  return new FormatError(`${name} does not hold as many numbers as its shape [${shape}] needs; the file is damaged`);
}
