import { FormatError, requireObject } from "@offprint/tensor-core";
import { meshBytes, meshText } from "./mesh-file.js";
import { readPly } from "./ply-reader.js";
import type { PolyMesh } from "./poly-mesh.js";

/** Checks indices and packs a mesh that was read. */
function packed(name: string, vertices: number[], faces: number[][], convexes: number[]): PolyMesh {
  const n = vertices.length / 3;
  faces.forEach((loop, f) => {
    const bad = loop.find((v) => !Number.isInteger(v) || v < 0 || v >= n);
    if (bad !== undefined) throw new FormatError(`${name}: face ${f} names vertex ${bad} of ${n}`);
  });
  return { vertices: Float64Array.from(vertices), faces, convexOfFace: Int32Array.from(convexes) };
}

/**
 * Reads a Wavefront OBJ file, given as text or bytes: vertices and polygons. Materials `convex_3`, as `writeObj` names them, tell the convex of
 * a face; other materials are numbered in the order in which they come.
 * @throws FormatError, with the line in `offset`, for numbers and indices that are none.
 */
export function readObj(file: string | Uint8Array): PolyMesh {
  const text = meshText("readObj", file);
  const vertices: number[] = [];
  const faces: number[][] = [];
  const convexes: number[] = [];
  const numbers = new Map<string, number>();
  let convex = 0;
  text.split("\n").forEach((line, i) => {
    const [kind, ...rest] = line.trim().split(/\s+/);
    const fail = (what: string) => new FormatError(`readObj: line ${i + 1}: ${what}`, { offset: i + 1 });
    if (kind === "v") {
      const point = rest.slice(0, 3).map(Number);
      if (point.length < 3 || !point.every(Number.isFinite)) throw fail(`"${line.trim().slice(0, 60)}" is no vertex`);
      vertices.push(...point);
    } else if (kind === "f") {
      const loop = rest.map((corner) => {
        const index = Number(corner.split("/")[0]);
        return index < 0 ? vertices.length / 3 + index : index - 1;
      });
      if (loop.length < 3 || !loop.every(Number.isInteger)) throw fail(`"${line.trim().slice(0, 60)}" is no face`);
      faces.push(loop);
      convexes.push(convex);
    } else if (kind === "usemtl") {
      const name = rest.join(" ");
      const own = /^convex_(\d{1,9})$/.exec(name);
      if (!numbers.has(name)) numbers.set(name, own === null ? numbers.size : Number(own[1]));
      convex = numbers.get(name) as number;
    }
  });
  return packed("readObj", vertices, faces, convexes);
}

/** Joins vertices with equal coordinates, as formats without shared vertices need. */
function withSharedVertices(corners: readonly number[]): PolyMesh {
  const bad = corners.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new FormatError(`readStl: triangle ${Math.floor(bad / 9)} has a corner that is not finite`);
  const numbers = new Map<string, number>();
  const vertices: number[] = [];
  const faces: number[][] = [];
  for (let i = 0; i < corners.length; i += 9) {
    faces.push(
      [0, 3, 6].map((c) => {
        const point = corners.slice(i + c, i + c + 3);
        const key = point.join();
        if (!numbers.has(key)) {
          numbers.set(key, numbers.size);
          vertices.push(...point);
        }
        return numbers.get(key) as number;
      }),
    );
  }
  return packed("readStl", vertices, faces, new Array(faces.length).fill(0));
}

/**
 * Reads an STL file, binary or text.
 * @throws FormatError for a file cut short, or corners that are not finite.
 */
export function readStl(file: string | Uint8Array): PolyMesh {
  const bytes = meshBytes("readStl", file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length >= 84 ? view.getUint32(80, true) : -1;
  if (bytes.length === 84 + 50 * count) {
    const corners: number[] = [];
    for (let t = 0; t < count; t++) {
      for (let i = 3; i < 12; i++) corners.push(view.getFloat32(84 + 50 * t + 4 * i, true));
    }
    return withSharedVertices(corners);
  }
  const text = new TextDecoder().decode(bytes);
  if (!/^\s*solid\b/.test(text)) {
    throw new FormatError(`readStl: ${bytes.length} bytes are neither text nor ${Math.max(0, count)} binary triangles`);
  }
  const corners = [...text.matchAll(/^[ \t]*vertex[ \t]+(\S.*)$/gm)].flatMap(([, rest]) =>
    rest.trim().split(/\s+/).map(Number),
  );
  if (corners.length % 9 !== 0 || !corners.every(Number.isFinite) || !text.includes("endsolid")) {
    throw new FormatError("readStl: the text is cut short, or holds vertices that are no numbers");
  }
  return withSharedVertices(corners);
}

/**
 * Reads a mesh by the ending of its file's name: obj, ply or stl.
 * @throws FormatError for another ending, or a damaged file.
 */
export function readMesh(name: string, bytes: Uint8Array): PolyMesh {
  requireObject("readMesh", "bytes", bytes, "a Uint8Array");
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  if (ending === "obj") return readObj(bytes);
  if (ending === "ply") return readPly(bytes);
  if (ending === "stl") return readStl(bytes);
  throw new FormatError(`readMesh: ${name} ends in .${ending}; meshes are read from .obj, .ply and .stl`);
}
