import {
  random,
  requireNonNegative,
  requireObject,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { linearCombination } from "../combination.js";
import type { Denoiser } from "../denoiser.js";
import { callLevel } from "../grid.js";
import type { Level } from "../level.js";
import { prepareSampling, runTrajectory, type SamplerOptions, type SamplerResult } from "../trajectory.js";

/** How a step of DDIM is put together. */
export interface DdimCoefficients {
  /** Factor of the state. */
  readonly z: number;
  /** Factor of the predicted noise. */
  readonly noise: number;
  /** Factor of fresh noise. */
  readonly fresh: number;
}

/**
 * A step of DDIM from a level to any other: `alpha_j x0 + sqrt(sigma_j^2 - s^2) noise + s fresh` as factors of the state and the
 * noise, with `s` as `eta` wants it: 0 for none, 1 for that of ancestral sampling (DDPM).
 */
export function ddimCoefficients(from: Level, to: Level, eta = 0): DdimCoefficients {
  requireObject("ddimCoefficients", "from", from, "a Level");
  requireObject("ddimCoefficients", "to", to, "a Level");
  const z = to.alpha / from.alpha;
  const fresh =
    eta === 0 || to.sigma === 0
      ? 0
      : eta * (to.sigma / from.sigma) * Math.sqrt(Math.max(0, from.sigma ** 2 - (to.sigma / z) ** 2));
  return { z, noise: Math.sqrt(Math.max(0, to.sigma ** 2 - fresh ** 2)) - z * from.sigma, fresh };
}

/** DDIM's map from one level to another with the noise predicted at the first. */
export function ddimStep(z: Tensor, noise: Tensor, from: Level, to: Level): Tensor {
  requireObject("ddimStep", "z", z, "a tensor");
  requireObject("ddimStep", "noise", noise, "a tensor");
  requireObject("ddimStep", "from", from, "a Level");
  requireObject("ddimStep", "to", to, "a Level");
  const factors = ddimCoefficients(from, to);
  return linearCombination([factors.z, factors.noise], [z, noise]);
}

/** Options of {@link ddimSample}. */
export interface DdimOptions<C = Tensor> extends SamplerOptions<C> {
  /** Fresh noise: 0 for none, 1 for ancestral sampling. Default 0. */
  readonly eta?: number;
  /** What fresh noise follows from. Default 0. */
  readonly seed?: number | string;
}

/**
 * DDIM (Song et al. 2021) from noise to data; with `eta: 1` DDPM's ancestral sampling.
 * @param initial states at the noisiest level, `[batch, ...]`: standard normal for variance-preserving schedules, times
 * `sigma` for exploding ones
 * @throws NonFiniteError that names the level where a state stops being finite.
 * @example const { x } = await ddimSample(denoiser, rng.normal([16, 3, 32, 32]), { steps: 20 });
 */
export async function ddimSample<C = Tensor>(
  denoiser: Denoiser<C>,
  initial: TensorLike,
  options: DdimOptions<C> = {},
): Promise<SamplerResult> {
  const sampling = prepareSampling("ddimSample", denoiser, initial, options, ["eta", "seed"]);
  const { levels, call, z: start } = sampling;
  const { eta = 0, seed = 0 } = options;
  requireNonNegative("ddimSample", "eta", eta);
  if (eta > 1) throw new ValueError(`ddimSample: eta is ${eta}; it must lie in [0, 1]`);
  const top = levels.length - 1;
  const { carried: _, ...result } = await runTrajectory(sampling, {
    initial: () => ({ z: start }),
    async step({ z }, k) {
      const i = top - k + 1;
      const factors = ddimCoefficients(levels[i], levels[i - 1], eta);
      const noise = await call.noise(z, levels[i]);
      if (factors.fresh === 0) return { z: linearCombination([factors.z, factors.noise], [z, noise]) };
      const fresh = random.rng(`${seed}/${k}`).normal(z.shape, { dtype: z.dtype as "float64" });
      return { z: linearCombination([factors.z, factors.noise, factors.fresh], [z, noise, fresh]) };
    },
    position: ({ z }) => z,
    placeAfter: (k) => top - k,
  });
  return result;
}

/**
 * DDIM upwards: the noise that would have become the data, approximately, as every step takes the noise predicted at its
 * lower end.
 * @param initial data, `[batch, ...]`
 */
export async function ddimInvert<C = Tensor>(
  denoiser: Denoiser<C>,
  initial: TensorLike,
  options: SamplerOptions<C> = {},
): Promise<SamplerResult> {
  const sampling = prepareSampling("ddimInvert", denoiser, initial, options);
  const { levels, call, z: start } = sampling;
  const { carried: _, ...result } = await runTrajectory(sampling, {
    initial: () => ({ z: start }),
    step: async ({ z }, k) => ({
      z: ddimStep(z, await call.noise(z, callLevel(levels, k - 1)), levels[k - 1], levels[k]),
    }),
    position: ({ z }) => z,
    placeAfter: (k) => k,
  });
  return result;
}
