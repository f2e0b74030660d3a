// Steer samples by their noise
// Noise whose samples lie on a ring of eight modes. The adjoint gradient moves the noise so that the samples meet the line x = y; how far
// it may go is the ball's radius. Change `loss`, or the radius.
import { adjointSample, optimizeNoise } from "@offprint/adjoint-dpm";
import { discreteSchedule, gaussianMixture } from "@offprint/diffusion";
import { mean, random, square, sub } from "@offprint/tensor-core";

const [radius, steps] = [1, 25];
const loss = (x) => mean(square(sub(x.slice([null, 0]), x.slice([null, 1]))));

const means = Array.from({ length: 8 }, (_, k) => [Math.cos((k * Math.PI) / 4), Math.sin((k * Math.PI) / 4)]);
const denoiser = gaussianMixture({ means, variances: 0.01 }).denoiser(discreteSchedule({ betas: "scaledLinear" }));
const noise = random.rng(1).normal([150, 2], { dtype: "float64" });

const sampling = { solver: "heun", steps: 15 };
const { x: moved, history } = await optimizeNoise(denoiser, loss, noise, {
  steps,
  ball: { norm: "l2", radius },
  sampling,
});
const [before, after] = [
  await adjointSample(denoiser, noise, sampling),
  await adjointSample(denoiser, moved, sampling),
];
const points = (name, states) => {
  const rows = states.toArray();
  return { name, x: rows.map(([a]) => a), y: rows.map(([, b]) => b), style: "points" };
};
display({
  kind: "line",
  title: "Samples, before and after",
  x: { label: "x", range: [-1.5, 1.5] },
  y: { label: "y", range: [-1.5, 1.5] },
  curves: [points("of the first noise", before.x), points("of the optimised noise", after.x)],
});
console.log("loss", history[0].loss, "to", history.at(-1).loss);
