import { byteSize, type DType, type TypedArray } from "./dtype.js";
import { FormatError, UnsupportedError, ValueError } from "./errors.js";
import { widened, withWide } from "./literals.js";
import { isPlainObject, setKey } from "./plain-object.js";
import { hostTensor, isTensor, type Tensor } from "./tensor.js";

/**
 * What JSON has no words for stands as an object with one of these keys. Keys of the tree itself that begin with `$`
 * get another `$`, so that the two are never taken for each other.
 */
const TENSOR = "$tensor";
/** In the place of a dtype: of plain numbers alone, in float64. */
const WEAK = "number";
const ARRAY = "$array";
const NUMBER = "$number";
const BIGINT = "$bigint";
const UNDEFINED = "$undefined";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * A tree as JSON text that keeps every bit: tensors, typed arrays of every kind, numbers with -0, NaN and the
 * infinities, big integers, booleans, texts, null; keys whose value is undefined are left out. Equal trees give equal
 * texts, whatever the order of their keys. For states, checkpoints and small models.
 * @throws ValueError that names the place of what cannot be kept: functions, symbols, instances of classes, cycles.
 * UnsupportedError for a device tensor (`await x.host()` first).
 * @example tree.fromJson(tree.toJson({ step: 3, w: tensor([1, 2]) }))
 */
export function toJson(value: unknown): string {
  return JSON.stringify(encodeTree(value, { owner: "tree.toJson", keep: encodeBytes }));
}

/** How a tree is written: who asks, for messages, and where the bytes of arrays go. */
export interface TreeWriter {
  /** Function that is named in errors. */
  readonly owner: string;
  /** Keeps the little-endian bytes of an array and gives the word that stands in their place. */
  readonly keep: (bytes: Uint8Array) => string;
}

/** A tree as a value of JSON; the bytes of its arrays go where the writer puts them. */
export function encodeTree(value: unknown, writer: TreeWriter): unknown {
  return encode(value, "", [], writer);
}

function encode(value: unknown, path: string, above: readonly object[], writer: TreeWriter): Json {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { [NUMBER]: Object.is(value, -0) ? "-0" : `${value}` };
    case "string":
    case "boolean":
      return value;
    case "bigint":
      return { [BIGINT]: `${value}` };
    case "undefined":
      return { [UNDEFINED]: true };
    case "object":
      return value === null ? null : encodeObject(value, path, above, writer);
    default:
      return refuse(writer, path, `a ${typeof value}`, "keep data only and pass functions again when going on");
  }
}

function encodeObject(value: object, path: string, above: readonly object[], writer: TreeWriter): Json {
  if (isTensor(value)) return encodeTensor(value, path, writer);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return { [ARRAY]: arrayName(value), data: writer.keep(bytesOf(value)) };
  }
  if (above.includes(value)) refuse(writer, path, "a reference to what holds it", "a tree has no cycles");
  const here = [...above, value];
  const below = (key: string | number) => (path === "" ? `${key}` : `${path}.${key}`);
  if (Array.isArray(value)) return Array.from(value, (item, i) => encode(item, below(i), here, writer));
  if (!isPlainObject(value)) {
    refuse(
      writer,
      path,
      `a ${value.constructor?.name ?? "object with a prototype of its own"}`,
      "make it a plain object",
    );
  }
  const out: { [key: string]: Json } = {};
  for (const [key, item] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (item !== undefined) setKey(out, key.startsWith("$") ? `$${key}` : key, encode(item, below(key), here, writer));
  }
  return out;
}

function refuse({ owner }: TreeWriter, path: string, what: string, remedy: string): never {
  throw new ValueError(
    `${owner}: ${path === "" ? "the tree" : `"${path}"`} is ${what}, which cannot be kept; ${remedy}`,
  );
}

function encodeTensor(x: Tensor, path: string, { owner, keep }: TreeWriter): Json {
  if (x.storage.kind === "device") {
    throw new UnsupportedError(
      `${owner}: ${path === "" ? "the tensor" : `"${path}"`} is on ${x.storage.device}; download it with "await x.host()" first`,
    );
  }
  if (x.wide) return { [TENSOR]: WEAK, shape: [...x.shape], data: keep(bytesOf(widened(x).data())) };
  return { [TENSOR]: x.dtype, shape: [...x.shape], data: keep(bytesOf(x.data())) };
}

/** The name of a typed array's kind; that of a subclass is that of what it extends. */
function arrayName(values: ArrayBufferView): string {
  return (values as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] as string;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Bytes in base64. */
function encodeBytes(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 4096) parts.push(String.fromCharCode(...bytes.subarray(i, i + 4096)));
  return btoa(parts.join(""));
}

