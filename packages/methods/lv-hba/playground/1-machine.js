// Tune a support vector machine, example by example
// Sixty points, of which a quarter have the wrong label. LV-HBA learns a cost for each, so that the machine does well on clean points: wrong ones become cheap to violate. No second derivative is taken and no lower problem solved. Change the share of wrong labels, the iterations, or make one cost for all.

import { lvHba, svmHyperParameters } from "@offprint/lv-hba";
import { random } from "@offprint/tensor-core";

const rng = random.rng(3);
const cloud = (n) => Array.from({ length: n }, () => [...rng.normal([2], { dtype: "float64" }).data()]);
const labelOf = ([a, b]) => (a + b > 0 ? 1 : -1);
const [points, clean] = [cloud(60), cloud(60)];
const wrong = points.map(() => rng.uniform([]).item() < 0.25);
const labels = points.map((p, i) => (wrong[i] ? -labelOf(p) : labelOf(p)));
const problem = svmHyperParameters({
  train: { features: points, labels },
  validation: { features: clean, labels: clean.map(labelOf) },
});

const { x, y, history } = await lvHba(problem, { maxIterations: 1500, penalty: (k) => 0.1 * (k + 1) ** 0.3 });
const costs = [...problem.costs(x).data()];
const right = [...problem.decide(y, clean).data()].filter((v, i) => v * labelOf(clean[i]) > 0).length;
console.log(`${right} of ${clean.length} clean points right after ${history.length} iterations`);

const pick = (bad) => points.map((p, i) => ({ p, cost: costs[i], bad: wrong[i] })).filter((each) => each.bad === bad);
const along = (each) => each.p.reduce((a, b) => a + b) / Math.SQRT2;
const cloudOf = (name, bad) => ({
  name,
  x: pick(bad).map(along),
  y: pick(bad).map(({ cost }) => cost),
  style: "points",
});
display({
  kind: "line",
  title: "The cost of every training point",
  x: { label: "distance from the true boundary" },
  y: { label: "cost", scale: "log" },
  curves: [cloudOf("right label", false), cloudOf("wrong label", true)],
});
