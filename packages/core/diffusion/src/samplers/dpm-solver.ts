import { requireObject, type Tensor, type TensorLike } from "@offprint/tensor-core";
import { linearCombination } from "../combination.js";
import type { Denoiser } from "../denoiser.js";
import { type Level, noiseRatio } from "../level.js";
import { prepareSampling, runTrajectory, type SamplerOptions, type SamplerResult } from "../trajectory.js";

/** Factors of a step of DPM-Solver++(2M) for the state, the data predicted now, and that predicted one level before. */
export interface DpmCoefficients {
  /** Factor of the state. */
  readonly z: number;
  /** Factor of the predicted data. */
  readonly data: number;
  /** Factor of the data predicted one step before. */
  readonly before: number;
}

/**
 * A step of DPM-Solver++(2M) (Lu et al. 2022): `(sigma_j / sigma_i) z - alpha_j (exp(-h) - 1) D` with the extrapolated data `D`. Of first
 * order without a level before, and down to no noise.
 */
export function dpmCoefficients(from: Level, to: Level, before?: Level): DpmCoefficients {
  requireObject("dpmCoefficients", "from", from, "a Level");
  requireObject("dpmCoefficients", "to", to, "a Level");
  const lambda = (level: Level) => -Math.log(noiseRatio(level));
  const h = lambda(to) - lambda(from);
  const z = to.sigma / from.sigma;
  const whole = -to.alpha * Math.expm1(-h);
  if (before === undefined || to.sigma === 0) return { z, data: whole, before: 0 };
  const r = h / (2 * (lambda(from) - lambda(before)));
  return { z, data: whole * (1 + r), before: -whole * r };
}

/** DPM-Solver++(2M): one call a step, second order. */
export async function dpmSolverSample<C = Tensor>(
  denoiser: Denoiser<C>,
  initial: TensorLike,
  options: SamplerOptions<C> = {},
): Promise<SamplerResult> {
  const sampling = prepareSampling("dpmSolverSample", denoiser, initial, options);
  const { levels, call, z: start } = sampling;
  const top = levels.length - 1;
  const { carried: _, ...result } = await runTrajectory<C, { z: Tensor; before: Tensor | null }>(sampling, {
    initial: () => ({ z: start, before: null }),
    async step({ z, before }, k) {
      const i = top - k + 1;
      const data = await call.data(z, levels[i]);
      const factors = dpmCoefficients(levels[i], levels[i - 1], before === null ? undefined : levels[i + 1]);
      const next =
        before === null || factors.before === 0
          ? linearCombination([factors.z, factors.data], [z, data])
          : linearCombination([factors.z, factors.data, factors.before], [z, data, before]);
      return { z: next, before: data };
    },
    position: ({ z }) => z,
    placeAfter: (k) => top - k,
  });
  return result;
}
