// Optimise a curve one draws
// A Gaussian process and the infinitely wide network look for the highest point of a curve from ten looks at it. Draw another one: its points are the heights at even places.

import { bayesianOptimizer, gp, ibnn } from "@offprint/bnn-bo";

const heights = [0.2, 0.5, 0.3, 0.1, 0.4, 0.9, 0.8, 0.3, 0.2, 0.6, 0.7, 0.5, 0.1];

/** Smooth between the heights. */
function curve(x) {
  const at = x * (heights.length - 1);
  const left = Math.min(heights.length - 2, Math.floor(at));
  const part = (1 - Math.cos(Math.PI * (at - left))) / 2;
  return heights[left] * (1 - part) + heights[left + 1] * part;
}

const places = Array.from({ length: 121 }, (_, k) => k / 120);
const curves = [{ name: "the curve", x: places, y: places.map(curve) }];
const space = [{ kind: "real", lower: 0, upper: 1 }];
for (const surrogate of [gp(), ibnn()]) {
  const optimizer = bayesianOptimizer(space, { surrogate, maximize: true, initialTrials: 4, seed: 3 });
  for (let k = 0; k < 10; k++) {
    const [[x]] = await optimizer.suggest();
    optimizer.observe([x], curve(x));
  }
  console.log(`${surrogate.name}: ${optimizer.best.values[0].toFixed(4)} at ${optimizer.best.settings[0].toFixed(3)}`);
  const { trials } = optimizer.state;
  const fitted = await surrogate.fit(
    trials.map(({ settings }) => [settings[0]]),
    trials.map(({ values }) => values[0]),
  );
  const rows = places.map((x) => [x]);
  const mean = fitted.mean(rows).toArray();
  const deviation = fitted.variance(rows).sqrt().toArray();
  curves.push({
    name: `${surrogate.name}, mean`,
    x: places,
    y: mean,
    low: mean.map((v, k) => v - deviation[k]),
    high: mean.map((v, k) => v + deviation[k]),
  });
}

display({ kind: "line", title: "What ten looks tell", x: { label: "place" }, y: { label: "height" }, curves });
