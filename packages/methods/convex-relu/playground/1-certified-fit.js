// A curve that is proved best
// Twelve noisy points, a ReLU network trained by convex optimisation, and the proof that no network of any width has a lower objective. Adam starts elsewhere each time and ends above it. Change beta, the points or the number of starts.

import { enumeratePatterns, predict, trainBackprop, trainConvex } from "@offprint/convex-relu";
import { random, tensor } from "@offprint/tensor-core";

const beta = 0.05;
const rng = random.rng(3);
const x = rng.normal([12, 1], { dtype: "float64" });
const noise = rng.normal([12], { dtype: "float64" }).data();
const y = Float64Array.from(x.data(), (value, k) => Math.sin(2 * value) + 0.1 * noise[k]);

const { net, networkObjective, dualBound, gap } = await trainConvex(x, y, {
  loss: "squared",
  beta,
  patterns: enumeratePatterns(x),
  maxIterations: 5000,
});
console.log(
  `objective ${networkObjective.toFixed(6)}, no network below ${dualBound.value.toFixed(6)}: gap ${gap.toExponential(1)}`,
);

const grid = Float64Array.from({ length: 120 }, (_, i) => -2.5 + i / 24);
const curve = (model) => predict(model, tensor(grid, { shape: [120, 1] })).data();
const starts = [];
for (const seed of [0, 1, 2]) {
  const run = await trainBackprop(x, y, { loss: "squared", beta, width: 4, steps: 1500, seed });
  console.log(`Adam, 4 neurons, start ${seed}: ${(run.history.at(-1).objective - networkObjective).toFixed(4)} above`);
  starts.push({ name: `Adam, start ${seed}`, x: grid, y: curve(run.net) });
}

display({
  kind: "line",
  title: "The certified fit and three runs of Adam",
  x: { label: "x" },
  y: { label: "y" },
  curves: [{ name: "samples", x: x.data(), y, style: "points" }, { name: "convex", x: grid, y: curve(net) }, ...starts],
});
