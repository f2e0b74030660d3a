import { alongBatch, type LevelTensors, levelTensors, samplerNames } from "@offprint/diffusion";
import {
  add,
  checkOptions,
  div,
  einsum,
  expandDims,
  jit,
  linalg,
  mul,
  requireObject,
  requirePositive,
  reshape,
  sqrt,
  square,
  sub,
  type Tensor,
  type TensorLike,
  ValueError,
} from "@offprint/tensor-core";
import { perSample } from "./hessian-trace.js";
import { type LatentModel, requireModel } from "./latent-model.js";
import { linearised, measuredCovariance } from "./likelihood.js";
import type { MeasurementLike } from "./measurement.js";
import {
  prepareRestoration,
  type RestoreOptions,
  type RestoreResult,
  restoreNames,
  runRestoration,
} from "./restoration.js";

/** Options of {@link tmpd}. */
export interface TmpdOptions<C = Tensor> extends RestoreOptions<C> {
  /** Standard deviation of the noise of the measurements, > 0. */
  readonly deviation: number;
}

/**
 * The second-order reference with the full covariance (TMPD, Boys et al. 2023): the predicted data are moved to the mean of the normal posterior
 * with `H_A Cov H_A^T + deviation^2 I`. A derivative for each entry of a latent, so for small latents of models in operations
 * of tensors alone.
 */
export async function tmpd<C = Tensor>(
  model: LatentModel<C>,
  measurement: MeasurementLike,
  measured: TensorLike,
  options: TmpdOptions<C>,
): Promise<RestoreResult> {
  requireObject("tmpd", "model", model, "a LatentModel");
  const owner = "tmpd";
  const names = [...restoreNames, "deviation"];
  checkOptions(owner, options, [...samplerNames, ...names], ["deviation"]);
  const { deviation, condition, backend } = options;
  requirePositive(owner, "deviation", deviation);
  requireModel(owner, model, ["denoiser", "decode"]);
  const whole = { initial: "noise" as const, ...options };
  const prepared = await prepareRestoration(owner, model, measurement, measured, whole, names);
  const { apply, y } = prepared;
  const moved = jit(
    (z: Tensor, seen: Tensor, level: LevelTensors, told: C | undefined) => {
      const found = linearised(owner, model, apply, seen, z, level, told);
      const { missed, jacobian, covariance, data } = found;
      const weights = linalg.solve(measuredCovariance(found, deviation), expandDims(missed, 2));
      const shift = einsum("bij,brj,brk->bik", covariance, jacobian, weights);
      const [alpha, sigma] = [alongBatch(level.alpha, z), alongBatch(level.sigma, z)];
      const noise = div(sub(z, mul(add(data, reshape(shift, z.shape)), alpha)), sigma);
      return { noise, residual: sqrt(perSample(square(missed))) };
    },
    backend ? { backend } : {},
  );
  return runRestoration<C, null>(model, measurement, prepared, whole, {
    initial: () => null,
    async step(z, _, { from, down, tally }) {
      const level = levelTensors(from, z.dtype as "float64");
      const { noise, residual } = await solved(deviation, async () => moved(z, y, level, condition));
      // One derivative of denoiser and decoder for every entry of a latent.
      tally({ score: 1, decode: 1, gradient: z.size / z.shape[0] });
      return { z: down(z, noise), carried: null, residual };
    },
  });
}

/** @throws ValueError that names the deviation, where the covariance of measurements has no inverse in numbers. */
async function solved<T>(deviation: number, solve: () => Promise<T>): Promise<T> {
  try {
    return await solve();
  } catch (cause) {
    if (!(cause instanceof ValueError && cause.message.startsWith("solve: "))) throw cause;
    throw new ValueError(
      `tmpd: deviation is ${deviation}, with which H_A Cov H_A^T + deviation^2 I has no inverse in numbers; give one nearer to the size of y`,
      { cause },
    );
  }
}
