// Is the mesh of a shape of 64 convexes there within a second? How does it grow with the number of planes, and how does
// one intersection compare with qhull?
import { compare, python } from "@offprint/bench";
import { random } from "@offprint/tensor-core";
import { type BspShape, extractMesh, intersectHalfspaces } from "../src/index.js";

const qhull = python(new URL("torch_peers.py", import.meta.url));

/** Convexes of tangent planes around random centres. */
function shapeOf(convexes: number, planes: number): BspShape {
  const rng = random.rng(0);
  return {
    dim: 3,
    unconnected: [],
    convexes: Array.from({ length: convexes }, (_, index) => {
      const n = rng.sphere([planes, 3], { dtype: "float64" }).data();
      const centre = rng.uniform([3], { low: -0.3, high: 0.3, dtype: "float64" }).data();
      const rows = Array.from({ length: planes }, (_, j) => {
        const normal = [...n.subarray(3 * j, 3 * j + 3)];
        return [...normal, -0.2 - normal.reduce((sum, x, k) => sum + x * centre[k], 0)];
      });
      return { index, planes: Float64Array.from(rows.flat()) };
    }),
  };
}

export async function run() {
  for (const planes of [10, 20, 40, 80]) {
    const shape = shapeOf(64, planes);
    await compare({
      name: `intersections of 64 convexes, ${planes} planes each`,
      ours: () => shape.convexes.map((convex) => intersectHalfspaces(convex.planes)),
      peers: {
        qhull: qhull.peer(
          "intersections",
          shape.convexes.map((convex) => [...convex.planes]),
        ),
      },
      repetitions: 7,
    });
  }
  for (const convexes of [8, 64]) {
    const shape = shapeOf(convexes, 20);
    await compare({
      name: `mesh of ${convexes} convexes of 20 planes, 64^3 cells`,
      ours: () => extractMesh(shape),
      peers: {},
      maxSeconds: 1,
      repetitions: 5,
    });
  }
  const shape = shapeOf(64, 20);
  await compare({
    name: "one mesh of the union of these 64 convexes",
    ours: () => extractMesh(shape, { union: true }),
    peers: {},
    maxSeconds: 1.5,
    repetitions: 3,
  });
}
