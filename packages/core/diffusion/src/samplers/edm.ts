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
import { type Level, noiseRatio } from "../level.js";
import { levelAtRatio } from "../schedule.js";
import {
  prepareSampling,
  runTrajectory,
  type SamplerOptions,
  type SamplerResult,
  type Sampling,
} from "../trajectory.js";

/** A step of {@link heunStep}. */
export interface HeunStep {
  /** The state that it leads to. */
  readonly z: Tensor;
  /** The noise predicted where it began, for another step from there. */
  readonly noise: Tensor;
}

/**
 * EDM's step (Heun's) from place `from` of a grid to any other, up or down: in `y = z / alpha` over the ratio of noise, whose slope
 * is the predicted noise. Euler's where there is no noise at the end, or where `order` says so.
 * @param noise predicted at the beginning, where it is known
 */
export async function heunStep<C>(
  pick: Pick<Sampling<C>, "levels" | "call">,
  z: Tensor,
  from: number | Level,
  to: number,
  noise?: Tensor,
  order: 1 | 2 = 2,
): Promise<HeunStep> {
  requireObject("heunStep", "pick", pick, "{ levels, call }");
  requireObject("heunStep", "z", z, "a tensor");
  const { levels, call } = pick;
  const start = typeof from === "number" ? levels[from] : from;
  const end = levels[to];
  const at = typeof from === "number" ? callLevel(levels, from) : from;
  const slope = noise ?? (await call.noise(z, at));
  const span = end.alpha * (noiseRatio(end) - noiseRatio(start));
  const factor = end.alpha / start.alpha;
  const euler = linearCombination([factor, span], [z, slope]);
  if (order === 1 || end.sigma === 0) return { z: euler, noise: slope };
  const second = await call.noise(euler, end);
  return { z: linearCombination([factor, span / 2, span / 2], [z, slope, second]), noise: slope };
}

/** Options of {@link edmSample}. */
export interface EdmOptions<C = Tensor> extends SamplerOptions<C> {
  /** Noise added before each step, over all steps together (`S_churn`). Default 0. */
  readonly churn?: number;
  /** Noise is added only between these ratios of noise. Default everywhere. */
  readonly churnRange?: readonly [least: number, most: number];
  /** Standard deviation of what is added (`S_noise`). Default 1. */
  readonly churnDeviation?: number;
  /** What added noise follows from. Default 0. */
  readonly seed?: number | string;
}

/** EDM's sampler (Karras et al. 2022, algorithm 2): Heun's method, two calls a step but for the last. */
export async function edmSample<C = Tensor>(
  denoiser: Denoiser<C>,
  initial: TensorLike,
  options: EdmOptions<C> = {},
): Promise<SamplerResult> {
  const sampling = prepareSampling("edmSample", denoiser, initial, options, [
    "churn",
    "churnRange",
    "churnDeviation",
    "seed",
  ]);
  const { levels, z: start } = sampling;
  const { churn = 0, churnRange = [0, Infinity], churnDeviation = 1, seed = 0 } = options;
  if (!Array.isArray(churnRange)) {
    throw new ValueError(`edmSample: churnRange is ${String(churnRange)}; give two growing numbers >= 0`);
  }
  const [least, most] = churnRange as readonly [number, number];
  requireNonNegative("edmSample", "churn", churn);
  requireNonNegative("edmSample", "churnDeviation", churnDeviation);
  if (!(least >= 0 && most > least)) {
    throw new ValueError(`edmSample: churnRange is [${least}, ${most}]; give two growing numbers >= 0`);
  }
  const top = levels.length - 1;
  const stretch = Math.min(churn / top, Math.SQRT2 - 1);
  const stirred = (z: Tensor, place: number, k: number): { z: Tensor; from: number | Level } => {
    const level = levels[place];
    const ratio = noiseRatio(level);
    if (stretch === 0 || ratio < least || ratio > most) return { z, from: place };
    const from = levelAtRatio(denoiser.schedule, ratio * (1 + stretch));
    const fresh = random.rng(`${seed}/${k}`).normal(z.shape, { dtype: z.dtype as "float64" });
    const amount = churnDeviation * from.alpha * Math.sqrt(noiseRatio(from) ** 2 - ratio ** 2);
    return { z: linearCombination([from.alpha / level.alpha, amount], [z, fresh]), from };
  };
  const { carried: _, ...result } = await runTrajectory(sampling, {
    initial: () => ({ z: start }),
    async step({ z: before }, k) {
      const { z, from } = stirred(before, top - k + 1, k);
      return { z: (await heunStep(sampling, z, from, top - k)).z };
    },
    position: ({ z }) => z,
    placeAfter: (k) => top - k,
  });
  return result;
}
