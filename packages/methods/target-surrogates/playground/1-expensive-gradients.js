// When gradients are expensive
// A logistic regression on 569 breast masses, whose features have very different scales. Each call of the oracle is taken to be expensive: how far is the loss from the best one after as many calls? Change the number of inner steps m, the step size eta, or the learning rates.

import { breastCancer } from "@offprint/datasets";
import { baselines, linearModel, losses, majorizeMinimize } from "@offprint/target-surrogates";
import { tensor } from "@offprint/tensor-core";

const { inputs, targets } = breastCancer();
const [n, d] = inputs.shape;
const from = inputs.data();
const largest = Float64Array.from({ length: d }, (_, j) => Math.max(...from.filter((_, k) => k % d === j)));
const x = tensor(
  Float64Array.from({ length: n * (d + 1) }, (_, k) => {
    const [i, j] = [Math.floor(k / (d + 1)), k % (d + 1)];
    return j === d ? 1 : from[i * d + j] / largest[j]; // the last column is for the bias
  }),
  { shape: [n, d + 1] },
);
const { oracle, smoothness } = losses.logistic(targets);
const model = linearModel(d + 1);
const steps = 40;

const curves = [];
for (const m of [1, 10, 100]) {
  const run = await majorizeMinimize(model, { x }, oracle, { eta: "theory", smoothness, steps, inner: { steps: m } });
  curves.push({ name: `m = ${m}`, y: run.history.map(({ loss }) => loss) });
}
const adam = await baselines.adam(model, { x }, oracle, { steps, learningRate: 0.3 });
curves.push({ name: "Adam, 0.3", y: adam.history.map(({ loss }) => loss) });
for (const { name, y } of curves) console.log(`${name}: loss ${y[y.length - 1].toFixed(4)} after ${steps} calls`);

display({
  kind: "line",
  title: "What does an expensive gradient buy?",
  x: { label: "calls of the oracle" },
  y: { label: "mean loss", scale: "log" },
  curves,
});
