// A certified region around a digit
// A small network learns handwritten digits. How far may every pixel change before another digit can win? The local bound of how fast scores differ says so for a region around one image, by branch and bound; weaker bounds certify less. Choose another image, or a wider network.

import { digits } from "@offprint/datasets";
import { boxAround, globalBound, jacobianBounds, localLipschitz } from "@offprint/local-lipschitz";
import { activation, evaluate, perceptron } from "@offprint/networks";
import { adam, applyUpdates, crossEntropy } from "@offprint/optim";
import {
  add,
  jitSync,
  matmul,
  mean,
  mul,
  random,
  relu,
  take,
  transpose,
  valueAndGrad,
  zeros,
} from "@offprint/tensor-core";

const rng = random.rng(2);
const { inputs, targets } = digits({ dtype: "float64" });
const x = mul(inputs, 1 / 16);
const width = 16;
const layer = (out, n) => ({
  weight: rng.normal([out, n], { std: Math.sqrt(2 / n), dtype: "float64" }),
  bias: zeros([out], "float64"),
});
let params = [layer(width, 64), layer(10, width)];
const scores = ([a, b], at) =>
  add(matmul(relu(add(matmul(at, transpose(a.weight)), a.bias)), transpose(b.weight)), b.bias);
const optimizer = adam({ learningRate: 0.01 });
const step = jitSync((p, state, at, digit) => {
  const [, gradient] = valueAndGrad((layers) => mean(crossEntropy(scores(layers, at), digit)))(p);
  const next = optimizer.update(gradient, state, p);
  return { params: applyUpdates(p, next.updates), state: next.state };
});
let state = optimizer.init(params);
for (let k = 0; k < 400; k++) {
  const batch = rng.randint([100], { high: 1700 });
  ({ params, state } = step(params, state, take(x, batch, 0), take(targets, batch, 0)));
}
const network = perceptron(params, activation("relu"));

const chosen = 1750;
const image = take(x, [chosen], 0).data();
const logits = Array.from(evaluate(network, Array.from(image)).data());
const label = logits.indexOf(Math.max(...logits));
const others = logits.map((_, k) => k).filter((k) => k !== label);
// How fast the other digit catches up: differences of two scores.
const combinations = others.map((other) => logits.map((_, k) => (k === other ? 1 : k === label ? -1 : 0)));
const margins = others.map((other) => logits[label] - logits[other]);
const certified = (eps, bounds) => Math.min(...margins.map((margin, k) => margin - eps * bounds[k]));

const sizes = Array.from({ length: 9 }, (_, k) => 0.005 * (k + 1));
const curves = { "branch and bound": [], "one propagation": [], RecurJac: [], "product of norms": [] };
const everywhere = globalBound(network, { combinations });
for (const eps of sizes) {
  const box = boxAround(image, eps, { min: 0, max: 1 });
  const bound = async (options) =>
    (await localLipschitz(network, box, { combinations, points: 20, ...options })).perOutput;
  curves["branch and bound"].push(certified(eps, await bound({ maxDomains: 150 })));
  curves["one propagation"].push(certified(eps, await bound({ maxDomains: 0 })));
  curves.RecurJac.push(certified(eps, await bound({ maxDomains: 0, relaxation: "recurjac" })));
  curves["product of norms"].push(Math.max(-20, certified(eps, everywhere)));
}
const radius = sizes.filter((_, k) => curves["branch and bound"][k] > 0).at(-1) ?? 0;
console.log(`This is a ${label}, and stays one whatever changes every pixel by up to ${radius.toFixed(3)} (of 1).`);

const { lower, upper } = jacobianBounds(network, boxAround(image, radius), { outputs: [label] });
const [low, high] = [lower.data(), upper.data()];
const largest = Math.max(...high, ...low.map((v) => -v));
const tile = (name, pixels) => ({ label: name, width: 8, height: 8, channels: 1, pixels: Array.from(pixels) });
display({
  kind: "images",
  title: "The digit, and how much its score can change by each pixel",
  images: [
    tile(`a ${label}`, image),
    tile(
      "at most, certified",
      high.map((v) => 0.5 + v / (2 * largest)),
    ),
    tile(
      "at least, certified",
      low.map((v) => 0.5 + v / (2 * largest)),
    ),
  ],
});
display(
  {
    kind: "line",
    title: `Certified lead of the ${label} over all other digits`,
    x: { label: "change of every pixel" },
    y: { label: "lead of the score" },
    curves: Object.entries(curves).map(([name, y]) => ({ name, x: sizes, y, style: "line-points" })),
    references: [{ value: 0, label: "another digit may win below" }],
  },
  "picture",
);
