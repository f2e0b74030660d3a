// Cross barriers without a gradient
// A swarm on a winding, bumpy canyon: its consensus reaches the global minimum at the origin, where gradient descent stops in the first well on the way. Change the noise, the weight or the start.

import { cbo, gradientDescent } from "@offprint/cbo";

function canyon(v) {
  const [x, y] = v;
  const wall = y - (((x - 1) * (x - 4) ** 2) / 8 + 2);
  const blocked = -x - 1.6 * y;
  const bumps = 1.1625 * (2 - Math.cos(0.75 * Math.PI * x) - Math.cos(0.75 * Math.PI * y));
  const gate = blocked > 0 ? 4 * Math.exp(1 - 2 * wall ** 4) * (1 - Math.exp(-9 * blocked ** 2)) : 0;
  return 25 * (1 - Math.exp(-1.4 * wall ** 2 * Math.exp(-0.002 * x ** 4))) + 0.4 * x * x + 0.2 * y * y + bumps + gate;
}

const problem = { objective: { perParticle: canyon }, dimension: 2 };
const swarm = await cbo(problem, { mean: 8, std: 0.5, sigma: 1.6, alpha: 100, maxIterations: 250, seed: 1 });
const descent = await gradientDescent(problem, { initial: [8, 8], dt: 1e-3, maxIterations: 10_000 });
console.log(`swarm: ${swarm.objective.toFixed(4)} at ${swarm.x}`);
console.log(`gradient descent: ${descent.objective.toFixed(4)} at ${descent.x}`);

const column = (path, j) => path.toArray().map((point) => point[j]);
display({
  kind: "line",
  title: "Two ways down the canyon",
  x: { label: "x" },
  y: { label: "y" },
  curves: [
    { name: "consensus of the swarm", x: column(swarm.path, 0), y: column(swarm.path, 1) },
    { name: "gradient descent", x: column(descent.path, 0), y: column(descent.path, 1) },
  ],
});
