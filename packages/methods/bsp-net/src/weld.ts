import { requireNonNegative } from "@offprint/tensor-core";
import type { ConvexMesh } from "./convex-polyhedron.js";
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
  const cells = new Map<string, number[]>();
  const target = new Int32Array(n);
  const cell = (v: number, axis: number) => Math.floor(vertices[3 * v + axis] / distance);
  for (let v = 0; v < n; v++) {
    target[v] = v;
    const [i, j, k] = [cell(v, 0), cell(v, 1), cell(v, 2)];
    for (const u of neighbours(cells, i, j, k)) {
      let gap = 0;
      for (let axis = 0; axis < 3; axis++) gap += Math.abs(vertices[3 * v + axis] - vertices[3 * u + axis]);
      if (gap < distance && u < target[v]) target[v] = u;
    }
    if (target[v] !== v) continue;
    const key = `${i},${j},${k}`;
    cells.set(key, [...(cells.get(key) ?? []), v]);
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

function* neighbours(cells: Map<string, number[]>, i: number, j: number, k: number): Generator<number> {
  for (let a = -1; a <= 1; a++) {
    for (let b = -1; b <= 1; b++) {
      for (let c = -1; c <= 1; c++) yield* cells.get(`${i + a},${j + b},${k + c}`) ?? [];
    }
  }
}
