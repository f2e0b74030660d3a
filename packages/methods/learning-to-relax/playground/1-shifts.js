// Learn omega while solving
// A grid's Laplacian with a shift that changes from system to system. Without being told the shift, Tsallis-INF approaches the best fixed omega; told it, ChebCB learns which omega suits which shift. Change the shifts, the grid of omegas or the number of systems.

import { ChebCB, FixedSetting, omegaGrid, solveSequence, TsallisInf } from "@offprint/learning-to-relax";
import { random, sparse } from "@offprint/tensor-core";

const side = 10;
const beside = new Float64Array(side - 1).fill(-1);
const line = sparse.add(
  sparse.diagonal(new Float64Array(side).fill(2)),
  sparse.add(sparse.diagonal(beside, 1), sparse.diagonal(beside, -1)),
);
const eye = sparse.identity(side);
const A = sparse.add(sparse.kron(line, eye), sparse.kron(eye, line));

const rng = random.rng(0);
const shifts = rng.beta([1500], { alpha: 0.5, beta: 1.5, dtype: "float64" }).data();
const systems = Array.from(shifts, (u) => {
  const shift = 0.6 * u - 0.15;
  return { A, b: rng.normal([side * side], { dtype: "float64" }), shift, context: shift };
});

const settings = omegaGrid();
const policies = {
  "omega = 1.8": new FixedSetting(1.8),
  "Tsallis-INF": new TsallisInf({ settings, seed: 1 }),
  ChebCB: new ChebCB({ settings, range: [-0.15, 0.45], seed: 1 }),
};

const window = 100;
const curves = [];
for (const [name, policy] of Object.entries(policies)) {
  const { counts: iterations, totalIterations } = await solveSequence(systems, policy);
  console.log(`${name}: ${totalIterations} sweeps`);
  const means = Array.from({ length: iterations.length / window }, (_, k) => {
    const part = iterations.slice(k * window, (k + 1) * window);
    return part.reduce((sum, count) => sum + count, 0) / window;
  });
  curves.push({ name, x: means.map((_, k) => (k + 1) * window), y: means });
}

display({
  kind: "line",
  title: "Sweeps per system, means of 100",
  x: { label: "system" },
  y: { label: "sweeps" },
  curves,
});
