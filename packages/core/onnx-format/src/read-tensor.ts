import {
  decodeElements,
  type ElementType,
  elementSize,
  FormatError,
  requireObject,
  type Tensor,
  tensor,
  UnsupportedError,
} from "@offprint/tensor-core";
import { type ExternalFiles, externalBytes } from "./external-bytes.js";
import { appendIntegers, bytesOf, type Field, fields, messageOf, numberOf, type Range, textOf } from "./protobuf.js";
import { joined } from "./protobuf-writer.js";
import { ENTRY, elementTypeName, elementTypeOf, TENSOR } from "./schema.js";

/** A constant of a file. What it says of itself has been checked against the bytes that are there. */
export interface StoredTensor {
  /** Name in the graph; often empty in attributes. */
  readonly name: string;
  /** Element type in the file. */
  readonly type: ElementType;
  /** Extents. */
  readonly shape: readonly number[];
  /** Copies the numbers out of the file. */
  read(): Tensor;
}

/** What a constant says of itself, unchecked. */
export interface TensorHeader {
  /** Name in the graph; often empty in attributes. */
  readonly name: string;
  /** ONNX's number of the element type. */
  readonly code: number;
  /** Extents. */
  readonly shape: readonly number[];
  /** Where the numbers lie in another file; nothing where they are in this one. */
  readonly external: ReadonlyMap<string, string> | undefined;
  /** Bytes of the numbers, a part of the file's memory; empty where they stand in fields of their own type. */
  readonly raw: Uint8Array;
}

/** Extents of constants in files; none needs more. */
const LARGEST_RANK = 64;
/** Where numbers may stand in fields of their own type, and the field that holds each type there. */
const typedFields: Record<ElementType, number> = {
  float32: TENSOR.floats,
  float64: TENSOR.doubles,
  int64: TENSOR.wideIntegers,
  uint32: TENSOR.unsigned,
  uint64: TENSOR.unsigned,
  int32: TENSOR.integers,
  int16: TENSOR.integers,
  uint16: TENSOR.integers,
  int8: TENSOR.integers,
  uint8: TENSOR.integers,
  bool: TENSOR.integers,
  float16: TENSOR.integers,
  bfloat16: TENSOR.integers,
};

/** Reads what a TensorProto message says of itself, and looks at no number. */
export function readTensorHeader(bytes: Uint8Array, range: Range): TensorHeader {
  requireObject("readTensorHeader", "bytes", bytes, "a Uint8Array");
  requireObject("readTensorHeader", "range", range, "a Range");
  const shape: number[] = [];
  const entries = new Map<string, string>();
  let [name, code, location, raw] = ["", 0, 0, bytes.subarray(0, 0)];
  for (const field of fields(bytes, range)) {
    if (field.number === TENSOR.dims) appendIntegers(shape, bytes, field, LARGEST_RANK);
    else if (field.number === TENSOR.type) code = numberOf(bytes, field);
    else if (field.number === TENSOR.name) name = textOf(bytes, field);
    else if (field.number === TENSOR.raw) raw = bytesOf(bytes, field);
    else if (field.number === TENSOR.external) entries.set(...readEntry(bytes, messageOf(field)));
    else if (field.number === TENSOR.location) location = numberOf(bytes, field);
  }
  return { name, code, shape, external: location === 1 ? entries : undefined, raw };
}

function readEntry(bytes: Uint8Array, range: Range): [key: string, value: string] {
  let [key, value] = ["", ""];
  for (const field of fields(bytes, range)) {
    if (field.number === ENTRY.key) key = textOf(bytes, field);
    else if (field.number === ENTRY.value) value = textOf(bytes, field);
  }
  return [key, value];
}

/**
 * Reads a TensorProto message.
 *
 * @param files gives the files that hold numbers beside this one
 * @throws FormatError where it does not hold as many numbers as its shape needs; UnsupportedError for numbers in a
 * file that is not there or of an element type that tensors cannot hold
 */
