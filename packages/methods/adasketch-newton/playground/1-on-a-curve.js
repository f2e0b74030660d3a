// Minimise on a curve
// The way of Newton steps, sketched and judged by an exact penalty, from far away onto a curve and along it to the least value. Change the curve, the objective or where it begins.

import { adaSketchNewton } from "@offprint/adasketch-newton";
import { add, exp, mul, neg, slice, square, sub } from "@offprint/tensor-core";

const parts = (x) => [slice(x, [0]), slice(x, [1])];
const problem = {
  objective: (x) => {
    const [a, b] = parts(x);
    return add(square(sub(a, 1)), sub(mul(0.5, b), mul(2, exp(neg(add(square(sub(a, 1.2)), square(add(b, 1))))))));
  },
  constraints: (x) => {
    const [a, b] = parts(x);
    return sub(add(square(a), mul(2, square(sub(b, mul(0.4, square(a)))))), 3).reshape([1]);
  },
};

const steps = [[-2.2, 2.4]];
const runs = {};
for (const kind of ["kaczmarz", "gaussian", "exact"]) {
  const run = await adaSketchNewton(problem, [-2.2, 2.4], { sketch: { kind }, tolerance: 1e-8 });
  runs[kind] = run;
  console.log(
    `${kind}: ${run.status} after ${run.iterations} iterations at ${run.x.toArray().map((v) => v.toFixed(5))}`,
  );
}
for (let k = 1; k <= runs.kaczmarz.iterations; k++) {
  const { x } = await adaSketchNewton(problem, [-2.2, 2.4], { tolerance: 0, maxIterations: k });
  steps.push(x.toArray());
}

const angles = Array.from({ length: 200 }, (_, k) => (2 * Math.PI * k) / 199);
const curve = angles.map((t) => {
  const a = Math.sqrt(3) * Math.cos(t);
  return [a, Math.sqrt(1.5) * Math.sin(t) + 0.4 * a * a];
});
display({
  kind: "line",
  title: "On the way to the curve c(x) = 0, and along it",
  x: { label: "x1" },
  y: { label: "x2" },
  curves: [
    { name: "c(x) = 0", x: curve.map(([a]) => a), y: curve.map(([, b]) => b) },
    { name: "iterates", x: steps.map(([a]) => a), y: steps.map(([, b]) => b), style: "line-points" },
  ],
});
display({
  kind: "line",
  title: "KKT residual",
  x: { label: "iteration" },
  y: { label: "residual", scale: "log" },
  curves: Object.entries(runs).map(([name, { history }]) => ({
    name,
    x: history.map(({ iteration }) => iteration),
    y: history.map(({ kkt }) => Math.max(kkt, 1e-16)),
    style: "line-points",
  })),
});
