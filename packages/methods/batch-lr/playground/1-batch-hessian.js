// Curvature of batches
// The spectrum of a small network's Hessian on all samples and on batches, by Lanczos: the smaller the batch, the larger the largest eigenvalue and the smaller the usable learning rate. Change the batch sizes, or train longer.

import { curvature, effectiveBatch, estimateNoise, maxLearningRate, spectralDensity } from "@offprint/batch-lr";
import { add, grad, jitSync, matmul, mean, mul, random, square, sub, take, tanh, tree } from "@offprint/tensor-core";

// Points on a noisy wave, and a network with one hidden layer.
const rng = random.rng(3);
const samples = 400;
const x = rng.uniform([samples, 1], { low: -3, high: 3, dtype: "float64" });
const y = add(mul(x, 0.3), mul(rng.normal([samples, 1], { dtype: "float64" }), 0.4));
const draw = (...shape) => rng.normal(shape, { dtype: "float64" });
let params = { a: draw(1, 24), b: draw(24), c: mul(draw(24, 1), 0.3) };
const loss = ({ a, b, c }, batch) => mean(square(sub(matmul(tanh(add(matmul(batch.x, a), b)), c), batch.y)));
const sample = (chosen) => ({ x: take(x, chosen, { axis: 0 }), y: take(y, chosen, { axis: 0 }) });
const step = jitSync((p, batch) => tree.map((w, g) => sub(w, mul(g, 0.05)), p, grad(loss)(p, batch)));
for (let k = 0; k < 300; k++) params = step(params, { x, y });

const hessian = curvature(loss);
const order = hessian.sizeOf(params);
const at = Array.from({ length: 200 }, (_, i) => -2 + i / 20);
const curves = [];
for (const size of [4, 32, samples]) {
  const chosen = Int32Array.from(rng.permutation(samples).data().slice(0, size));
  const { density } = await spectralDensity(hessian.at(params, sample(chosen)), order, { steps: 40, probes: 5 });
  const y = density(at, 0.08);
  curves.push({
    name: size === samples ? "all samples" : `a batch of ${size}`,
    x: at,
    y: y.map((v) => Math.max(v, 1e-4)),
  });
}

const { lambda1, fit } = await estimateNoise(
  { loss, params, sample, samples },
  { methods: ["fit"], batches: [4, 8, 16, 32, 64] },
);
console.log(
  `largest eigenvalue of all samples ${lambda1.toFixed(2)}, of batches ${fit.lambda1.toFixed(2)} + ${fit.slope.toFixed(1)} / b`,
);
for (const size of [4, 16, 64, samples]) {
  const effective = effectiveBatch(size, samples);
  const rate = maxLearningRate({ lambda1: fit.lambda1, gamma: fit.gamma, effective, branch: "always-spike" });
  console.log(`largest learning rate at batches of ${size}: ${rate.toFixed(3)}`);
}

display({
  kind: "line",
  title: "Eigenvalues of the Hessian: density, by batch size",
  x: { label: "eigenvalue" },
  y: { label: "density", scale: "log" },
  curves,
});
