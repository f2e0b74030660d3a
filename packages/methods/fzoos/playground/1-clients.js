// Minimise black boxes that cannot be shared
// Four parties with objectives of their own look for the minimum of their mean, from values alone. Those that correct themselves by the global surrogate arrive with a fraction of the queries; those that do not stop where their averaged steps cancel. Change the middles, the curvatures, the number of local steps.

import { fedZo, fzoos } from "@offprint/fzoos";

const middles = [
  [0.1, 0.9],
  [0.9, 0.8],
  [0.3, 0.1],
  [0.7, 0.2],
];
const curvatures = [
  [12, 1],
  [1, 9],
  [2, 2],
  [1, 3],
];
const clients = middles.map(
  (middle, i) => (x) => x.reduce((sum, v, k) => sum + curvatures[i][k] * (v - middle[k]) ** 2, 0),
);
// The minimum of the mean is where the weighted middles balance.
const least = [0, 1].map((k) => {
  const weight = curvatures.reduce((sum, c) => sum + c[k], 0);
  return middles.reduce((sum, middle, i) => sum + (curvatures[i][k] * middle[k]) / weight, 0);
});

const problem = { clients, initial: [0.95, 0.95], bounds: [0, 1] };
const shared = { maxIterations: 12, localSteps: 15, optimizer: { kind: "adam", learningRate: 0.02 } };
const small = {
  features: 200,
  maxLocalQueries: 20,
  maxFeatureQueries: 60,
  active: { local: { count: 1, candidates: 20 }, server: { count: 6, candidates: 30 } },
};
const runs = {
  FZooS: await fzoos(problem, { ...shared, ...small }),
  "without correction": await fzoos(problem, { ...shared, ...small, correction: "none" }),
  "FedZO, finite differences": await fedZo(problem, shared),
};
for (const [name, { x, queries }] of Object.entries(runs)) {
  const [a, b] = x.data();
  console.log(
    `${name}: ${Math.hypot(a - least[0], b - least[1]).toFixed(4)} from the minimum after ${queries} queries`,
  );
}

const path = ({ history }) => [problem.initial, ...history.map(({ x }) => x)];
display({
  kind: "line",
  title: "The point of the server, round by round",
  x: { label: "x" },
  y: { label: "y" },
  curves: [
    ...Object.entries(runs).map(([name, run]) => ({
      name,
      x: path(run).map((p) => p[0]),
      y: path(run).map((p) => p[1]),
    })),
    {
      name: "minimum of their mean",
      x: [0, -0.015, 0, 0.015, 0].map((v) => least[0] + v),
      y: [0.015, 0, -0.015, 0, 0.015].map((v) => least[1] + v),
    },
  ],
});
