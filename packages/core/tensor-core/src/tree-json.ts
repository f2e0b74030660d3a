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
  return JSON.stringify(encode(value, "", []));
}

function encode(value: unknown, path: string, above: readonly object[]): Json {
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
      return value === null ? null : encodeObject(value, path, above);
    default:
      return refuse(path, `a ${typeof value}`, "keep data only and pass functions again when going on");
  }
}

function encodeObject(value: object, path: string, above: readonly object[]): Json {
  if (isTensor(value)) return encodeTensor(value, path);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return { [ARRAY]: arrayName(value), data: encodeBytes(value) };
  }
  if (above.includes(value)) refuse(path, "a reference to what holds it", "a tree has no cycles");
  const here = [...above, value];
  const below = (key: string | number) => (path === "" ? `${key}` : `${path}.${key}`);
  if (Array.isArray(value)) return Array.from(value, (item, i) => encode(item, below(i), here));
  if (!isPlainObject(value)) {
    refuse(path, `a ${value.constructor?.name ?? "object with a prototype of its own"}`, "make it a plain object");
  }
  const out: { [key: string]: Json } = {};
  for (const [key, item] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (item !== undefined) setKey(out, key.startsWith("$") ? `$${key}` : key, encode(item, below(key), here));
  }
  return out;
}

function refuse(path: string, what: string, remedy: string): never {
  throw new ValueError(
    `tree.toJson: ${path === "" ? "the tree" : `"${path}"`} is ${what}, which cannot be kept; ${remedy}`,
  );
}

function encodeTensor(x: Tensor, path: string): Json {
  if (x.storage.kind === "device") {
    throw new UnsupportedError(
      `tree.toJson: ${path === "" ? "the tensor" : `"${path}"`} is on ${x.storage.device}; download it with "await x.host()" first`,
    );
  }
  if (x.wide) return { [TENSOR]: WEAK, shape: [...x.shape], data: encodeBytes(widened(x).data()) };
  return { [TENSOR]: x.dtype, shape: [...x.shape], data: encodeBytes(x.data()) };
}

/** The name of a typed array's kind; that of a subclass is that of what it extends. */
function arrayName(values: ArrayBufferView): string {
  return (values as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] as string;
}

/** Little-endian bytes in base64. */
function encodeBytes(data: ArrayBufferView): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
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
    return decode(JSON.parse(text) as Json) as T;
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError("tree.fromJson: the text is damaged or was not written by tree.toJson", { cause });
  }
}

function decode(value: Json): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(decode);
  const mark = Object.keys(value).find((key) => key.startsWith("$") && !key.startsWith("$$"));
  if (mark !== undefined) return decodeMarked(mark, value);
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) setKey(out, key.startsWith("$$") ? key.slice(1) : key, decode(item));
  return out;
}

function decodeMarked(mark: string, value: { [key: string]: Json }): unknown {
  const content = value[mark];
  switch (mark) {
    case TENSOR:
      return decodeTensor(content, value.shape, value.data);
    case ARRAY:
      return decodeArray(content, value.data);
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
  throw new FormatError(`tree.fromJson: ${JSON.stringify(mark)} with ${JSON.stringify(content)} means nothing`);
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

function decodeArray(name: Json, data: Json): ArrayBufferView {
  const kind = arrayKinds.find((candidate) => candidate !== undefined && candidate.name === name);
  if (kind === undefined)
    throw new FormatError(`tree.fromJson: there are no typed arrays ${JSON.stringify(name)} here`);
  const bytes = decodeBytes(data);
  if (bytes.byteLength % kind.BYTES_PER_ELEMENT !== 0) {
    throw new FormatError(`tree.fromJson: ${bytes.byteLength} bytes are no whole number of elements of a ${kind.name}`);
  }
  return new kind(bytes.buffer);
}

const storage = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array };

function decodeTensor(dtype: Json, shape: Json, data: Json): Tensor {
  if (dtype === WEAK) {
    const wide = decodeTensor("float64", shape, data);
    return withWide(hostTensor(Float32Array.from(wide.data()), wide.shape, "float32"), () => wide);
  }
  if (typeof dtype !== "string" || !Object.hasOwn(storage, dtype)) {
    throw new FormatError(`tree.fromJson: there is no dtype ${JSON.stringify(dtype)}`);
  }
  const extents = Array.isArray(shape) ? shape : [Number.NaN];
  if (!extents.every((extent): extent is number => Number.isSafeInteger(extent) && (extent as number) >= 0)) {
    throw new FormatError(`tree.fromJson: ${JSON.stringify(shape)} is not a shape`);
  }
  const bytes = decodeBytes(data);
  const size = extents.reduce((a, b) => a * b, 1);
  if (bytes.byteLength !== size * byteSize(dtype as DType)) {
    throw new FormatError(
      `tree.fromJson: ${bytes.byteLength} bytes do not fill a ${dtype} tensor of shape [${extents}]`,
    );
  }
  if (dtype === "bool" && bytes.some((byte) => byte > 1)) {
    throw new FormatError("tree.fromJson: a bool tensor holds bytes that are neither 0 nor 1");
  }
  return hostTensor(new storage[dtype as DType](bytes.buffer) as TypedArray, extents, dtype as DType);
}

function decodeBytes(data: Json): Uint8Array<ArrayBuffer> {
  if (typeof data !== "string") throw new FormatError("tree.fromJson: an array lacks its data");
  return Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
}
