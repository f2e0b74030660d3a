import { levelTensors, samplerNames } from "@offprint/diffusion";
import {
  add,
  checkOptions,
  mul,
  refuseIdle,
  requireChoice,
  requireInteger,
  requireNonNegative,
  square,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
} from "@offprint/tensor-core";
import { correction, guardedSlope } from "./correction.js";
import {
  drawProbes,
  perSample,
  requireProbeScale,
  type TraceOptions,
  traceNames,
  traceSettings,
} from "./hessian-trace.js";
import { type LatentModel, requireModel } from "./latent-model.js";
import type { MeasurementLike } from "./measurement.js";
import {
  prepareRestoration,
  type RestoreOptions,
  type RestoreResult,
  restoreNames,
  runRestoration,
} from "./restoration.js";

/** Options of {@link stsl}. */
export interface StslOptions<C = Tensor> extends RestoreOptions<C>, TraceOptions {
  /** Corrections at every level, K >= 1. Default 5. */
  readonly corrections?: number;
  /** Length of a correction, zeta >= 0: `z` goes down along `zeta J'(z) / (2 |y - A D(z0)|)`. Default 0.6; tune it among 0.1, 0.3, 0.6, 1. */
  readonly stepSize?: number;
  /** Weight of the trace, kappa >= 0; 0 leaves the second order out. Default 0.002. */
  readonly traceWeight?: number;
  /** Whether the score of a level's last correction also makes the step, which saves a call. Default true. */
  readonly reuseScore?: boolean;
}

/** @internal Names of {@link StslOptions} beside those of samplers. */
export const stslNames = [
  ...restoreNames,
  ...traceNames,
  "corrections",
  "stepSize",
  "traceWeight",
  "reuseScore",
] as const;

/** @internal What is settled of a run of STSL. */
export interface StslSettings {
  /** K. */
  readonly corrections: number;
  /** zeta. */
  readonly stepSize: number;
  /** kappa. */
  readonly traceWeight: number;
  /** Whether a level's last score also makes the step. */
  readonly reuseScore: boolean;
}

/**
 * Restores images from measurements `y = A x + noise` with a latent diffusion model as prior, by the paper's second-order
 * Tweedie sampler: at few levels, several corrections each against `|y - A D(z0(z))|^2 + kappa sigma^4 / alpha^2 tr H(z)`,
 * whose second part stands for the covariance of the data given the state.
 * @param model the denoiser and the autoencoder, or `pixelModel(denoiser)`
 * @param measurement `inpainting(mask)`, `superResolution(4)`, `gaussianBlur()`, ... or a map of one's own
 * @param measured `y`, `[batch, ...]`
 * @throws ValueError for numbers out of range; ShapeError where measurements do not fit; UnsupportedError for black boxes
 * without gradients; NonFiniteError that names the level where a state stops being finite.
 * @see https://arxiv.org/abs/2312.00852
 * @example const { x } = await stsl(pixelModel(denoiser), inpainting(mask), pictures, { stepSize: 0.6 });
 */
export async function stsl<C = Tensor>(
  model: LatentModel<C>,
  measurement: MeasurementLike,
  measured: TensorLike,
  options: StslOptions<C> = {},
): Promise<RestoreResult> {
  const owner = "stsl";
  checkOptions(owner, options, [...samplerNames, ...stslNames]);
  const { corrections = 5, stepSize = 0.6, traceWeight = 0.002, reuseScore = true } = options;
  requireChoice(owner, "reuseScore", reuseScore, [true, false]);
  if (traceWeight === 0) refuseIdle(owner, "traceWeight 0", options, traceNames);
  return secondOrder(owner, model, measurement, measured, options, { corrections, stepSize, traceWeight, reuseScore });
}

/** @internal STSL, and with one correction and no trace LDPS. */
export async function secondOrder<C>(
  owner: string,
  model: LatentModel<C>,
  measurement: MeasurementLike,
  measured: TensorLike,
  options: RestoreOptions<C> & TraceOptions,
  { corrections, stepSize, traceWeight, reuseScore }: StslSettings,
): Promise<RestoreResult> {
  requireInteger(owner, "corrections", corrections, 1);
  requireNonNegative(owner, "stepSize", stepSize);
  requireNonNegative(owner, "traceWeight", traceWeight);
  const settings = traceSettings(owner, options);
  requireModel(owner, model, ["denoiser", "decode"]);
  const prepared = await prepareRestoration(owner, model, measurement, measured, options, stslNames);
  const { sampling, y, apply } = prepared;
  const { condition, backend, seed = 0 } = options;
  const traced = traceWeight > 0 && settings;
  if (traced && traced.trace === "difference") requireProbeScale(owner, traced, sampling.z);
  const correct = correction<C>(
    owner,
    model,
    {
      name: `second order, trace ${traced ? traced.trace : "none"}`,
      measurement,
      apply,
      ...(traced && { trace: traced.trace }),
      // J = r^2 + kappa sigma^4 / alpha^2 tr H, scaled by zeta / (2 r) with r held.
      loss({ trace }, { numbers }, missed) {
        const squared = perSample(square(missed));
        const whole = trace === undefined ? squared : add(squared, mul(trace, numbers["traceWeight"]));
        return mul(mul(whole, guardedSlope(squared)), numbers["stepSize"]);
      },
    },
    backend,
  );
  const extra =
    traced && settings.trace !== "jvp" && settings.trace !== "difference" ? 0 : traced ? settings.probes : 0;
  return runRestoration<C, null>(model, measurement, prepared, options, {
    factors: { stepSize, traceWeight },
    initial: () => null,
    async step(start, _, { k, from, down, tally }) {
      const level = levelTensors(from, start.dtype as "float64");
      const number = (value: number) => tensor(value, { dtype: start.dtype as "float64" });
      const numbers = {
        stepSize: number(stepSize),
        traceWeight: number((traceWeight * from.sigma ** 4) / from.alpha ** 2),
        probeLength: number(settings.probeScale * from.sigma),
      };
      let z = start;
      for (let j = 1; ; j++) {
        const probes = traced ? drawProbes(settings, `${seed}/${k}/${j}/probe`, z) : [];
        const made = await correct({ z, y, level, condition, probes, numbers });
        const gradient = made.gradient as Tensor;
        tally({ score: 1 + extra, decode: 1, gradient: 1 + extra });
        if (j === corrections && reuseScore) {
          return { z: down(z, made.noise, gradient), carried: null, residual: made.residual };
        }
        z = sub(z, gradient);
        if (j < corrections) continue;
        tally({ score: 1 });
        return { z: down(z, await sampling.call.noise(z, from)), carried: null, residual: made.residual };
      }
    },
  });
}
