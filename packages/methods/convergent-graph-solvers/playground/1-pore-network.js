// Pressures in a pore network
// A network is trained on small random pore networks and asked for the pressures in one of four times as many pores. Change gamma, the heads or the sizes.

import {
  convergentGraphSolver,
  fitGraphModel,
  poreSample,
  predict,
  randomPoreNetwork,
} from "@offprint/convergent-graph-solvers";
import { random } from "@offprint/tensor-core";

const network = (pores, seed) => randomPoreNetwork({ pores, rng: random.rng(seed) });
const sample = (net) => poreSample(net, net.features);
const train = Array.from({ length: 60 }, (_, i) => sample(network(40, `train ${i}`)));

const model = convergentGraphSolver({ nodeInputs: 2, edgeInputs: 3, gamma: 0.95, normalise: "attention" });
const { params, history } = await fitGraphModel(model, train, {
  steps: 300,
  batchSize: 4,
  learningRate: 3e-3,
  clipNorm: 5,
});

const large = network(160, "large");
const truth = sample(large);
const [{ y, iterations }] = await predict(model, params, [truth]);
const [predicted, exact] = [y.data(), truth.targets.data()];
const error = Math.sqrt(predicted.reduce((total, p, i) => total + (p - exact[i]) ** 2, 0) / 160);
console.log(
  `160 pores: ${iterations} iterations, error ${error.toFixed(3)}; last loss ${history.at(-1).loss.toFixed(4)}`,
);

// A throat is a bar as thick as it is wide, and as bright as the pressure in it.
const at = (i) => [10 * large.positions[2 * i], 10 * large.positions[2 * i + 1]];
const bars = (values) =>
  large.throats.map(([i, j], t) => {
    const [[ax, ay], [bx, by]] = [at(i), at(j)];
    const half = (0.06 * large.features[t][0]) / Math.hypot(bx - ax, by - ay);
    const [nx, ny] = [(by - ay) * half, (ax - bx) * half];
    const shade = 0.1 + 0.9 * Math.min(1, Math.max(0, (values[i] + values[j]) / 2));
    return { points: [ax + nx, ay + ny, bx + nx, by + ny, bx - nx, by - ny, ax - nx, ay - ny], shade };
  });
display({
  kind: "polygons",
  title: "Pressures, from the inlet on the left to the outlet on the right",
  columns: 2,
  drawings: [
    { label: "predicted", polygons: bars(predicted) },
    { label: "exact", polygons: bars(exact) },
  ],
});
