import { checkOptions, type ElementType, elementSize, requireObject, ValueError } from "@offprint/tensor-core";
import {
  floatField,
  floatsField,
  integersField,
  joined,
  lengthField,
  type Message,
  numberField,
  type Part,
} from "./protobuf-writer.js";
import {
  ATTRIBUTE,
  ATTRIBUTE_TYPE,
  DIMENSION,
  elementTypeCode,
  GRAPH,
  MODEL,
  NODE,
  OPSET,
  SHAPE,
  TENSOR,
  TENSOR_TYPE,
  TYPE,
  VALUE,
} from "./schema.js";

/** An input or output of a graph to be written. */
export interface ValueSource {
  /** Name in the graph. */
  readonly name: string;
  /** Element type. */
  readonly type: ElementType;
  /** Extents; texts where any extent is allowed, equal texts for equal extents. */
  readonly shape: readonly (number | string)[];
}

/** A constant of a graph to be written. */
export interface ConstantSource {
  /** Name in the graph. */
  readonly name: string;
  /** Element type. */
  readonly type: ElementType;
  /** Extents. */
  readonly shape: readonly number[];
  /** The numbers, row-major, as they lie in memory: two bytes for half floats, eight for int64, one for bool. */
  readonly data: ArrayBufferView;
}

/** Value of an attribute to be written: plain numbers are integers. */
export type AttributeSource =
  | number
  | readonly number[]
  | string
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: ConstantSource }
  | { readonly graph: GraphSource };

/** An operator of a graph to be written. */
export interface NodeSource {
  /** Name of the operator, such as `Gemm`. */
  readonly operator: string;
  /** Its domain; default that of the standard operators. */
  readonly domain?: string;
  /** Names of the inputs; empty for an optional one that is left out. */
  readonly inputs: readonly string[];
  /** Names of the outputs. */
  readonly outputs: readonly string[];
  /** Attributes by name. */
  readonly attributes?: Readonly<Record<string, AttributeSource>>;
}

/** A graph to be written. */
export interface GraphSource {
  /** What is fed. */
  readonly inputs: readonly ValueSource[];
  /** What is computed. */
  readonly outputs: readonly ValueSource[];
  /** Weights and the like. */
  readonly constants?: readonly ConstantSource[];
  /** Operators in an order in which they can be run. */
  readonly nodes: readonly NodeSource[];
}

/** Options of `writeOnnxGraph`. */
export interface OnnxWriteOptions {
  /** Name of the graph. Default "graph". */
  name?: string;
  /** Version of the standard operators that the nodes are meant in. Default 21. */
  opset?: number;
  /** Version of the file format. Default 10, which runtimes since 2024 read. */
  irVersion?: number;
}

/**
 * The bytes of an .onnx file. Weights are copied once.
 *
 * @throws ValueError for a constant whose shape needs another number of bytes than its data has
 * @example
 * writeOnnxGraph({
 *   inputs: [{ name: "x", type: "float32", shape: ["batch", 2] }],
 *   outputs: [{ name: "y", type: "float32", shape: ["batch", 2] }],
 *   nodes: [{ operator: "Relu", inputs: ["x"], outputs: ["y"] }],
 * });
 */
export function writeOnnxGraph(graph: GraphSource, options: OnnxWriteOptions = {}): Uint8Array {
  requireObject("writeOnnxGraph", "graph", graph, "a GraphSource");
  checkOptions("writeOnnxGraph", options, ["name", "opset", "irVersion"]);
  const { name = "graph", opset = 21, irVersion = 10 } = options;
  const domains = new Set(["", ...allNodes(graph).map((node) => node.domain ?? "")]);
  return joined([
    numberField(MODEL.irVersion, irVersion),
    lengthField(MODEL.producer, "offprint"),
    lengthField(MODEL.graph, ...graphParts(graph, name)),
    ...Array.from(domains, (domain) =>
      lengthField(
        MODEL.opset,
        lengthField(OPSET.domain, domain),
        numberField(OPSET.version, domain === "" ? opset : 1),
      ),
    ),
  ]);
}

