// A picture from a third of its pixels
// A perfect model of discs and squares sees a third of the pixels of a noisy picture, and restores the rest in 20 levels with 5
// corrections each. The slider goes back to the noise that it came out of; change `share`, `damage` or `corrections`.
import { discreteSchedule, gaussianMixture } from "@offprint/diffusion";
import { inpainting, pixelModel, stsl, superResolution } from "@offprint/stsl";
import { random, tensor } from "@offprint/tensor-core";

const [n, steps, corrections, share, damage] = [16, 20, 5, 0.33, "inpainting"]; // or "super-resolution"
const places = [4, 6, 8, 10].flatMap((y) => [4, 6, 8, 10].map((x) => [x, y]));
const norms = [(a, b) => Math.hypot(a, b), (a, b) => Math.max(Math.abs(a), Math.abs(b))];
const shape = (kind, [x, y]) =>
  Array.from({ length: n * n }, (_, i) => (norms[kind]((i % n) + 0.5 - x, Math.floor(i / n) + 0.5 - y) < 3.6 ? 1 : -1));
const mixture = gaussianMixture({
  means: [0, 1].flatMap((kind) => places.map((place) => shape(kind, place))),
  variances: 0.01,
});
const square = (flat) => flat.reshape([1, 1, n, n]);
const flat = mixture.denoiser(discreteSchedule({ betas: "scaledLinear" }));
const denoiser = { ...flat, predict: (z, level) => square(flat.predict(z.reshape([1, n * n]), level)) };

const rng = random.rng(3);
const picture = square(tensor([shape(1, places[9])], { dtype: "float64" })).add(
  rng.normal([1, 1, n, n], { std: 0.1, dtype: "float64" }),
);
const mask = rng.uniform([n, n]).less(share).cast("float64");
const measurement = damage === "inpainting" ? inpainting(mask) : superResolution(4);
const y = measurement.apply(picture);

const tile = (label, x) => ({
  label,
  width: x.shape[3],
  height: x.shape[2],
  channels: 1,
  pixels: Float64Array.from(x.data(), (v) => Math.min(1, Math.max(0, 0.5 + v / 2.6))),
});
const course = [];
const show = (name, z) => {
  const images = [tile("picture", picture), tile("measured", y), tile(name, z)];
  course.push({ kind: "images", title: "Restored", images, columns: 3 });
  display(course, "picture");
};
const { x, residual, calls } = await stsl(pixelModel(denoiser, [1, n, n]), measurement, y, {
  steps,
  corrections,
  onStep: (z, { step }) => void show(step === steps ? "restored" : `after ${step} levels`, z),
});
console.log(
  "root mean square error",
  Math.sqrt(x.sub(picture).square().mean().item()),
  "misses by",
  residual[0],
  "calls",
  calls.score,
);
