import { FormatError } from "@offprint/tensor-core";
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

const types: Readonly<Record<string, readonly [Getter, number]>> = {
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
};

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
    else if (kind === "element") elements.push({ name: rest[0], count: Number(rest[1]), properties: [] });
    else if (kind === "property") {
      const list = rest[0] === "list";
      const [countType, type, name] = list ? rest.slice(1) : [undefined, rest[0], rest[1]];
      const known = type in types && (countType === undefined || countType in types);
      if (!known || elements.length === 0) throw new FormatError(`readPly: "${line.trim()}" is no property`);
      elements[elements.length - 1].properties.push({ name, type, ...(countType && { countType }) });
    }
  }
  if (!["ascii", "binary_little_endian", "binary_big_endian"].includes(format)) {
    throw new FormatError(`readPly: the format is "${format}"; it must be ascii or binary`);
  }
  return { format, elements, end: end.index + end[0].length };
}

/** Gives the next number of a type. */
type Source = (type: string) => number;

function textSource(bytes: Uint8Array, start: number): Source {
  const words = new TextDecoder().decode(bytes.subarray(start)).trim().split(/\s+/);
  let next = 0;
  return () => {
    const value = next < words.length && words[next] !== "" ? Number(words[next++]) : Number.NaN;
    if (!Number.isFinite(value)) throw new FormatError(`readPly: number ${next} of the data is missing or none`);
    return value;
  };
}

function binarySource(bytes: Uint8Array, start: number, littleEndian: boolean): Source {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  return (type) => {
    const [getter, size] = types[type];
    if (at + size > bytes.length) throw new FormatError("readPly: the data are cut short", { offset: at });
    const value = view[getter](at, littleEndian);
    at += size;
    return value;
  };
}

/**
 * Reads a PLY file, text or binary: vertices, polygons and, where it is there, the `convex` of each face.
 * @throws FormatError for a damaged file.
 */
export function readPly(bytes: Uint8Array): PolyMesh {
  const { format, elements, end } = parseHeader(bytes);
  const next =
    format === "ascii" ? textSource(bytes, end) : binarySource(bytes, end, format === "binary_little_endian");
  const vertices: number[] = [];
  const faces: number[][] = [];
  const convexes: number[] = [];
  for (const { name, count, properties } of elements) {
    for (let i = 0; i < count; i++) {
      const row: Record<string, number | number[]> = {};
      for (const { name: key, type, countType } of properties) {
        row[key] = countType === undefined ? next(type) : Array.from({ length: next(countType) }, () => next(type));
      }
      if (name === "vertex") vertices.push(Number(row.x), Number(row.y), Number(row.z));
      if (name !== "face") continue;
      const loop = row.vertex_indices ?? row.vertex_index;
      if (!Array.isArray(loop) || loop.length < 3) throw new FormatError(`readPly: face ${i} has no three vertices`);
      faces.push(loop);
      convexes.push(typeof row.convex === "number" ? row.convex : 0);
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
