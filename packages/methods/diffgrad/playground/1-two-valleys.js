// Brake before running over a minimum
// The paper's first function has its global minimum at -0.3 and a worse one at 0.2. Adam runs over the first; diffGrad, whose step is braked where the gradient changes little, stays. Change the step, the start or the friction.

import { diffGrad } from "@offprint/diffgrad";
import { adam, minimize } from "@offprint/optim";
import { add, lessEqual, square, sub, tensor, where } from "@offprint/tensor-core";

const valleys = (x) => where(lessEqual(x, 0), square(add(x, 0.3)), add(square(sub(x, 0.2)), 0.05));

const optimizers = {
  Adam: adam({ learningRate: 0.1 }),
  diffGrad: diffGrad({ learningRate: 0.1 }),
  "diffGrad, wide friction": diffGrad({ learningRate: 0.1, friction: "wide" }),
};
const curves = [];
for (const [name, optimizer] of Object.entries(optimizers)) {
  const start = tensor(-1, { dtype: "float64" });
  const { params, history } = await minimize(valleys, start, optimizer, {
    steps: 200,
    evaluate: (x) => ({ x: x.item() }),
  });
  console.log(`${name} ends at ${params.item().toFixed(3)}`);
  curves.push({ name, y: history.map(({ evaluation }) => evaluation.x) });
}

display({
  kind: "line",
  title: "Two valleys: where Adam and diffGrad go",
  x: { label: "update" },
  y: { label: "x" },
  curves,
  references: [{ value: -0.3, label: "global minimum" }],
});
