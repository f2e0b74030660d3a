import { requireObject } from "../arguments.js";
import { tensor } from "../construct.js";
import type { DType } from "../dtype.js";
import { FormatError, UnsupportedError } from "../errors.js";
import type { Tensor } from "../tensor.js";
import { bfloatToNumber, halfToNumber, numberToBfloat, numberToHalf } from "./half.js";

/** Kinds of numbers in files. */
export type ElementType =
  | "bool"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float16"
  | "bfloat16"
  | "float32"
  | "float64";

/** Bytes of one number. */
export const elementSize: Record<ElementType, number> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
};

type Read = (view: DataView, at: number, littleEndian: boolean) => number;

const readers: Record<ElementType, Read> = {
  bool: (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
  int8: (view, at) => view.getInt8(at),
  uint8: (view, at) => view.getUint8(at),
  int16: (view, at, little) => view.getInt16(at, little),
  uint16: (view, at, little) => view.getUint16(at, little),
  int32: (view, at, little) => view.getInt32(at, little),
  uint32: (view, at, little) => view.getUint32(at, little),
  int64: (view, at, little) => Number(view.getBigInt64(at, little)),
  uint64: (view, at, little) => Number(view.getBigUint64(at, little)),
  float16: (view, at, little) => halfToNumber(view.getUint16(at, little)),
  bfloat16: (view, at, little) => bfloatToNumber(view.getUint16(at, little)),
  float32: (view, at, little) => view.getFloat32(at, little),
  float64: (view, at, little) => view.getFloat64(at, little),
};

/** The dtype that tensors of each kind get; wide integers by their values. */
const tensorType: Record<ElementType, DType | undefined> = {
  bool: "bool",
  int8: "int32",
  uint8: "int32",
  int16: "int32",
  uint16: "int32",
  int32: "int32",
  uint32: undefined,
  int64: undefined,
  uint64: undefined,
  float16: "float32",
  bfloat16: "float32",
  float32: "float32",
  float64: "float64",
};

const LITTLE_ENDIAN_HOST = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/**
 * A tensor of numbers as they stand in a file, row-major. Integers of 32 bits without sign and of 64 bits become int32
 * where all fit, float64 otherwise.
 * @throws UnsupportedError for integers beyond 2^53.
 */
export function decodeElements(
  format: string,
  bytes: Uint8Array,
  type: ElementType,
  shape: readonly number[],
  littleEndian = true,
): Tensor {
  requireObject("decodeElements", "bytes", bytes, "a Uint8Array");
  requireObject("decodeElements", "shape", shape, "an array of numbers");
  const count = shape.reduce((size, n) => size * n, 1);
  if (count * elementSize[type] !== bytes.length) {
    throw new FormatError(
      `${format}: ${bytes.length} bytes do not hold ${count} numbers of type ${type}, as shape [${shape}] needs`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dtype = tensorType[type];
  if (dtype === undefined) return wideIntegers(format, view, type, shape, count, littleEndian);
  if (littleEndian && LITTLE_ENDIAN_HOST && (dtype === type || (type === "bool" && bytes.every((v) => v < 2)))) {
    return tensor(sameBits(bytes, dtype), { dtype, shape });
  }
  const out = new { bool: Uint8Array, int32: Int32Array, float32: Float32Array, float64: Float64Array }[dtype](count);
  const read = readers[type];
  const size = elementSize[type];
  for (let i = 0; i < count; i++) out[i] = read(view, i * size, littleEndian);
  return tensor(out, { dtype, shape });
}

/** A copy of the bytes as numbers of the same layout: files rarely align them. (`slice` of Node's Buffer does not copy.) */
function sameBits(bytes: Uint8Array, dtype: DType): Uint8Array | Int32Array | Float32Array | Float64Array {
  const { buffer } = new Uint8Array(bytes);
  return new { bool: Uint8Array, int32: Int32Array, float32: Float32Array, float64: Float64Array }[dtype](buffer);
}

function wideIntegers(
  format: string,
  view: DataView,
  type: ElementType,
  shape: readonly number[],
  count: number,
  littleEndian: boolean,
): Tensor {
  const values = new Float64Array(count);
  const read = readers[type];
  const size = elementSize[type];
  let fits = true;
  for (let i = 0; i < count; i++) {
    const value = read(view, i * size, littleEndian);
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      throw new UnsupportedError(
        `${format}: entry ${i} of type ${type} is about ${value}, beyond 2^53; write it as float64 or in two parts`,
      );
    }
    if (value !== (value | 0)) fits = false;
    values[i] = value;
  }
  return fits ? tensor(Int32Array.from(values), { shape }) : tensor(values, { shape });
}

/** The numbers of a tensor as bytes of a file, row-major, lowest byte first. */
export function encodeElements(x: Tensor, type: ElementType): Uint8Array {
  requireObject("encodeElements", "x", x, "a tensor");
  const data = x.data();
  if (LITTLE_ENDIAN_HOST && type === x.dtype)
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  const size = elementSize[type];
  const write = writers[type];
  if (write === undefined) throw new UnsupportedError(`type ${type} is read but not written; write int32 or float64`);
  const view = new DataView(new ArrayBuffer(data.length * size));
  for (let i = 0; i < data.length; i++) write(view, i * size, data[i]);
  return new Uint8Array(view.buffer);
}

type Write = (view: DataView, at: number, value: number) => void;

/** Kinds that tensors are written as. */
const writers: Partial<Record<ElementType, Write>> = {
  bool: (view, at, value) => view.setUint8(at, value),
  int32: (view, at, value) => view.setInt32(at, value, true),
  float16: (view, at, value) => view.setUint16(at, numberToHalf(value), true),
  bfloat16: (view, at, value) => view.setUint16(at, numberToBfloat(value), true),
  float32: (view, at, value) => view.setFloat32(at, value, true),
  float64: (view, at, value) => view.setFloat64(at, value, true),
};
