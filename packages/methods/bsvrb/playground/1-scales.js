// Twenty models at once find the wrong labels
// Twenty linear models, each with a scale of its own for its loss, learn from the same weighted points; a quarter of the labels are wrong. BSVRB samples four of the models in each iteration, and still all twenty move. Change how many it samples, or the share of wrong labels.

import { bsvrb, multiScaleLogistic } from "@offprint/bsvrb";
import { random } from "@offprint/tensor-core";

const rng = random.rng(3);
const cloud = (n) => Array.from({ length: n }, () => [...rng.normal([2], { dtype: "float64" }).data()]);
const labelOf = ([a, b]) => (a + b > 0 ? 1 : -1);
const [points, trusted] = [cloud(150), cloud(60)];
const wrong = points.map(() => rng.uniform([]).item() < 0.25);
const problem = multiScaleLogistic(
  {
    train: { inputs: points, labels: points.map((p, i) => (wrong[i] ? -labelOf(p) : labelOf(p))) },
    validation: { inputs: trusted, labels: trusted.map(labelOf) },
  },
  { scales: Array.from({ length: 20 }, (_, i) => 1 + i / 4) },
);

const { x, history, counts } = await bsvrb(problem, {
  sampledBlocks: 4,
  stepSize: 40,
  lowerStepSize: 0.2,
  alpha: 0.3,
  maxIterations: 1500,
});
const weights = [...x.data()].map((v) => 1 / (1 + Math.exp(-v)));
const light = (bad) => weights.filter((w, i) => w < 0.5 && wrong[i] === bad).length;
console.log(
  `${light(true)} of ${wrong.filter(Boolean).length} wrong labels and ${light(false)} right ones have a weight below one half`,
);
console.log(`${history.length} iterations; ${counts.gradYG} gradients of single models`);

const pick = (bad, values) => values.filter((_, i) => wrong[i] === bad);
const distance = points.map(([a, b]) => (a + b) / Math.SQRT2);
display(
  {
    kind: "line",
    title: "The weight of every training point",
    x: { label: "distance from the true boundary" },
    y: { label: "weight", range: [0, 1] },
    curves: [
      { name: "right label", x: pick(false, distance), y: pick(false, weights), style: "points" },
      { name: "wrong label", x: pick(true, distance), y: pick(true, weights), style: "points" },
    ],
  },
  "picture",
);
