import { adjointValueAndGradient } from "@offprint/adjoint-dpm";
import { compare, python } from "@offprint/bench";
import { type Denoiser, discreteSchedule, levelGrid, noiseRatio } from "@offprint/diffusion";
import { matmul, mean, random, sigmoid, square, type Tensor } from "@offprint/tensor-core";

/* How long does a gradient by noise and weights take, against checkpointed back-propagation in PyTorch? */

const torch = python(new URL("torch_peers.py", import.meta.url));
const schedule = discreteSchedule({ betas: "scaledLinear" });
const rng = random.rng("bench");
const widths = [64, 256, 256, 64];
const params = widths.slice(1).map((n, i) => rng.normal([widths[i], n]).mul(0.5 / Math.sqrt(widths[i])));

const network = (weights: Tensor[]): Denoiser => ({
  prediction: "noise",
  schedule,
  predict: (z) =>
    weights.reduce((x, w, i) => {
      const y = matmul(x, w);
      return i < weights.length - 1 ? y.mul(sigmoid(y)) : y;
    }, z),
});
const loss = (x: Tensor) => mean(square(x));

/** Runs the comparison. */
export async function run(): Promise<void> {
  const levels = levelGrid(schedule, 20, { spacing: "logSnr", clean: "none" });
  const start = rng.normal([256, 64]);
  await compare({
    name: "gradient by noise and weights, MLP 64-256-256-64, 256 samples, rk4 in 20 steps, float32",
    ours: () => adjointValueAndGradient({ network, params }, loss, start, { levels, dtype: "float32" }),
    peers: {
      torch: torch.peer("gradient", {
        weights: params.map((w) => w.toArray()),
        rho: levels.map(noiseRatio).reverse(),
        start: start.toArray(),
      }),
    },
    maxRatio: 2,
    repetitions: 5,
  });
}
