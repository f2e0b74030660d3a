// A Gaussian process that widens
// The limit of infinitely wide networks after six points, one of them far off. A Gaussian process of a known scale has the same intervals whatever the values are; a prior of the scale lets the values say how wide they must be: the band widens as the sixth point moves away, and is narrow when it lies with the others. Change its value, the prior, or the network.

import { nngp } from "@offprint/gaussian-process";
import { regress } from "@offprint/scale-mixture-nngp";

const outlier = 4;
const x = [[-2.4], [-1.5], [-0.4], [0.6], [1.4], [2.2]];
const y = [-0.7, -1, -0.4, 0.6, outlier, 0.8];
const network = nngp({
  kind: "fullyConnected",
  depth: 3,
  activation: "erf",
  weightVariance: 4,
  biasVariance: 0.09,
  readoutVariance: 1,
});

const grid = Array.from({ length: 121 }, (_, k) => (k - 60) / 15);
const points = grid.map((v) => [v]);
const priors = {
  "Gaussian process": { kind: "point" },
  "Student-t process": { kind: "inverseGamma", shape: 1.5, rate: 0.5 },
};
const curves = Object.entries(priors).map(([name, prior]) => {
  const process = regress(network, x, y, { prior, noise: 0.02 });
  const { mean } = process.predict(points);
  const { low, high } = process.predict(points).interval(0.9);
  console.log(`${name}: log evidence ${process.logEvidence.toFixed(2)}, E s = ${process.scale.mean.toFixed(2)}`);
  return { name, x: grid, y: mean.data(), low: low.data(), high: high.data() };
});
display(
  {
    kind: "line",
    title: "90 % intervals after six points",
    x: { label: "x" },
    y: { label: "y" },
    curves: [...curves.reverse(), { name: "points", x: x.flat(), y, style: "points" }],
  },
  "picture",
);
