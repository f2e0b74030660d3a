import type { ElementType } from "@offprint/tensor-core";

// Numbers of the fields of ONNX's messages: onnx.proto of ONNX 1.20.

/** ModelProto. */
export const MODEL = { irVersion: 1, producer: 2, graph: 7, opset: 8 } as const;
/** OperatorSetIdProto. */
export const OPSET = { domain: 1, version: 2 } as const;
/** GraphProto. */
export const GRAPH = {
  node: 1,
  name: 2,
  initializer: 5,
  input: 11,
  output: 12,
  valueInfo: 13,
  sparseInitializer: 15,
} as const;
/** NodeProto. */
export const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5, domain: 7 } as const;
/** AttributeProto. */
export const ATTRIBUTE = {
  name: 1,
  float: 2,
  integer: 3,
  text: 4,
  tensor: 5,
  graph: 6,
  floats: 7,
  integers: 8,
  texts: 9,
  tensors: 10,
  graphs: 11,
  type: 20,
} as const;
/** Values of an attribute's `type`. */
export const ATTRIBUTE_TYPE = {
  float: 1,
  integer: 2,
  text: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  integers: 7,
  texts: 8,
  tensors: 9,
} as const;
/** TensorProto. */
export const TENSOR = {
  dims: 1,
  type: 2,
  floats: 4,
  integers: 5,
  wideIntegers: 7,
  name: 8,
  raw: 9,
  doubles: 10,
  unsigned: 11,
  external: 13,
  location: 14,
} as const;
/** StringStringEntryProto. */
export const ENTRY = { key: 1, value: 2 } as const;
/** ValueInfoProto. */
export const VALUE = { name: 1, type: 2 } as const;
/** TypeProto. */
export const TYPE = { tensor: 1 } as const;
/** TypeProto.Tensor. */
export const TENSOR_TYPE = { element: 1, shape: 2 } as const;
/** TensorShapeProto. */
export const SHAPE = { dimension: 1 } as const;
/** TensorShapeProto.Dimension. */
export const DIMENSION = { extent: 1, name: 2 } as const;

const codes: Record<ElementType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};
const types = new Map(Object.entries(codes).map(([type, code]) => [code, type as ElementType]));
const others = new Map([
  [8, "string"],
  [14, "complex64"],
  [15, "complex128"],
  [17, "float8e4m3fn"],
  [18, "float8e4m3fnuz"],
  [19, "float8e5m2"],
  [20, "float8e5m2fnuz"],
  [21, "uint4"],
  [22, "int4"],
  [23, "float4e2m1"],
  [24, "float8e8m0"],
  [25, "uint2"],
  [26, "int2"],
]);

/** ONNX's number of an element type, as `Cast` takes it. */
export function elementTypeCode(type: ElementType): number {
  return codes[type];
}

/** The element type of a number, or nothing for those that tensors cannot hold. */
export function elementTypeOf(code: number): ElementType | undefined {
  return types.get(code);
}

/** The name of any element type for messages. */
export function elementTypeName(code: number): string {
  return types.get(code) ?? others.get(code) ?? `number ${code}`;
}
