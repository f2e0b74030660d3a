// A picture, its noise, and an edit
// A perfect model of discs and squares. A disc goes up to noise with the class "disc" and comes down with "square": where it
// is and its grain stay to the last digit. Compare DDIM, or lower `gamma` below 0.9.
import { bdiaEdit } from "@offprint/bdia";
import { ddimInvert, ddimSample, discreteSchedule, gaussianMixture } from "@offprint/diffusion";
import { random, tensor } from "@offprint/tensor-core";

const [n, steps, gamma] = [16, 20, 1];
const places = [4, 6, 8, 10].flatMap((y) => [4, 6, 8, 10].map((x) => [x, y]));
const norms = [(a, b) => Math.hypot(a, b), (a, b) => Math.max(Math.abs(a), Math.abs(b))];
const shape = (kind, [x, y]) =>
  Array.from({ length: n * n }, (_, i) => (norms[kind]((i % n) + 0.5 - x, Math.floor(i / n) + 0.5 - y) < 3.6 ? 1 : -1));
const means = [0, 1].flatMap((kind) => places.map((place) => shape(kind, place)));
const mixture = gaussianMixture({ means, variances: 0.01 });
const classOf = (kind) =>
  tensor([means.map((_, k) => (Math.floor(k / places.length) === kind ? 1 : 0))], { dtype: "float64" });

const denoiser = mixture.denoiser(discreteSchedule({ betas: "scaledLinear" }));
const grain = random.rng(3).normal([1, n * n], { std: 0.1, dtype: "float64" });
const picture = tensor([shape(0, places[6])], { dtype: "float64" }).add(grain);
const [source, target] = [classOf(0), classOf(1)];

const { x, latent } = await bdiaEdit(denoiser, picture, { steps, gamma, source, target });
const { x: back } = await bdiaEdit(denoiser, picture, { steps, gamma, source, target: source });
const up = await ddimInvert(denoiser, picture, { steps, condition: source });
const drift = await ddimSample(denoiser, up.x, { steps, condition: source });

const error = (states) => Math.sqrt(states.sub(picture).square().mean().item());
const tile = (label, states, scale = 1.3) => ({
  label,
  width: n,
  height: n,
  channels: 1,
  pixels: Float64Array.from(states.data(), (v) => Math.min(1, Math.max(0, 0.5 + v / (2 * scale)))),
});
display({
  kind: "images",
  title: "Inverted and edited",
  images: [tile("picture", picture), tile("its noise", latent[0], 3), tile("edited", x), tile("and back", back)],
  columns: 4,
});
console.log("way back, root mean square error: BDIA", error(back), "DDIM", error(drift.x));
