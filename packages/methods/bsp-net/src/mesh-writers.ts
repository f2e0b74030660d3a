import { requireObject } from "@offprint/tensor-core";
import type { PolyMesh } from "./poly-mesh.js";

/** Red, green and blue in 0..255 of a convex: hues a golden section apart, so that the same part has the same colour. */
export function convexColour(convex: number): [number, number, number] {
  const hue = (convex * 0.618034 + 0.58) % 1;
  const channel = (shift: number) => {
    const t = Math.abs(((hue + shift) % 1) * 6 - 3) - 1; // prettier-ignore
    return Math.round(255 * (0.42 + 0.48 * Math.min(1, Math.max(0, t))));
  };
  return [channel(0), channel(2 / 3), channel(1 / 3)];
}

/** A PLY file in text form: float64 vertices, polygons with their convex and its colour. */
export function writePly(mesh: PolyMesh): string {
  requireObject("writePly", "mesh", mesh, "a PolyMesh");
  const { vertices, faces, convexOfFace } = mesh;
  const lines = [
    "ply",
    "format ascii 1.0",
    `element vertex ${vertices.length / 3}`,
    "property double x",
    "property double y",
    "property double z",
    `element face ${faces.length}`,
    "property list uchar int vertex_indices",
    "property int convex",
    "property uchar red",
    "property uchar green",
    "property uchar blue",
    "end_header",
  ];
  for (let v = 0; v < vertices.length; v += 3) lines.push(`${vertices[v]} ${vertices[v + 1]} ${vertices[v + 2]}`);
  faces.forEach((loop, f) => {
    lines.push([loop.length, ...loop, convexOfFace[f], ...convexColour(convexOfFace[f])].join(" "));
  });
  return `${lines.join("\n")}\n`;
}

/** The name of a convex's material. */
const material = (convex: number) => `convex_${convex}`;

/**
 * A Wavefront OBJ file with a material for each convex. `writeMtl` gives the materials.
 * @param library name of the materials' file, to be named in the file. Default none.
 */
export function writeObj(mesh: PolyMesh, library?: string): string {
  requireObject("writeObj", "mesh", mesh, "a PolyMesh");
  const { vertices, faces, convexOfFace } = mesh;
  const lines = library === undefined ? [] : [`mtllib ${library}`];
  for (let v = 0; v < vertices.length; v += 3) lines.push(`v ${vertices[v]} ${vertices[v + 1]} ${vertices[v + 2]}`);
  let current: number | undefined;
  faces.forEach((loop, f) => {
    if (convexOfFace[f] !== current) {
      current = convexOfFace[f];
      lines.push(`usemtl ${material(current)}`);
    }
    lines.push(`f ${loop.map((v) => v + 1).join(" ")}`);
  });
  return `${lines.join("\n")}\n`;
}

/** The materials of `writeObj`: a colour for each convex. */
export function writeMtl(mesh: PolyMesh): string {
  requireObject("writeMtl", "mesh", mesh, "a PolyMesh");
  const convexes = [...new Set(mesh.convexOfFace)].sort((a, b) => a - b);
  return convexes
    .map((convex) => {
      const colour = convexColour(convex).map((c) => (c / 255).toFixed(4));
      return `newmtl ${material(convex)}\nKd ${colour.join(" ")}\n`;
    })
    .join("");
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(text);
}

/**
 * A glTF 2.0 file with its data inside: float32 vertices, triangles, a primitive and a material for each convex. Without
 * normals in the file, viewers shade faces flat.
 */
export function writeGltf(mesh: PolyMesh): string {
  requireObject("writeGltf", "mesh", mesh, "a PolyMesh");
  const convexes = [...new Set(mesh.convexOfFace)];
  const indices = convexes.map((convex) => {
    return mesh.faces.flatMap((loop, f) => {
      if (mesh.convexOfFace[f] !== convex) return [];
      return Array.from({ length: loop.length - 2 }, (_, i) => [loop[0], loop[i + 1], loop[i + 2]]).flat();
    });
  });
  const positions = Float32Array.from(mesh.vertices);
  const total = indices.reduce((n, list) => n + list.length, 0);
  const bytes = new Uint8Array(positions.byteLength + 4 * total);
  bytes.set(new Uint8Array(positions.buffer));
  bytes.set(new Uint8Array(Uint32Array.from(indices.flat()).buffer), positions.byteLength);
  const extent = (pick: (...values: number[]) => number) =>
    [0, 1, 2].map((axis) => positions.reduce((m, x, i) => (i % 3 === axis ? pick(m, x) : m), positions[axis] ?? 0));
  let offset = 0;
  const accessors = indices.map((list) => {
    const accessor = { bufferView: 1, byteOffset: offset, componentType: 5125, count: list.length, type: "SCALAR" };
    offset += 4 * list.length;
    return accessor;
  });
  const vertices = {
    bufferView: 0,
    componentType: 5126,
    count: positions.length / 3,
    type: "VEC3",
    min: extent(Math.min),
    max: extent(Math.max),
  };
  return JSON.stringify({
    asset: { version: "2.0", generator: "@offprint/bsp-net" },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: convexes.map((_, i) => ({ attributes: { POSITION: 0 }, indices: i + 1, material: i })) }],
    materials: convexes.map((convex) => ({
      name: material(convex),
      pbrMetallicRoughness: { baseColorFactor: [...convexColour(convex).map((c) => c / 255), 1], metallicFactor: 0 },
    })),
    accessors: [vertices, ...accessors],
    bufferViews: [
      { buffer: 0, byteOffset: 0, byteLength: positions.byteLength, target: 34962 },
      { buffer: 0, byteOffset: positions.byteLength, byteLength: 4 * total, target: 34963 },
    ],
    buffers: [{ byteLength: bytes.length, uri: `data:application/octet-stream;base64,${base64(bytes)}` }],
  });
}
