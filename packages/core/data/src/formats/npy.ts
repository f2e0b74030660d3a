import {
  checkOptions,
  decodeElements,
  type ElementType,
  elementSize,
  encodeElements,
  requireObject,
  type Tensor,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import { requireChoice } from "../option-choice.js";
import { ascii, ByteReader, concatenateBytes } from "./byte-reader.js";
import { readNpyHeader } from "./npy-header.js";

/**
 * Reads an array that NumPy saved with `np.save`: booleans, integers and floating-point numbers of any width and byte
 * order. float16 becomes float32; integers become int32, or float64 where they do not fit.
 * @throws FormatError for damaged or truncated files; UnsupportedError for complex numbers, texts, records and objects.
 */
export function readNpy(bytes: Uint8Array): Tensor {
  const reader = new ByteReader("npy", bytes);
  const { type, littleEndian, fortranOrder, shape } = readNpyHeader(reader);
  const size = shape.reduce((product, n) => product * n, elementSize[type]);
  const data = reader.take(size, `the data of shape [${shape}]`);
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes follow the data; the header or the file is damaged`);
  if (!fortranOrder || shape.length < 2) return decodeElements("npy", data, type, shape, littleEndian);
  const columns = decodeElements("npy", data, type, [...shape].reverse(), littleEndian);
  const x = transpose(columns);
  return tensor(x.data(), { dtype: x.dtype, shape });
}

const descriptors: Partial<Record<ElementType, string>> = {
  bool: "|b1",
  int32: "<i4",
  float16: "<f2",
  float32: "<f4",
  float64: "<f8",
};

/** Options of `writeNpy` and `writeNpz`. */
export interface NpyWriteOptions {
  /** Writes floating-point tensors in this type; default: their own. */
  floatType?: "float16" | "float32" | "float64";
}

/** The bytes of an .npy file (version 1.0, row-major, little-endian) that `np.load` reads. */
export function writeNpy(x: Tensor, options: NpyWriteOptions = {}): Uint8Array {
  requireObject("writeNpy", "x", x, "a tensor");
  checkOptions("writeNpy", options, ["floatType"]);
  requireChoice("writeNpy", "floatType", options.floatType, ["float16", "float32", "float64"]);
  const isFloat = x.dtype === "float32" || x.dtype === "float64";
  const type: ElementType = isFloat ? (options.floatType ?? x.dtype) : x.dtype;
  const shape = x.shape.length === 1 ? `${x.shape[0]},` : x.shape.join(", ");
  const dictionary = `{'descr': '${descriptors[type]}', 'fortran_order': False, 'shape': (${shape}), }`;
  // signature, version and length take 10 bytes; the data must begin at a multiple of 64
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10;
  const head = Uint8Array.of(0x93, ...ascii("NUMPY"), 1, 0, length & 255, length >>> 8);
  const header = ascii(`${dictionary.padEnd(length - 1)}\n`);
  return concatenateBytes([head, header, encodeElements(x, type)]);
}
