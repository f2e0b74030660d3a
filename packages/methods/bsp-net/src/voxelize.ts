import { requireInteger, ValueError } from "@offprint/tensor-core";
import { forEachTriangle, meshTopology, type PolyMesh } from "./poly-mesh.js";
import type { VoxelGrid } from "./voxels.js";

/** Rays leave a cell's centre by so much of a cell, so that they don't run along edges of shapes on the grid. */
const SHIFT = [1.37e-5, 2.93e-5];

/**
 * Moves and scales a mesh so that its box is centred in [-1/2, 1/2]^3.
 * @param size longest side of the box afterwards, in (0, 1]. Default 0.9.
 */
export function fitIntoUnitCube(mesh: PolyMesh, size = 0.9): PolyMesh {
  if (!(size > 0 && size <= 1)) throw new ValueError(`fitIntoUnitCube: size is ${size}; it must be in (0, 1]`);
  if (mesh.vertices.length === 0) throw new ValueError("fitIntoUnitCube: the mesh has no vertices");
  const along = [0, 1, 2].map((axis) => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = axis; i < mesh.vertices.length; i += 3) {
      low = Math.min(low, mesh.vertices[i]);
      high = Math.max(high, mesh.vertices[i]);
    }
    return [low, high];
  });
  const longest = Math.max(...along.map(([low, high]) => high - low));
  if (!(longest > 0 && longest < Infinity)) throw new ValueError("fitIntoUnitCube: the mesh has no finite extent");
  const vertices = mesh.vertices.map((x, i) => ((x - (along[i % 3][0] + along[i % 3][1]) / 2) * size) / longest);
  return { ...mesh, vertices };
}

/**
 * Cells whose centres are inside a closed mesh: where a ray along z crosses it an odd number of times on its way. Parts
 * of a mesh that overlap count as a union where each is closed and they are told apart by `convexOfFace`.
 * @param mesh in [-1/2, 1/2]^3 (see `fitIntoUnitCube`)
 * @param resolution cells per axis. Default 64.
 * @throws ValueError for a mesh that is not closed.
 */
export function voxelize(mesh: PolyMesh, resolution = 64): VoxelGrid {
  requireInteger("voxelize", "resolution", resolution, 1);
  if (!meshTopology(mesh).closed) {
    throw new ValueError(
      "voxelize: the mesh is not closed: an edge has no face, or faces facing the same way, beside it",
    );
  }
  const r = resolution;
  const cells = new Uint8Array(r ** 3);
  const { vertices: p } = mesh;
  const crossings = new Map<number, { convex: number; z: number }[]>();
  const cellOf = (x: number) => (x + 0.5) * r - 0.5;
  forEachTriangle(mesh, (a, b, c, face) => {
    const xs = [a, b, c].map((v) => cellOf(p[3 * v]));
    const ys = [a, b, c].map((v) => cellOf(p[3 * v + 1]));
    const area = (xs[1] - xs[0]) * (ys[2] - ys[0]) - (xs[2] - xs[0]) * (ys[1] - ys[0]);
    if (area === 0) return;
    const range = (values: number[]) => [
      Math.max(0, Math.floor(Math.min(...values))),
      Math.min(r - 1, Math.ceil(Math.max(...values))),
    ];
    const [iFrom, iTo] = range(xs);
    const [jFrom, jTo] = range(ys);
    for (let i = iFrom; i <= iTo; i++) {
      for (let j = jFrom; j <= jTo; j++) {
        const [x, y] = [i + SHIFT[0], j + SHIFT[1]];
        const weight = (u: number, v: number) => ((xs[u] - x) * (ys[v] - y) - (xs[v] - x) * (ys[u] - y)) / area;
        const [wa, wb] = [weight(1, 2), weight(2, 0)];
        if (wa < 0 || wb < 0 || wa + wb > 1) continue;
        const z = cellOf(wa * p[3 * a + 2] + wb * p[3 * b + 2] + (1 - wa - wb) * p[3 * c + 2]);
        const key = i * r + j;
        crossings.set(key, [...(crossings.get(key) ?? []), { convex: mesh.convexOfFace[face], z }]);
      }
    }
  });
  for (const [column, hits] of crossings) fillColumn(cells, column * r, r, hits);
  return { resolution, cells };
}

/** Fills the cells between crossings of each convex, two by two. */
function fillColumn(cells: Uint8Array, start: number, r: number, hits: readonly { convex: number; z: number }[]): void {
  const byConvex = new Map<number, number[]>();
  for (const { convex, z } of hits) byConvex.set(convex, [...(byConvex.get(convex) ?? []), z]);
  for (const heights of byConvex.values()) {
    heights.sort((a, b) => a - b);
    for (let h = 0; h + 1 < heights.length; h += 2) {
      const from = Math.max(0, Math.ceil(heights[h]));
      const to = Math.min(r, Math.ceil(heights[h + 1]));
      if (from < to) cells.fill(1, start + from, start + to);
    }
  }
}
