import {
  decodeElements,
  type ElementType,
  elementSize,
  requireObject,
  type Tensor,
  UnsupportedError,
} from "@offprint/tensor-core";
import { ByteReader, concatenateBytes } from "./byte-reader.js";
import { gunzip } from "./inflate.js";

const types: Record<number, ElementType> = {
  8: "uint8",
  9: "int8",
  11: "int16",
  12: "int32",
  13: "float32",
  14: "float64",
};

/**
 * Reads an IDX file, the format of MNIST, plain or gzip-compressed. Integers become int32.
 * @throws FormatError for damaged or truncated files.
 * @see http://yann.lecun.com/exdb/mnist/
 */
export function readIdx(file: Uint8Array): Tensor {
  const reader = new ByteReader("IDX", gunzip(file));
  const zero = reader.uint16("the magic number", false);
  const type = types[reader.uint8("the magic number")];
  if (zero !== 0 || type === undefined) reader.fail("the file does not begin with the magic number of IDX", 0);
  const rank = reader.uint8("the number of dimensions");
  const shape = Array.from({ length: rank }, () => reader.uint32("the dimensions", false));
  const size = shape.reduce((product, n) => product * n, elementSize[type]);
  const data = reader.take(size, `the data of shape [${shape}]`);
  if (reader.remaining > 0)
    reader.fail(`${reader.remaining} bytes follow the data; the dimensions or the file are damaged`);
  return decodeElements("IDX", data, type, shape, false);
}

/**
 * The bytes of an IDX file. int32 tensors whose values all lie in 0, ..., 255 become unsigned bytes, as in MNIST.
 * @throws UnsupportedError for more than 255 axes.
 */
export function writeIdx(x: Tensor): Uint8Array {
  requireObject("writeIdx", "x", x, "a tensor");
  if (x.rank > 255) throw new UnsupportedError("writeIdx: IDX files have at most 255 axes; reshape first");
  const data = x.data();
  const bytes = x.dtype === "bool" || (x.dtype === "int32" && data.every((v) => v >= 0 && v <= 255));
  const code = bytes ? 8 : x.dtype === "int32" ? 12 : x.dtype === "float32" ? 13 : 14;
  const head = new DataView(new ArrayBuffer(4 + 4 * x.rank));
  head.setUint8(2, code);
  head.setUint8(3, x.rank);
  x.shape.forEach((n, axis) => {
    head.setUint32(4 + 4 * axis, n);
  });
  const header = new Uint8Array(head.buffer);
  if (bytes) return concatenateBytes([header, Uint8Array.from(data)]);
  const size = code === 14 ? 8 : 4;
  const body = new DataView(new ArrayBuffer(data.length * size));
  for (let i = 0; i < data.length; i++) {
    if (code === 12) body.setInt32(i * size, data[i]);
    else if (code === 13) body.setFloat32(i * size, data[i]);
    else body.setFloat64(i * size, data[i]);
  }
  return concatenateBytes([header, new Uint8Array(body.buffer)]);
}
