import { compare, python } from "@offprint/bench";
import {
  type Denoiser,
  ddimSample,
  discreteSchedule,
  gaussianMixture,
  levelTensors,
  trainingLevel,
} from "@offprint/diffusion";
import { jitSync, random, type Tensor } from "@offprint/tensor-core";

/* How long does the exact score of a mixture take against NumPy; how much does a sampler add to its network? */

const numpy = python(new URL("numpy_peers.py", import.meta.url));
const schedule = discreteSchedule({ betas: "scaledLinear" });

/** Runs the comparison. */
export async function run(): Promise<void> {
  const sizes = { components: 8, size: 256, batch: 256 };
  const rng = random.rng("bench");
  const root = rng.normal([sizes.components, sizes.size, sizes.size], { dtype: "float64" }).div(Math.sqrt(sizes.size));
  const mixture = gaussianMixture({
    means: rng.normal([sizes.components, sizes.size], { dtype: "float64" }),
    covariances: root.matmul(root.transpose([0, 2, 1])),
  });
  const z = rng.normal([sizes.batch, sizes.size], { dtype: "float64" });
  const level = levelTensors(trainingLevel(schedule, 300));
  const score = jitSync((x: Tensor, at: typeof level) => mixture.score(x, at));
  await compare({
    name: "score of a mixture: 8 components, 256 dimensions, 256 states",
    ours: () => score(z, level),
    peers: { numpy: numpy.peer("score", sizes) },
    maxRatio: 2,
    repetitions: 7,
  });

  // A network that takes 20 ms a call, as fast as any U-Net: what a sampler adds is all that is above that.
  const latent = rng.normal([1, 4, 64, 64], { dtype: "float64" });
  const answer = rng.normal([1, 4, 64, 64], { dtype: "float64" });
  const busy = (): Tensor => {
    for (const end = performance.now() + 20; performance.now() < end; );
    return answer;
  };
  const network: Denoiser = { prediction: "noise", schedule, external: true, predict: busy };
  const steps = 10;
  await compare({
    name: "10 steps of DDIM on a latent of 4 x 64 x 64, against 10 calls of the network alone",
    ours: () => ddimSample(network, latent, { steps }),
    peers: {
      network: () => {
        for (let k = 0; k < steps; k++) busy();
      },
    },
    maxRatio: 1.05,
    repetitions: 7,
  });
}
