// Find the wrong labels
// Two clouds of points; a quarter of the training labels are wrong. BO-REP gives each point a weight so that a linear model learnt from the weighted points does well on a few points that can be trusted: wrong ones sink. Change the share of wrong labels, the length of a step, or the number of trusted points.

import { dataCleaning } from "@offprint/bilevel";
import { boRep } from "@offprint/bo-rep";
import { random } from "@offprint/tensor-core";

const rng = random.rng(4);
const cloud = (n) => Array.from({ length: n }, () => [...rng.normal([2], { dtype: "float64" }).data()]);
const labelOf = ([a, b]) => (a + b > 0 ? 1 : 0);
const [points, trusted] = [cloud(200), cloud(60)];
const wrong = points.map(() => rng.uniform([]).item() < 0.25);
const problem = dataCleaning({
  train: { inputs: points, targets: points.map((p, i) => (wrong[i] ? 1 - labelOf(p) : labelOf(p))) },
  validation: { inputs: trusted, targets: trusted.map(labelOf) },
});

const { x, history } = await boRep(problem, {
  stepLength: 0.1,
  lowerStepSize: 0.5,
  linearStepSize: 0.5,
  maxIterations: 600,
});
const weights = [...x.data()].map((v) => 1 / (1 + Math.exp(-v)));
const found = weights.filter((w, i) => w < 0.5 && wrong[i]).length;
console.log(`${found} of ${wrong.filter(Boolean).length} wrong labels have a weight below one half`);
console.log(`${weights.filter((w, i) => w < 0.5 && !wrong[i]).length} right ones have; ${history.length} iterations`);

const pick = (bad, j) => points.filter((_, i) => wrong[i] === bad).map((p) => p[j]);
const weight = (bad) => weights.filter((_, i) => wrong[i] === bad);
const margin = (bad) => pick(bad, 0).map((a, i) => (a + pick(bad, 1)[i]) / Math.SQRT2);
display(
  {
    kind: "line",
    title: "The weight of every training point",
    x: { label: "distance from the true boundary" },
    y: { label: "weight", range: [0, 1] },
    curves: [
      { name: "right label", x: margin(false), y: weight(false), style: "points" },
      { name: "wrong label", x: margin(true), y: weight(true), style: "points" },
    ],
  },
  "picture",
);
