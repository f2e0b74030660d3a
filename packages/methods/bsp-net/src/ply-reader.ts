import { FormatError } from "@offprint/tensor-core";
import { meshBytes } from "./mesh-file.js";
import type { PolyMesh } from "./poly-mesh.js";

type Getter =
  | "getInt8"
  | "getUint8"
  | "getInt16"
  | "getUint16"
  | "getInt32"
  | "getUint32"
  | "getFloat32"
  | "getFloat64";

const types = new Map<string, readonly [Getter, number]>(
  Object.entries({
    char: ["getInt8", 1],
    int8: ["getInt8", 1],
    uchar: ["getUint8", 1],
    uint8: ["getUint8", 1],
    short: ["getInt16", 2],
    int16: ["getInt16", 2],
    ushort: ["getUint16", 2],
    uint16: ["getUint16", 2],
    int: ["getInt32", 4],
    int32: ["getInt32", 4],
    uint: ["getUint32", 4],
    uint32: ["getUint32", 4],
    float: ["getFloat32", 4],
    float32: ["getFloat32", 4],
    double: ["getFloat64", 8],
    float64: ["getFloat64", 8],
  } as const),
);

interface Property {
  readonly name: string;
  readonly type: string;
  /** Type of the length, for lists. */
  readonly countType?: string;
}

interface Element {
  readonly name: string;
  readonly count: number;
  readonly properties: Property[];
}

interface Header {
  readonly format: string;
  readonly elements: readonly Element[];
  /** Where the data begin. */
  readonly end: number;
}

function parseHeader(bytes: Uint8Array): Header {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 1 << 16));
  const end = /end_header\r?\n/.exec(text);
  if (!text.startsWith("ply") || end === null) throw new FormatError("readPly: the file has no PLY header");
  const elements: Element[] = [];
  let format = "";
  for (const line of text.slice(0, end.index).split(/\r?\n/)) {
    const [kind, ...rest] = line.trim().split(/\s+/);
    if (kind === "format") format = rest[0];
    else if (kind === "element") {
      const count = Number(rest[1]);
      if (!Number.isSafeInteger(count) || count < 0) throw new FormatError(`readPly: "${shown(line)}" has no count`);
      elements.push({ name: rest[0], count, properties: [] });
    } else if (kind === "property") {
      const list = rest[0] === "list";
      const [countType, type, name] = list ? rest.slice(1) : [undefined, rest[0], rest[1]];
      const known = types.has(type) && (countType === undefined || /int|char|short/.test(countType));
      if (!known || (countType !== undefined && !types.has(countType)) || elements.length === 0) {
        throw new FormatError(`readPly: "${shown(line)}" is no property`);
      }
      elements[elements.length - 1].properties.push({ name, type, ...(countType && { countType }) });
    }
  }
  if (!["ascii", "binary_little_endian", "binary_big_endian"].includes(format)) {
    throw new FormatError(`readPly: the format is "${format}"; it must be ascii or binary`);
  }
  return { format, elements, end: end.index + end[0].length };
}

function shown(line: string): string {
  return line.trim().slice(0, 60);
}

/** The numbers of the data, one after the other. */
interface Source {
  /** The next number of a type. */
  next(type: string): number;
  /** Bytes or words that are left. */
  left(): number;
  /** What a number of a type takes of them. */
  size(type: string): number;
}

function textSource(bytes: Uint8Array, start: number): Source {
  const words = new TextDecoder().decode(bytes.subarray(start)).trim().split(/\s+/);
  let at = 0;
  return {
    next() {
      const value = at < words.length && words[at] !== "" ? Number(words[at++]) : Number.NaN;
      if (!Number.isFinite(value)) throw new FormatError(`readPly: number ${at} of the data is missing or none`);
      return value;
    },
    left: () => words.length - at,
    size: () => 1,
  };
}

function binarySource(bytes: Uint8Array, start: number, littleEndian: boolean): Source {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  const typed = (type: string) => types.get(type) as readonly [Getter, number];
  return {
    next(type) {
      const [getter, size] = typed(type);
      if (at + size > bytes.length) throw new FormatError("readPly: the data are cut short", { offset: at });
      at += size;
      return view[getter](at - size, littleEndian);
    },
    left: () => bytes.length - at,
    size: (type) => typed(type)[1],
  };
}

/** Elements must not be more than the data can hold, each with its numbers and its empty lists. */
function requireElements({ name, count, properties }: Element, data: Source): void {
  const least = properties.reduce((sum, { type, countType }) => sum + data.size(countType ?? type), 0);
  if (count > 0 && (least === 0 || count * least > data.left())) {
    throw new FormatError(
      `readPly: the file has no room for ${count} elements "${shown(name ?? "")}"; it is cut short`,
    );
  }
}

function listOf(data: Source, type: string, countType: string): number[] {
  const length = data.next(countType);
  if (!Number.isInteger(length) || length < 0 || length * data.size(type) > data.left()) {
    throw new FormatError(`readPly: a list says that it has ${length} entries, which are not there`);
  }
  return Array.from({ length }, () => data.next(type));
}

/**
 * Reads a PLY file, text or binary, given as text or bytes: vertices, polygons and, where it is there, the `convex` of each face.
 * @throws FormatError for a damaged file.
 */
export function readPly(file: string | Uint8Array): PolyMesh {
  const bytes = meshBytes("readPly", file);
  const { format, elements, end } = parseHeader(bytes);
  const data =
    format === "ascii" ? textSource(bytes, end) : binarySource(bytes, end, format === "binary_little_endian");
  const vertices: number[] = [];
  const faces: number[][] = [];
  const convexes: number[] = [];
  for (const element of elements) {
    const { name, count, properties } = element;
    requireElements(element, data);
    for (let i = 0; i < count; i++) {
      const row = new Map<string, number | number[]>();
      for (const { name: key, type, countType } of properties) {
        row.set(key, countType === undefined ? data.next(type) : listOf(data, type, countType));
      }
      if (name === "vertex") vertices.push(...["x", "y", "z"].map((axis) => Number(row.get(axis) ?? Number.NaN)));
      if (name !== "face") continue;
      const loop = row.get("vertex_indices") ?? row.get("vertex_index");
      if (!Array.isArray(loop) || loop.length < 3) throw new FormatError(`readPly: face ${i} has no three vertices`);
      const convex = row.get("convex") ?? 0;
      if (typeof convex !== "number" || (convex | 0) !== convex) {
        throw new FormatError(
          `readPly: face ${i} is of convex ${String(convex).slice(0, 20)}, which is no integer of 32 bits`,
        );
      }
      faces.push(loop);
      convexes.push(convex);
    }
  }
  const n = vertices.length / 3;
  if (!vertices.every(Number.isFinite)) throw new FormatError("readPly: a vertex lacks x, y or z, or is not finite");
  faces.forEach((loop, f) => {
    const bad = loop.find((v) => !Number.isInteger(v) || v < 0 || v >= n);
    if (bad !== undefined) throw new FormatError(`readPly: face ${f} names vertex ${bad} of ${n}`);
  });
  return { vertices: Float64Array.from(vertices), faces, convexOfFace: Int32Array.from(convexes) };
}
