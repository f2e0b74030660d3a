import { requireObject, ShapeError } from "@offprint/tensor-core";

/** A polygonal mesh: convexes one after the other, each closed and with vertices of its own, or the one surface of their union. */
export interface PolyMesh {
  /** `[3 vertices]` coordinates. */
  readonly vertices: Float64Array;
  /** Vertices of each face, counter-clockwise as seen from outside; faces are convex and plane. */
  readonly faces: readonly (readonly number[])[];
  /** Number of the convex that each face belongs to. */
  readonly convexOfFace: Int32Array;
}

/** Figures of `meshTopology`. */
export interface MeshTopology {
  /** Number of vertices that faces use. */
  readonly vertices: number;
  /** Number of edges. */
  readonly edges: number;
  /** Number of faces. */
  readonly faces: number;
  /** V - E + F: 2 for a sphere, 2 k for k of them. */
  readonly euler: number;
  /** Whether every edge has exactly one face on either side, in opposite directions. */
  readonly closed: boolean;
}

/** Corners of a face of the fan of triangles, from 0: calls `visit` with three vertices for each triangle. */
export function forEachTriangle(
  mesh: Pick<PolyMesh, "faces">,
  visit: (a: number, b: number, c: number, face: number) => void,
) {
  mesh.faces.forEach((loop, face) => {
    for (let i = 1; i + 1 < loop.length; i++) visit(loop[0], loop[i], loop[i + 1], face);
  });
}

/** Volume inside a closed mesh, by the divergence theorem; negative where faces look inward. */
export function meshVolume(mesh: Pick<PolyMesh, "vertices" | "faces">): number {
  requireObject("meshVolume", "mesh", mesh, "{ vertices, faces }");
  const p = mesh.vertices;
  let six = 0;
  forEachTriangle(mesh, (u, v, w) => {
    const [a, b, c] = [3 * u, 3 * v, 3 * w];
    six +=
      p[a] * (p[b + 1] * p[c + 2] - p[b + 2] * p[c + 1]) +
      p[a + 1] * (p[b + 2] * p[c] - p[b] * p[c + 2]) +
      p[a + 2] * (p[b] * p[c + 1] - p[b + 1] * p[c]);
  });
  return six / 6;
}

/** Twice the area of a triangle times its unit normal. */
export function triangleNormal(p: ArrayLike<number>, a: number, b: number, c: number): [number, number, number] {
  const [ux, uy, uz] = [p[3 * b] - p[3 * a], p[3 * b + 1] - p[3 * a + 1], p[3 * b + 2] - p[3 * a + 2]];
  const [vx, vy, vz] = [p[3 * c] - p[3 * a], p[3 * c + 1] - p[3 * a + 1], p[3 * c + 2] - p[3 * a + 2]];
  return [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
}

/** Area of the faces, interior ones included. */
export function meshArea(mesh: Pick<PolyMesh, "vertices" | "faces">): number {
  requireObject("meshArea", "mesh", mesh, "{ vertices, faces }");
  let area = 0;
  forEachTriangle(mesh, (a, b, c) => {
    area += Math.hypot(...triangleNormal(mesh.vertices, a, b, c)) / 2;
  });
  return area;
}

/** Counts vertices, edges and faces, and tells whether the surface is closed. */
export function meshTopology(mesh: Pick<PolyMesh, "vertices" | "faces">): MeshTopology {
  requireObject("meshTopology", "mesh", mesh, "{ vertices, faces }");
  const n = mesh.vertices.length / 3;
  const directed = new Set<number>();
  const used = new Set<number>();
  let repeated = false;
  for (const loop of mesh.faces) {
    loop.forEach((a, i) => {
      const key = a * n + loop[(i + 1) % loop.length];
      repeated ||= directed.has(key);
      directed.add(key);
      used.add(a);
    });
  }
  let partnerless = 0;
  for (const key of directed) if (!directed.has((key % n) * n + Math.floor(key / n))) partnerless++;
  const edges = (directed.size + partnerless) / 2;
  const faces = mesh.faces.length;
  return {
    vertices: used.size,
    edges,
    faces,
    euler: used.size - edges + faces,
    closed: faces > 0 && !repeated && partnerless === 0,
  };
}

/** Puts meshes side by side, vertices unshared. */
export function joinMeshes(parts: readonly { mesh: Pick<PolyMesh, "vertices" | "faces">; convex: number }[]): PolyMesh {
  const vertices = new Float64Array(parts.reduce((total, { mesh }) => total + mesh.vertices.length, 0));
  const faces: number[][] = [];
  const convexOfFace: number[] = [];
  let offset = 0;
  for (const { mesh, convex } of parts) {
    vertices.set(mesh.vertices, 3 * offset);
    for (const loop of mesh.faces) {
      faces.push(loop.map((v) => v + offset));
      convexOfFace.push(convex);
    }
    offset += mesh.vertices.length / 3;
  }
  return { vertices, faces, convexOfFace: Int32Array.from(convexOfFace) };
}

/** The mesh of each convex, by number, in the order of their first faces. */
export function convexParts(mesh: PolyMesh): Map<number, PolyMesh> {
  requireObject("convexParts", "mesh", mesh, "a PolyMesh");
  if (mesh.convexOfFace.length !== mesh.faces.length) {
    throw new ShapeError(`convexParts: ${mesh.convexOfFace.length} convex numbers for ${mesh.faces.length} faces`);
  }
  const facesOf = new Map<number, number[][]>();
  mesh.faces.forEach((loop, f) => {
    const convex = mesh.convexOfFace[f];
    facesOf.set(convex, [...(facesOf.get(convex) ?? []), [...loop]]);
  });
  return new Map(
    [...facesOf].map(([convex, faces]) => {
      const numbers = new Map([...new Set(faces.flat())].map((v, i) => [v, i]));
      const vertices = new Float64Array(3 * numbers.size);
      for (const [v, i] of numbers) vertices.set(mesh.vertices.subarray(3 * v, 3 * v + 3), 3 * i);
      const renumbered = faces.map((loop) => loop.map((v) => numbers.get(v) as number));
      return [convex, { vertices, faces: renumbered, convexOfFace: new Int32Array(faces.length).fill(convex) }];
    }),
  );
}