function allNodes(graph: GraphSource): NodeSource[] {
  return graph.nodes.flatMap((node) => [
    node,
    ...Object.values(node.attributes ?? {}).flatMap((value) =>
      typeof value === "object" && "graph" in value ? allNodes(value.graph) : [],
    ),
  ]);
}

function graphParts({ inputs, outputs, constants = [], nodes }: GraphSource, name: string): Part[] {
  return [
    ...nodes.map((node) => lengthField(GRAPH.node, ...nodeParts(node))),
    lengthField(GRAPH.name, name),
    ...constants.map((constant) => lengthField(GRAPH.initializer, ...constantParts(constant))),
    ...inputs.map((value) => lengthField(GRAPH.input, ...valueParts(value))),
    ...outputs.map((value) => lengthField(GRAPH.output, ...valueParts(value))),
  ];
}

function nodeParts({ operator, domain = "", inputs, outputs, attributes = {} }: NodeSource): Part[] {
  return [
    ...inputs.map((input) => lengthField(NODE.input, input)),
    ...outputs.map((output) => lengthField(NODE.output, output)),
    // Optimizers derive names from names, and some take two nameless nodes for one.
    lengthField(NODE.name, `${operator}/${outputs[0]}`),
    lengthField(NODE.operator, operator),
    ...Object.entries(attributes).map(([key, value]) =>
      lengthField(NODE.attribute, lengthField(ATTRIBUTE.name, key), ...attributeParts(key, value)),
    ),
    ...(domain === "" ? [] : [lengthField(NODE.domain, domain)]),
  ];
}

function attributeParts(name: string, value: AttributeSource): Part[] {
  const typed = (kind: keyof typeof ATTRIBUTE_TYPE, content: Part): Part[] => [
    content,
    numberField(ATTRIBUTE.type, ATTRIBUTE_TYPE[kind]),
  ];
  if (typeof value === "number") return typed("integer", numberField(ATTRIBUTE.integer, value));
  if (typeof value === "string") return typed("text", lengthField(ATTRIBUTE.text, value));
  if ("float" in value) return typed("float", floatField(ATTRIBUTE.float, value.float));
  if ("floats" in value) return typed("floats", floatsField(ATTRIBUTE.floats, value.floats));
  if ("tensor" in value) return typed("tensor", lengthField(ATTRIBUTE.tensor, ...constantParts(value.tensor)));
  if ("graph" in value) return typed("graph", lengthField(ATTRIBUTE.graph, ...graphParts(value.graph, name)));
  return typed("integers", integersField(ATTRIBUTE.integers, value));
}

/** The content of a ValueInfoProto; without a shape where none is given. */
export function valueParts(options: Omit<ValueSource, "shape"> & Partial<ValueSource>): Message[] {
  requireObject("valueParts", "options", options, "{ name, type }");
  const { name, type, shape } = options;
  const dimensions = shape?.map((n) =>
    lengthField(
      SHAPE.dimension,
      typeof n === "number" ? numberField(DIMENSION.extent, n) : lengthField(DIMENSION.name, n),
    ),
  );
  const tensorType = [
    numberField(TENSOR_TYPE.element, elementTypeCode(type)),
    ...(dimensions === undefined ? [] : [lengthField(TENSOR_TYPE.shape, ...dimensions)]),
  ];
  return [lengthField(VALUE.name, name), lengthField(VALUE.type, lengthField(TYPE.tensor, ...tensorType))];
}

function constantParts({ name, type, shape, data }: ConstantSource): Part[] {
  const needed = shape.reduce((size, n) => size * n, elementSize[type]);
  if (data.byteLength !== needed) {
    throw new ValueError(
      `writeOnnxGraph: constant "${name}" has ${data.byteLength} bytes; ${type}[${shape.join(", ")}] needs ${needed}`,
    );
  }
  return [
    integersField(TENSOR.dims, shape),
    numberField(TENSOR.type, elementTypeCode(type)),
    lengthField(TENSOR.name, name),
    lengthField(TENSOR.raw, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
}
