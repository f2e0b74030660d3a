// A gradient for each example
// vmap(grad(loss)) in place of a loop: which points pull a fitted line, and how hard.

import { add, at, grad, hessian, linalg, mean, mul, random, square, sub, tensor, vmap } from "@offprint/tensor-core";

const rng = random.rng(3);
const x = rng.uniform([40], { low: -2, high: 2 });
const noise = rng.normal([40], { std: 0.3 });
const y = add(add(mul(1.5, x), 0.5), noise);

const error = (w, x, y) => square(sub(add(mul(at(w, [0]), x), at(w, [1])), y));
const loss = (w) => mean(vmap(error, { inAxes: [null, 0, 0] })(w, x, y));

// Newton's method needs one step for a quadratic loss.
const start = tensor([0, 0]);
const fitted = sub(start, linalg.solve(hessian(loss)(start), grad(loss)(start)));
const [slope, bias] = fitted.toArray();
console.log(`y = ${slope.toFixed(3)} x + ${bias.toFixed(3)}`);

const pull = vmap(grad(error), { inAxes: [null, 0, 0] })(fitted, x, y);
console.log("gradients:", pull.shape, "their mean:", mean(pull, { axis: 0 }));

display({
  kind: "line",
  title: "Points, and the line through them",
  x: { label: "x" },
  y: { label: "y" },
  curves: [
    { name: "data", x: x.data(), y: y.data(), style: "points" },
    { name: "fit", x: [-2, 2], y: [bias - 2 * slope, bias + 2 * slope] },
  ],
});
display({
  kind: "line",
  title: "How hard each point pulls the slope",
  x: { label: "x" },
  y: { label: "gradient" },
  curves: [{ name: "gradient", x: x.data(), y: pull.toArray().map((g) => g[0]), style: "points" }],
});
