import { bdiaEdit, bdiaSample } from "@offprint/bdia";
import { compare, python } from "@offprint/bench";
import { type Denoiser, discreteSchedule, levelGrid } from "@offprint/diffusion";
import { onnxRuntime } from "@offprint/onnx-runtime";
import { fastest, hostBackend, jitSync, matmul, random, sigmoid, type Tensor } from "@offprint/tensor-core";

/* How long do 20 steps take against PyTorch's DDIM; what does an edit add to the calls of its network? */

const torch = python(new URL("torch_peers.py", import.meta.url));
const schedule = discreteSchedule({ betas: "scaledLinear" });
const rng = random.rng("bench");
const widths = [64, 256, 256, 64];
const weights = widths.slice(1).map((n, i) => rng.normal([widths[i], n]).mul(1 / Math.sqrt(widths[i])));

const network = (z: Tensor): Tensor =>
  weights.reduce((x, w, i) => {
    const y = matmul(x, w);
    return i < weights.length - 1 ? y.mul(sigmoid(y)) : y;
  }, z);

/** Runs the comparison. */
export async function run(): Promise<void> {
  const levels = levelGrid(schedule, 20);
  const start = rng.normal([256, 64]);
  const denoiser: Denoiser = { prediction: "noise", schedule, predict: (z) => network(z) };
  const runtime = await onnxRuntime({ device: "cpu", threads: 1 });
  const either = fastest([hostBackend, runtime]);
  for (const [label, backend] of [
    ["", undefined],
    [", through the fastest backend", either],
  ] as const) {
    await compare({
      name: `20 steps, an MLP of 64-256-256-64, 256 states, float32${label}`,
      ours: () => bdiaSample(denoiser, start, { levels, gamma: 0.5, dtype: "float32", backend }),
      peers: {
        torch: torch.peer("sample", {
          weights: weights.map((w) => w.toArray()),
          alphas: levels.map(({ alpha }) => alpha),
          sigmas: levels.map(({ sigma }) => sigma),
          start: start.toArray(),
        }),
      },
      maxRatio: 0.7,
      repetitions: 9,
    });
  }
  await runtime.release();

  const alone = jitSync((z: Tensor) => network(z).add(network(z.mul(0.5))));
  const latent = rng.normal([1, 64 * 64 * 4]).reshape([256, 64]);
  await compare({
    name: "an edit of 20 levels with states in float64, against the 39 calls of its network alone",
    ours: () => bdiaEdit({ ...denoiser, external: true, predict: (z) => alone(z.cast("float32")) }, latent, { levels }),
    peers: {
      network: () => {
        for (let k = 0; k < 39; k++) alone(latent);
      },
    },
    maxRatio: 1.05,
    repetitions: 9,
  });
}
