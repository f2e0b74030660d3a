// A mesh without a network
// Fit a few convexes to a table given by an inside test, and see its exact mesh. Change the shape, the number of convexes or their planes.

import { contains, extractMesh, fitShape, projectMesh } from "@offprint/bsp-net";

const boxes = [
  [0.7, 0.08, 0.5, 0, 0.2, 0],
  [0.08, 0.5, 0.08, 0.28, -0.08, 0.18],
  [0.08, 0.5, 0.08, -0.28, -0.08, 0.18],
  [0.08, 0.5, 0.08, 0.28, -0.08, -0.18],
  [0.08, 0.5, 0.08, -0.28, -0.08, -0.18],
];
const table = (points) =>
  Uint8Array.from({ length: points.length / 3 }, (_, i) => {
    const [x, y, z] = points.subarray(3 * i, 3 * i + 3);
    const inside = ([w, h, d, cx, cy, cz]) =>
      Math.abs(x - cx) < w / 2 && Math.abs(y - cy) < h / 2 && Math.abs(z - cz) < d / 2;
    return boxes.some(inside) ? 1 : 0;
  });

const { shape, history } = await fitShape(table, { convexes: 12, planesPerConvex: 10, steps: 1000, poolSize: 300_000 });
const mesh = extractMesh(shape);
console.log(
  `${new Set(mesh.convexOfFace).size} convexes, ${mesh.vertices.length / 3} vertices, ${mesh.faces.length} faces`,
);
console.log(`the middle of the top is ${contains(shape, Float64Array.of(0, 0.2, 0))[0] ? "inside" : "outside"}`);

display({
  kind: "polygons",
  title: "The mesh, a colour for each convex",
  columns: 1,
  drawings: [{ polygons: projectMesh(mesh).map(({ points, convex, shade }) => ({ points, colour: convex, shade })) }],
});
display({
  kind: "line",
  title: "Loss of the fit",
  x: { label: "step" },
  y: { label: "loss", scale: "log" },
  curves: [{ name: "loss", y: history.map(({ loss }) => loss) }],
});
