import { orthonormal } from "@offprint/claims/makers";
import { alongBatch, type Denoiser, discreteSchedule } from "@offprint/diffusion";
import {
  add,
  broadcastTo,
  div,
  matmul,
  mean,
  mul,
  type Rng,
  repeat,
  reshape,
  softmax,
  square,
  stack,
  sub,
  sum,
  swapAxes,
  type Tensor,
  tanh,
  tensor,
} from "@offprint/tensor-core";
import { inpainting, type LatentModel, type Measurement } from "../src/index.js";

/** The noise of Stable Diffusion. */
export const stable = discreteSchedule({ betas: "scaledLinear" });

const [latents, pixels, modes, variance] = [8, 32, 8, 0.05];

/** What is measured, with noise. */
export interface Task {
  /** In words. */
  readonly name: string;
  /** The map. */
  readonly measurement: Measurement;
  /** Measurements of the images, `[beds * count, ...]`. */
  readonly y: Tensor;
}

/** Several test beds side by side: the samples of each are a block of the batch. */
export interface TestBeds {
  /** Denoiser and autoencoder of all beds; for batches of this size only. */
  readonly model: LatentModel;
  /** The images, `[beds * count, 32]`. */
  readonly images: Tensor;
  /** Means of four pixels each, with noise of 0.02. */
  readonly superResolution: Task;
  /** So many random pixels, with noise of 0.05. */
  masked(rng: Rng, seen: number): Task;
}

/**
 * Mixtures of eight modes in eight dimensions, and decoders `D(z) = W z + bend tanh(2 W2 z)` to 32 pixels, whose encoder is a
 * fixed point.
 */
export function testBeds(rng: Rng, beds: number, count: number, bend: number, rounds = 8): TestBeds {
  const many = <T>(make: () => T): T[] => Array.from({ length: beds }, make);
  const means = stack(many(() => rng.normal([modes, latents], { dtype: "float64" })));
  const frames = () => stack(many(() => orthonormal(rng, pixels).slice([null, { stop: latents }])));
  const [w, w2] = [frames(), frames()];
  const [across, across2] = [swapAxes(w, 1, 2), swapAxes(w2, 1, 2)];
  const blocks = (x: Tensor): Tensor => reshape(x, [beds, count, x.size / (beds * count)]);
  const flat = (x: Tensor): Tensor => reshape(x, [beds * count, x.size / (beds * count)]);
  const bent = (z: Tensor): Tensor => mul(tanh(mul(matmul(z, across2), 2)), bend);
  const decode = (z: Tensor): Tensor => flat(add(matmul(blocks(z), across), bent(blocks(z))));
  const encode = (x: Tensor): Tensor => {
    const wide = blocks(x);
    let z = matmul(wide, w);
    if (bend > 0) for (let round = 0; round < rounds; round++) z = matmul(sub(wide, bent(z)), w);
    return flat(z);
  };
  const denoiser: Denoiser = {
    prediction: "noise",
    schedule: stable,
    predict(z, { alpha, sigma }) {
      const cube = { rank: 3 } as Tensor;
      const [a, s] = [alongBatch(alpha, cube), alongBatch(sigma, cube)];
      const total = add(mul(square(a), variance), square(s));
      const centres = mul(means, a);
      const states = blocks(z);
      // |z - centre|^2 up to |z|^2, which is the same for all modes.
      const near = sub(
        matmul(states, swapAxes(centres, 1, 2)),
        mul(reshape(sum(square(centres), 2), [beds, 1, modes]), 0.5),
      );
      const data = matmul(softmax(div(near, total), 2), centres);
      return flat(div(mul(sub(states, data), s), total));
    },
  };
  const mode = rng.randint([beds * count], { high: modes }).data();
  const centre = stack(Array.from({ length: beds * count }, (_, i) => means.slice([Math.floor(i / count), mode[i]])));
  const drawn = add(centre, mul(rng.normal([beds * count, latents], { dtype: "float64" }), Math.sqrt(variance)));
  const images = decode(drawn);
  const noisy = (exact: Tensor, deviation: number): Tensor =>
    add(exact, mul(rng.normal(exact.shape, { dtype: "float64" }), deviation));
  const spread = (y: Tensor): Tensor => repeat(y, 4, 1);
  const small: Measurement = {
    apply: (x) => mean(reshape(x, [x.shape[0], pixels / 4, 4]), 2),
    transpose: (y) => div(spread(y), 4),
    pseudoInverse: spread,
  };
  return {
    model: { denoiser, encode, decode, latentShape: [latents] },
    images,
    superResolution: { name: "super-resolution", measurement: small, y: noisy(small.apply(images), 0.02) },
    masked(draws, seen) {
      const rows = many(() => {
        const chosen = draws.permutation(pixels).data().slice(0, seen);
        return Array.from({ length: pixels }, (_, i) => (chosen.includes(i) ? 1 : 0));
      });
      const mask = flat(
        broadcastTo(reshape(tensor(rows, { dtype: "float64" }), [beds, 1, pixels]), [beds, count, pixels]),
      );
      const measurement = inpainting(mask);
      const y = measurement.apply(noisy(images, 0.05));
      return { name: `${seen} pixels seen`, measurement, y };
    },
  };
}
