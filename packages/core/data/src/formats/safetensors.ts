import {
  checkOptions,
  decodeElements,
  type ElementType,
  elementSize,
  encodeElements,
  requireObject,
  type Tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { requireChoice } from "../option-choice.js";
import { ByteReader, concatenateBytes } from "./byte-reader.js";

/** Content of a safetensors file. */
export interface Safetensors {
  /** By name. */
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Free texts of the file's `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
}

const types = new Map<string, ElementType>(
  Object.entries({
    BOOL: "bool",
    I8: "int8",
    U8: "uint8",
    I16: "int16",
    U16: "uint16",
    I32: "int32",
    U32: "uint32",
    I64: "int64",
    U64: "uint64",
    F16: "float16",
    BF16: "bfloat16",
    F32: "float32",
    F64: "float64",
  }),
);

const names = Object.fromEntries([...types].map(([name, type]) => [type, name])) as Record<ElementType, string>;

const MAX_HEADER = 100_000_000;

interface Entry {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file. float16 and bfloat16 become float32; integers become int32, or float64 where they do not fit.
 * @throws FormatError for damaged or truncated files; UnsupportedError for element types that tensors cannot hold.
 * @see https://github.com/huggingface/safetensors
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const reader = new ByteReader("safetensors", bytes);
  const length = reader.uint64("the header length", true);
  if (length > MAX_HEADER) reader.fail(`a header of ${length} bytes is too long; this is no safetensors file`, 0);
  const header = parseHeader(reader, reader.take(length, "the header"));
  const start = reader.offset;
  const metadata = readMetadata(reader, header["__metadata__"]);
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => readEntry(reader, name, value));
  checkLayout(reader, entries, start);
  const tensors = Object.fromEntries(
    entries.map(({ name, type, shape, begin, end }) => [
      name,
      decodeElements(`safetensors: ${name}`, reader.bytes.subarray(start + begin, start + end), type, shape),
    ]),
  );
  return { tensors, metadata };
}

function parseHeader(reader: ByteReader, bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    reader.fail(`the header is not JSON (${(error as Error).message}); the file is damaged`, 8);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    reader.fail("the header is not a JSON object; the file is damaged", 8);
  }
  return header as Record<string, unknown>;
}

function readMetadata(reader: ByteReader, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  const valid =
    typeof value === "object" && value !== null && Object.values(value).every((text) => typeof text === "string");
  if (!valid || Array.isArray(value)) reader.fail("__metadata__ does not map names to texts; the file is damaged", 8);
  return value as Record<string, string>;
}

function readEntry(reader: ByteReader, name: string, value: unknown): Entry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  const isCount = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  const valid =
    typeof dtype === "string" &&
    Array.isArray(shape) &&
    shape.every(isCount) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(isCount);
  if (!valid) reader.fail(`the entry of ${name} lacks dtype, shape or data_offsets; the file is damaged`, 8);
  const type = types.get(dtype as string);
  if (type === undefined) {
    throw new UnsupportedError(`safetensors: ${name} has type ${String(dtype)}; convert it to F32 before saving`);
  }
  const [begin, end] = offsets as [number, number];
  const size = (shape as number[]).reduce((product, n) => product * n, elementSize[type]);
  if (end - begin !== size) {
    reader.fail(
      `${name} has ${end - begin} bytes where shape [${shape}] of ${dtype} needs ${size}; the file is damaged`,
      8,
    );
  }
  return { name, type, shape: shape as number[], begin, end };
}

/** The format demands that tensors fill the rest of the file without gaps or overlaps. */
function checkLayout(reader: ByteReader, entries: readonly Entry[], start: number): void {
  let at = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      reader.fail(`${name} begins at ${begin} of the data, not at ${at}; the file is damaged`, start + at);
    at = end;
  }
  if (at > reader.remaining) {
    reader.fail(`the tensors take ${at} bytes, ${reader.remaining} are there; the file seems to be truncated`, start);
  }
  if (at < reader.remaining) reader.fail(`${reader.remaining - at} bytes follow the last tensor`, start + at);
}

/** Options of `writeSafetensors`. */
export interface SafetensorsWriteOptions {
  /** Texts kept in the file. */
  metadata?: Readonly<Record<string, string>>;
  /** Writes floating-point tensors in this type; default: their own. */
  floatType?: "float16" | "bfloat16" | "float32" | "float64";
}

/** The bytes of a safetensors file. Names are sorted: equal tensors give equal bytes. */
export function writeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  options: SafetensorsWriteOptions = {},
): Uint8Array {
  requireObject("writeSafetensors", "tensors", tensors, "an object");
  checkOptions("writeSafetensors", options, ["metadata", "floatType"]);
  requireChoice("writeSafetensors", "floatType", options.floatType, ["float16", "bfloat16", "float32", "float64"]);
  const header: [string, unknown][] = options.metadata === undefined ? [] : [["__metadata__", options.metadata]];
  const parts: Uint8Array[] = [];
  let at = 0;
  // widest first, so that every tensor is aligned to its element size
  const list = Object.entries(tensors).map(([name, x]) => {
    if (name === "__metadata__") throw new ValueError("writeSafetensors: __metadata__ cannot name a tensor; rename it");
    const isFloat = x.dtype === "float32" || x.dtype === "float64";
    return { name, x, type: (isFloat ? (options.floatType ?? x.dtype) : x.dtype) as ElementType };
  });
  list.sort((a, b) => elementSize[b.type] - elementSize[a.type] || (a.name < b.name ? -1 : 1));
  for (const { name, x, type } of list) {
    const data = encodeElements(x, type);
    header.push([name, { dtype: names[type], shape: x.shape, data_offsets: [at, at + data.length] }]);
    parts.push(data);
    at += data.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  return concatenateBytes([length, padded, ...parts]);
}
