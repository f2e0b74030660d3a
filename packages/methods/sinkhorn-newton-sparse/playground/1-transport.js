// Move one cloud of points onto another
// The exact regularised plan between two clouds, and the errors on the way to it: Sinkhorn crawls where Newton steps jump. Change eta, the number of points or the metric.

import { costMatrix, sinkhorn, sinkhornNewtonSparse } from "@offprint/sinkhorn-newton-sparse";
import { random } from "@offprint/tensor-core";

const eta = 800;
const [first, second] = random.rng(3).split(2);
const source = first.normal([80, 2], { std: 0.12, dtype: "float64" }).add(0.3);
const target = second.uniform([100, 2], { dtype: "float64" });
const cost = costMatrix(source, target, "sqeuclidean");

const exact = await sinkhornNewtonSparse({ cost }, { eta });
const slow = await sinkhorn({ cost }, { eta, maxIterations: 300, tolerance: 1e-13 });
console.log(`cost ${exact.cost.toFixed(8)}, marginal error ${exact.marginalError.toExponential(1)}`);
console.log(`${exact.history.length} iterations; Sinkhorn after 300: ${slow.marginalError.toExponential(1)}`);

const errors = (result) => result.history.map((record) => record.marginalError);
display({
  kind: "line",
  title: "Marginal error",
  x: { label: "iteration", scale: "log" },
  y: { label: "error", scale: "log" },
  curves: [
    { name: "Sinkhorn-Newton-sparse", x: errors(exact).map((_, k) => k + 1), y: errors(exact) },
    { name: "Sinkhorn", x: errors(slow).map((_, k) => k + 1), y: errors(slow) },
  ],
});

const column = (points, k) => points.toArray().map((point) => point[k]);
const places = target.toArray();
const shares = exact.plan.toArray();
const moved = shares.map((row) => {
  const mass = row.reduce((a, b) => a + b, 0);
  return [0, 1].map((k) => row.reduce((sum, share, j) => sum + share * places[j][k], 0) / mass);
});
display({
  kind: "line",
  title: "Where the points go, on average",
  x: { label: "first coordinate" },
  y: { label: "second coordinate" },
  curves: [
    { name: "source", x: column(source, 0), y: column(source, 1), style: "points" },
    { name: "target", x: column(target, 0), y: column(target, 1), style: "points" },
    { name: "source, moved", x: moved.map(([s]) => s), y: moved.map(([, t]) => t), style: "points" },
  ],
});