export function readStoredTensor(
  bytes: Uint8Array,
  range: Range,
  files: ExternalFiles = () => undefined,
): StoredTensor {
  requireObject("readStoredTensor", "bytes", bytes, "a Uint8Array");
  requireObject("readStoredTensor", "range", range, "a Range");
  const { name, code, shape, external, raw: inside } = readTensorHeader(bytes, range);
  const where = `onnx: constant "${name}"`;
  const type = elementTypeOf(code);
  if (type === undefined) {
    throw new UnsupportedError(
      `${where} has element type ${elementTypeName(code)}, which is not read; convert the model to float32`,
    );
  }
  const count = shape.reduce((size, n) => size * n, 1);
  const size = count * elementSize[type];
  const raw = external ? externalBytes({ where, at: range.start, entries: external }, size, files) : inside;
  const typed = external === undefined && raw.length === 0 ? typedValues(bytes, range, type) : undefined;
  const held = typed === undefined ? raw.length / elementSize[type] : typed.count;
  if (shape.some((n) => n < 0) || held !== count) {
    throw new FormatError(`${where} does not hold as many numbers as its shape [${shape}] needs; the file is damaged`, {
      offset: range.start,
    });
  }
  const read = typed === undefined ? () => decoded(where, raw, type, shape) : () => typed.read(where, shape);
  return { name, type, shape, read };
}

interface TypedValues {
  readonly count: number;
  read(where: string, shape: readonly number[]): Tensor;
}

/** Numbers in fields of their own type. They are counted before any is read. */
function typedValues(bytes: Uint8Array, range: Range, type: ElementType): TypedValues {
  const number = typedFields[type];
  const ofType = function* (): Generator<Field> {
    for (const field of fields(bytes, range)) if (field.number === number) yield field;
  };
  if (type === "float32" || type === "float64") {
    // Packed or not, they stand there as they would in `raw_data`.
    let size = 0;
    for (const { start, end } of ofType()) size += end - start;
    const read = (where: string, shape: readonly number[]): Tensor => {
      const parts = Array.from(ofType(), ({ start, end }) => bytes.subarray(start, end));
      return decodeElements(where, parts.length === 1 ? parts[0] : joined(parts), type, shape);
    };
    return { count: size / elementSize[type], read };
  }
  let count = 0;
  for (const { start, end } of ofType()) for (let at = start; at < end; at++) if (bytes[at] < 128) count += 1;
  const read = (where: string, shape: readonly number[]): Tensor => {
    const integers: number[] = [];
    for (const field of ofType()) appendIntegers(integers, bytes, field);
    return fromIntegers(where, integers, type, shape);
  };
  return { count, read };
}

/** Small integers and the bits of half floats share the field of int32. */
function fromIntegers(where: string, integers: number[], type: ElementType, shape: readonly number[]): Tensor {
  if (type === "float16" || type === "bfloat16") {
    const bits = new DataView(new ArrayBuffer(2 * integers.length));
    for (const [k, value] of integers.entries()) bits.setUint16(2 * k, value, true);
    return decodeElements(where, new Uint8Array(bits.buffer), type, shape);
  }
  if (type === "bool") {
    return tensor(
      Uint8Array.from(integers, (v) => (v === 0 ? 0 : 1)),
      { shape },
    );
  }
  return wholeNumbers(Float64Array.from(integers, type === "uint64" ? unsigned : undefined), shape);
}

/** 64-bit integers that read as negative were too large for a sign. */
function unsigned(value: number): number {
  return value < 0 ? Number.MAX_SAFE_INTEGER : value;
}

function decoded(where: string, raw: Uint8Array, type: ElementType, shape: readonly number[]): Tensor {
  if (type !== "int64" && type !== "uint64") return decodeElements(where, raw, type, shape);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const values = new Float64Array(raw.length / 8);
  for (let k = 0; k < values.length; k++) {
    const high = type === "int64" ? view.getInt32(8 * k + 4, true) : view.getUint32(8 * k + 4, true);
    const value = high * 2 ** 32 + view.getUint32(8 * k, true);
    values[k] = Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
  }
  return wholeNumbers(values, shape);
}

/** int32 where all fit, float64 otherwise. */
function wholeNumbers(values: Float64Array, shape: readonly number[]): Tensor {
  return values.every((value) => value === (value | 0))
    ? tensor(Int32Array.from(values), { shape })
    : tensor(values, { shape });
}
