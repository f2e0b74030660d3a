// A prior that was learnt, not assumed
// Samples of a Laplacian distribution with noise. Trained with proximal matching, the network tends to soft thresholding, the most probable clean value, and the function whose proximal operator it is to |x|. Change the last gamma, or the loss to "squared": then it learns the posterior's mean.
import { fitProximal, lpn, regularizer } from "@offprint/lpn";
import { tensor } from "@offprint/tensor-core";

const samples = (rng, size) => {
  const u = rng.uniform([size, 1], { low: -0.5, high: 0.5, dtype: "float64" }).data();
  const x = Float32Array.from(u, (v) => -Math.sign(v) * Math.log(1 - 2 * Math.abs(v)));
  return tensor(x, { shape: [size, 1] });
};
const model = lpn({ kind: "dense", shape: [1], hidden: [24, 24, 24] });
const { params, history } = await fitProximal(model, samples, {
  sigma: 1,
  batchSize: 256,
  stages: [
    { loss: "absolute", steps: 300, learningRate: [0.02, 1e-3] },
    { loss: "matching", steps: 500, learningRate: [3e-3, 2e-4], gamma: [1, 0.3] },
  ],
});
console.log(`${history.length} steps; matched at the end: ${history.at(-1).figures.matched.toFixed(2)}`);

const x = Array.from({ length: 81 }, (_, i) => -2 + i / 20);
const { value } = await regularizer(model, params, tensor(x, { shape: [81, 1] }), { tolerance: 1e-4 });
const least = Math.min(...value.data());
const y = Array.from({ length: 81 }, (_, i) => -4 + i / 10);
const f = model.prox(params, tensor(y, { shape: [81, 1] }));
const soft = (v) => Math.sign(v) * Math.max(Math.abs(v) - 1, 0);

const curves = (name, exact, found, at) => [
  { name, x: at, y: exact },
  { name: "learnt", x: at, y: found },
];
display({
  kind: "line",
  title: "The denoiser",
  x: { label: "y" },
  y: { label: "f(y)" },
  curves: curves("soft thresholding", y.map(soft), Array.from(f.data()), y),
});
const learnt = Array.from(value.data(), (v) => v - least);
display({
  kind: "line",
  title: "The prior",
  x: { label: "x" },
  y: { label: "phi(x)" },
  curves: curves("|x|", x.map(Math.abs), learnt, x),
});