/**
 * The tree that `tree.toJson` wrote.
 * @throws FormatError where the text is not JSON, or something in it is cut short or not what `tree.toJson` writes.
 */
export function fromJson<T = unknown>(text: string): T {
  try {
    return decode(JSON.parse(text) as Json, { owner: "tree.fromJson", take: decodeBytes }) as T;
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError("tree.fromJson: the text is damaged or was not written by tree.toJson", { cause });
  }
}

/** How a tree is read: who asks, for messages, and where the bytes of arrays come from. */
export interface TreeReader {
  /** Function that is named in errors. */
  readonly owner: string;
  /** Bytes that a word stands for, in a buffer of their own. */
  readonly take: (word: string) => Uint8Array<ArrayBuffer>;
}

/**
 * The tree that a value of JSON written by `encodeTree` stands for.
 * @throws FormatError where it is none.
 */
export function decodeTree(value: unknown, reader: TreeReader): unknown {
  return decode(value as Json, reader);
}

function decode(value: Json, reader: TreeReader): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => decode(item, reader));
  const mark = Object.keys(value).find((key) => key.startsWith("$") && !key.startsWith("$$"));
  if (mark !== undefined) return decodeMarked(mark, value, reader);
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value))
    setKey(out, key.startsWith("$$") ? key.slice(1) : key, decode(item, reader));
  return out;
}

function decodeMarked(mark: string, value: { [key: string]: Json }, reader: TreeReader): unknown {
  const content = value[mark];
  switch (mark) {
    case TENSOR:
      return decodeTensor(content, value.shape, value.data, reader);
    case ARRAY:
      return decodeArray(content, value.data, reader);
    case NUMBER:
      if (content === "-0" || content === "NaN" || content === "Infinity" || content === "-Infinity")
        return Number(content);
      break;
    case BIGINT:
      if (typeof content === "string" && /^-?\d+$/.test(content)) return BigInt(content);
      break;
    case UNDEFINED:
      return undefined;
  }
  throw new FormatError(`${reader.owner}: ${JSON.stringify(mark)} with ${JSON.stringify(content)} means nothing`);
}

const arrayKinds = [
  Float32Array,
  Float64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  Uint8Array,
  Uint8ClampedArray,
  Uint16Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  // Of newer runtimes.
  (globalThis as unknown as { Float16Array?: typeof Float32Array }).Float16Array,
];

function decodeArray(name: Json, data: Json, reader: TreeReader): ArrayBufferView {
  const kind = arrayKinds.find((candidate) => candidate !== undefined && candidate.name === name);
  if (kind === undefined)
    throw new FormatError(`${reader.owner}: there are no typed arrays ${JSON.stringify(name)} here`);
  const bytes = bytesFor(data, reader);
  if (bytes.byteLength % kind.BYTES_PER_ELEMENT !== 0) {
    throw new FormatError(
      `${reader.owner}: ${bytes.byteLength} bytes are no whole number of elements of a ${kind.name}`,
    );
  }
  return new kind(bytes.buffer);
}

const storage = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array };

function decodeTensor(dtype: Json, shape: Json, data: Json, reader: TreeReader): Tensor {
  if (dtype === WEAK) {
    const wide = decodeTensor("float64", shape, data, reader);
    return withWide(hostTensor(Float32Array.from(wide.data()), wide.shape, "float32"), () => wide);
  }
  if (typeof dtype !== "string" || !Object.hasOwn(storage, dtype)) {
    throw new FormatError(`${reader.owner}: there is no dtype ${JSON.stringify(dtype)}`);
  }
  const extents = Array.isArray(shape) ? shape : [Number.NaN];
  if (!extents.every((extent): extent is number => Number.isSafeInteger(extent) && (extent as number) >= 0)) {
    throw new FormatError(`${reader.owner}: ${JSON.stringify(shape)} is not a shape`);
  }
  const bytes = bytesFor(data, reader);
  const size = extents.reduce((a, b) => a * b, 1);
  if (bytes.byteLength !== size * byteSize(dtype as DType)) {
    throw new FormatError(
      `${reader.owner}: ${bytes.byteLength} bytes do not fill a ${dtype} tensor of shape [${extents}]`,
    );
  }
  if (dtype === "bool" && bytes.some((byte) => byte > 1)) {
    throw new FormatError(`${reader.owner}: a bool tensor holds bytes that are neither 0 nor 1`);
  }
  return hostTensor(new storage[dtype as DType](bytes.buffer) as TypedArray, extents, dtype as DType);
}

function bytesFor(data: Json, { owner, take }: TreeReader): Uint8Array<ArrayBuffer> {
  if (typeof data !== "string") throw new FormatError(`${owner}: an array lacks its data`);
  return take(data);
}

function decodeBytes(data: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
}
