import { FormatError, UnsupportedError } from "@offprint/tensor-core";
import { PickleMachine } from "./pickle-machine.js";
import { checkSparseRows } from "./sparse-rows.js";

/** An array of a pickle. */
export interface PickledArray {
  /** Tells what it is. */
  readonly kind: "array";
  /** Extents. */
  readonly shape: readonly number[];
  /** Row-major, as float64 whatever the file has. */
  readonly values: Float64Array;
}

/** A sparse matrix of a pickle, compressed by rows. */
export interface PickledCsr {
  /** Tells what it is. */
  readonly kind: "csr";
  /** Rows and columns. */
  readonly shape: readonly [number, number];
  /** `[rows + 1]` where rows begin. */
  readonly indptr: Float64Array;
  /** `[entries]` columns. */
  readonly indices: Float64Array;
  /** `[entries]` */
  readonly values: Float64Array;
}

/** What a pickle of these files can hold. */
export type Pickled =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Pickled[]
  | ReadonlyMap<Pickled, Pickled>
  | PickledArray
  | PickledCsr;

/**
 * Reads a Python pickle (protocols 0 to 3) of numbers, texts, lists, tuples, dictionaries (also `defaultdict`), NumPy
 * arrays of numbers and SciPy CSR matrices. It builds plain data and runs nothing: any other class is refused by name.
 * @throws FormatError for damaged files; UnsupportedError for other classes and element types.
 */
export function readPickle(bytes: Uint8Array): Pickled {
  if (!(bytes instanceof Uint8Array)) throw new FormatError("pickle: the file must be given as a Uint8Array");
  return new Finisher(bytes.length).finish(new PickleMachine(bytes).run());
}

/** As deep as Python's own reader goes. */
const MOST_DEPTH = 1000;

/**
 * Makes values of what the machine leaves: arrays and matrices get their contents after they are made. A value that
 * stands in several places is made once and stays shared, so that work and memory follow the size of the file.
 */
class Finisher {
  private readonly made = new Map<object, Pickled>();
  private readonly open = new Set<object>();
  /** Bytes of arrays that the file may still have. */
  private left: number;

  constructor(fileSize: number) {
    this.left = fileSize;
  }

  finish(value: unknown): Pickled {
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value as Pickled;
    const known = this.made.get(value);
    if (known !== undefined) return known;
    if (this.open.has(value)) throw new FormatError("pickle: a value holds itself; such files are not read");
    if (this.open.size >= MOST_DEPTH) throw new FormatError(`pickle: values are nested more than ${MOST_DEPTH} deep`);
    this.open.add(value);
    const result = this.build(value);
    this.open.delete(value);
    this.made.set(value, result);
    return result;
  }

  private build(value: object): Pickled {
    if (Array.isArray(value)) return value.map((item) => this.finish(item));
    if (value instanceof Map) return new Map([...value].map(([k, v]) => [this.finish(k), this.finish(v)]));
    const { kind, state } = value as { kind: string; state?: unknown };
    if (kind === "ndarray") {
      const array = arrayOf(state);
      this.left -= array.bytes;
      if (this.left < 0) throw new FormatError("pickle: arrays share their contents; the file is damaged");
      return array.finish();
    }
    if (kind === "csr_matrix") return csrOf(this.finish(state));
    throw new UnsupportedError(`pickle: a ${kind} stands where a value is expected`);
  }
}

interface Dtype {
  readonly kind: "dtype";
  readonly code: string;
  readonly state?: readonly unknown[];
}

/** What an array takes, and the array. */
function arrayOf(state: unknown): { bytes: number; finish(): PickledArray } {
  if (!Array.isArray(state) || state.length < 5) throw new FormatError("pickle: an array has no contents");
  const [, shape, dtype, columnMajor, content] = state as [unknown, number[], Dtype, boolean, unknown];
  const isShape = Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!isShape || dtype?.kind !== "dtype") throw new FormatError("pickle: an array has no shape or type");
  const size = shape.reduce((a, b) => a * b, 1);
  const bytes = typeof content === "string" ? latin1(content) : content;
  if (!(bytes instanceof Uint8Array)) {
    throw new UnsupportedError(`pickle: an array of type ${dtype.code} holds objects; only numbers are read`);
  }
  return {
    bytes: bytes.length,
    finish() {
      const values = numbers(dtype, bytes, size);
      const turned = columnMajor === true && shape.length > 1;
      return { kind: "array", shape: [...shape], values: turned ? rowMajor(values, shape) : values };
    },
  };
}

function numbers({ code, state }: Dtype, bytes: Uint8Array, size: number): Float64Array {
  const width = Number(code.slice(1));
  const little = state?.[1] !== ">";
  if (bytes.length !== size * width) {
    throw new FormatError(`pickle: an array of ${size} elements of type ${code} has ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = Object.hasOwn(readers, code) ? readers[code] : undefined;
  if (read === undefined) throw new UnsupportedError(`pickle: arrays of type ${code} are not read; only numbers are`);
  return Float64Array.from({ length: size }, (_, i) => read(view, i * width, little));
}

const readers: Readonly<Record<string, (view: DataView, at: number, little: boolean) => number>> = {
  f4: (v, at, little) => v.getFloat32(at, little),
  f8: (v, at, little) => v.getFloat64(at, little),
  i1: (v, at) => v.getInt8(at),
  i2: (v, at, little) => v.getInt16(at, little),
  i4: (v, at, little) => v.getInt32(at, little),
  i8: (v, at, little) => Number(v.getBigInt64(at, little)),
  u1: (v, at) => v.getUint8(at),
  u2: (v, at, little) => v.getUint16(at, little),
  u4: (v, at, little) => v.getUint32(at, little),
  u8: (v, at, little) => Number(v.getBigUint64(at, little)),
  b1: (v, at) => v.getUint8(at),
};

function rowMajor(values: Float64Array, shape: readonly number[]): Float64Array {
  const out = new Float64Array(values.length);
  const index = new Int32Array(shape.length);
  for (let i = 0; i < out.length; i++) {
    let at = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) at = at * shape[axis] + index[axis];
    out[i] = values[at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return out;
}

function csrOf(fields: Pickled): PickledCsr {
  if (!(fields instanceof Map)) throw new FormatError("pickle: a CSR matrix has no contents");
  const shape = fields.get("_shape");
  const part = (name: string) => {
    const array = fields.get(name) as PickledArray | undefined;
    if (array?.kind !== "array") throw new FormatError(`pickle: a CSR matrix has no ${name}`);
    return array.values;
  };
  if (!Array.isArray(shape) || shape.length !== 2) throw new FormatError("pickle: a CSR matrix has no shape");
  const [rows, columns] = shape as [number, number];
  const [indptr, indices, values] = [part("indptr"), part("indices"), part("data")];
  checkSparseRows("pickle", { shape: [rows, columns], indptr, indices, values });
  return { kind: "csr", shape: [rows, columns], indptr, indices, values };
}

/** Texts of Python 2 are bytes. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
