import { requireNonNegative } from "@offprint/tensor-core";
import type { ConvexMesh } from "./convex-polyhedron.js";
import { PointGrid } from "./point-grid.js";
import { meshTopology } from "./poly-mesh.js";

type Surface = Pick<ConvexMesh, "vertices" | "faces">;

/**
 * Joins vertices of one convex that are nearer than `distance` in L1, each to the first such one, and drops repeated
 * indices and faces with fewer than three vertices. Where the result is not closed, the mesh stays as it is.
 * @param distance >= 0; the paper's code has 1e-4
 */
export function weld(mesh: Surface, distance: number): Surface {
  requireNonNegative("weld", "distance", distance);
  if (distance === 0) return mesh;
  const { vertices } = mesh;
  const n = vertices.length / 3;
  const grid = new PointGrid(distance);
  const target = new Int32Array(n);
  for (let v = 0; v < n; v++) {
    target[v] = v;
    const place = vertices.subarray(3 * v, 3 * v + 3);
    for (const u of grid.near(place)) {
      let gap = 0;
      for (let axis = 0; axis < 3; axis++) gap += Math.abs(place[axis] - vertices[3 * u + axis]);
      if (gap < distance && u < target[v]) target[v] = u;
    }
    if (target[v] === v) grid.add(place, v);
  }
  const faces = mesh.faces
    .map((loop) => loop.map((v) => target[v]).filter((v, i, all) => v !== all[(i + 1) % all.length]))
    .filter((loop) => loop.length >= 3);
  const used = [...new Set(faces.flat())];
  const number = new Map(used.map((v, i) => [v, i]));
  const welded = {
    vertices: Float64Array.from(used.flatMap((v) => [...vertices.subarray(3 * v, 3 * v + 3)])),
    faces: faces.map((loop) => loop.map((v) => number.get(v) as number)),
  };
  const { closed, euler } = meshTopology(welded);
  return closed && euler === 2 && faces.length >= 4 ? welded : mesh;
}
