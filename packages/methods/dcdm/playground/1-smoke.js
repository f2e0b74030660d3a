// Smoke past an obstacle, its pressure along directions of a network
// Every frame solves a Poisson system on a grid with a solid disc. The network was trained on an empty box of 32 x 32 cells and never
// sees the matrix. Change `size` (even), the disc, or `frames`.
import { dcdm, directionsBy, macGrid, plumeStep, shippedNetwork, stillPlume } from "@offprint/dcdm";
import { conjugateGradientsSync } from "@offprint/solvers";

const [size, frames] = [48, 40];
const box = macGrid([size, size], ([i, j]) => (i / size - 0.5) ** 2 + (j / size - 0.55) ** 2 < 0.12 ** 2);
const source = Float64Array.from({ length: size * size }, (_, cell) => {
  const [i, j] = [Math.floor(cell / size) / size, (cell % size) / size];
  return i > 0.04 && i < 0.12 && j > 0.4 && j < 0.6 ? 1 : 0;
});
const { network, params } = await shippedNetwork();
const map = directionsBy(network, params, [size, size]);

let plume = stillPlume(box);
const counts = [[], []];
for (let frame = 0; frame < frames; frame++) {
  plume = await plumeStep(box, plume, source, async (a, b) => {
    const { x, iterations } = await dcdm(a, b, map, { tolerance: 1e-4, onStagnation: "residual" });
    counts[0].push(iterations);
    counts[1].push(conjugateGradientsSync(a, b, { tolerance: 1e-4 }).iterations);
    return x;
  });
}
const mean = (values) => (values.reduce((a, b) => a + b, 0) / values.length).toFixed(1);
console.log(`iterations a frame: ${mean(counts[0])} with the network, ${mean(counts[1])} of conjugate gradients`);

const rows = Array.from({ length: size }, (_, i) =>
  Array.from({ length: size }, (_, j) => {
    const cell = (size - 1 - i) * size + j;
    return box.solid[cell] ? null : plume.density[cell];
  }),
);
display({
  kind: "heat-map",
  title: `Smoke after ${frames} frames`,
  x: { label: "across", range: [0, size] },
  y: { label: "height", range: [0, size] },
  value: { label: "density" },
  values: rows,
});
display({
  kind: "line",
  title: "Iterations of a frame's pressure, to 1e-4",
  x: { label: "frame" },
  y: { label: "iterations" },
  curves: [
    { name: "with the network", y: counts[0] },
    { name: "conjugate gradients", y: counts[1] },
  ],
});
