import { compare, python } from "@offprint/bench";
import { type Denoiser, discreteSchedule, levelGrid } from "@offprint/diffusion";
import { inpainting, type LatentModel, psld, stsl } from "@offprint/stsl";
import { conv, matmul, random, relu, repeat, sigmoid, type Tensor, tanh } from "@offprint/tensor-core";

/* How long do STSL's corrections take against PyTorch's autograd; how long STSL against PSLD with four times the calls? */

const torch = python(new URL("torch_peers.py", import.meta.url));
const schedule = discreteSchedule({ betas: "scaledLinear" });
const rng = random.rng("bench");
const widths = [64, 256, 256, 64];
const weights = widths.slice(1).map((n, i) => rng.normal([widths[i], n]).mul(1 / Math.sqrt(widths[i])));
const kernels = [rng.normal([16, 4, 3, 3]).mul(0.15), rng.normal([3, 16, 3, 3]).mul(0.08)];
const down = rng.normal([4, 3, 3, 3]).mul(0.2);
const mask = rng.uniform([8, 8]).less(0.5).cast("float64");

const denoiser: Denoiser = {
  prediction: "noise",
  schedule,
  predict(z) {
    let x = z.reshape([z.shape[0], 64]);
    for (const [i, w] of weights.entries()) {
      const y = matmul(x, w);
      x = i < weights.length - 1 ? y.mul(sigmoid(y)) : y;
    }
    return x.reshape(z.shape as number[]);
  },
};
const decode = (z: Tensor): Tensor =>
  tanh(conv(repeat(repeat(relu(conv(z, kernels[0], { padding: 1 })), 2, 2), 2, 3), kernels[1], { padding: 1 }));
const model: LatentModel = {
  denoiser,
  decode,
  encode: (x) => conv(x, down, { strides: 2, padding: 1 }),
  latentShape: [4, 4, 4],
};

/** Holes in the picture: one object, as corrections are compiled once for a model and a measurement. */
const holes = inpainting(mask);

/** Runs the comparison. */
export async function run(): Promise<void> {
  const y = rng.normal([16, 3, 8, 8]).mul(mask.cast("float32"));
  const levels = levelGrid(schedule, 10, { offset: 0 });
  const initial = rng.normal([16, 4, 4, 4]);
  const settings = { dtype: "float32", seed: 1 } as const;
  await compare({
    name: "50 corrections with a probe each, an MLP of 64-256-256-64 and a convolutional decoder, 16 pictures, float32",
    ours: () => stsl(model, holes, y, { levels, initial, corrections: 5, ...settings }),
    peers: {
      torch: torch.peer("corrections", {
        weights: weights.map((w) => w.toArray()),
        kernels: kernels.map((k) => k.toArray()),
        mask: mask.toArray(),
        alphas: levels.map(({ alpha }) => alpha),
        sigmas: levels.map(({ sigma }) => sigma),
        start: initial.toArray(),
        y: y.toArray(),
      }),
    },
    work: { amount: 50, unit: "corrections" },
    maxRatio: 0.7,
    repetitions: 9,
  });
  await compare({
    name: "STSL, 50 levels of 5 corrections, against PSLD with 1000 levels",
    ours: () => stsl(model, holes, y, { ...settings }),
    peers: { psld: () => psld(model, holes, y, { ...settings }) },
    maxRatio: 0.5,
    repetitions: 3,
  });
}
