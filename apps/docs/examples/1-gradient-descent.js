// Descend a valley
// Gradient descent, momentum and Adam on Rosenbrock's function, whose minimum is at (1, 1).

import { adam, minimize, sgd } from "@offprint/optim";
import { add, mul, square, sub, tensor } from "@offprint/tensor-core";

const valley = ([x, y]) => add(square(sub(1, x)), mul(100, square(sub(y, square(x)))));

const optimizers = {
  "gradient descent": sgd({ learningRate: 0.001 }),
  momentum: sgd({ learningRate: 0.0005, momentum: 0.9 }),
  Adam: adam({ learningRate: 0.03 }),
};

const curves = [];
const results = {};
for (const [name, optimizer] of Object.entries(optimizers)) {
  const start = [tensor(-1.2), tensor(1)];
  const { params, history } = await minimize(valley, start, optimizer, { steps: 1500 });
  const [x, y] = params.map((p) => p.item().toFixed(3));
  results[name] = { x, y, loss: history.at(-1).loss.toExponential(2) };
  curves.push({ name, y: history.map(({ loss }) => loss) });
}

console.table(results);
display({
  kind: "line",
  title: "Loss on Rosenbrock's valley",
  x: { label: "step" },
  y: { label: "loss", scale: "log" },
  curves,
});
