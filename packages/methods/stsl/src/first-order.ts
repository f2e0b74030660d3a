import { levelTensors, samplerNames } from "@offprint/diffusion";
import {
  add,
  checkOptions,
  mul,
  requireChoice,
  requireNonNegative,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  UnsupportedError,
} from "@offprint/tensor-core";
import { correction, guardedNorm } from "./correction.js";
import { type LatentModel, requireModel } from "./latent-model.js";
import { linear, type Measurement, type MeasurementLike } from "./measurement.js";
import {
  prepareRestoration,
  type RestoreOptions,
  type RestoreResult,
  restoreNames,
  runRestoration,
} from "./restoration.js";
import { secondOrder } from "./stsl.js";

/** @internal A thousand levels, from noise, where nothing else is said. */
export function withFirstOrderDefaults<C>(options: RestoreOptions<C>): RestoreOptions<C> {
  return { initial: "noise", ...(options.levels === undefined && { steps: 1000 }), ...options };
}

/** Options of {@link ldps}. */
export interface LdpsOptions<C = Tensor> extends RestoreOptions<C> {
  /** Factor of the gradient of `|y - A D(z0(z))|`, >= 0. Default 1. */
  readonly stepSize?: number;
}

/** LDPS, the first-order baseline: diffusion posterior sampling (Chung et al. 2023) with a latent model. 1000 levels unless said otherwise. */
export async function ldps<C = Tensor>(
  model: LatentModel<C>,
  measurement: MeasurementLike,
  measured: TensorLike,
  options: LdpsOptions<C> = {},
): Promise<RestoreResult> {
  checkOptions("ldps", options, [...samplerNames, ...restoreNames, "stepSize"]);
  const { stepSize = 1 } = options;
  return secondOrder("ldps", model, measurement, measured, withFirstOrderDefaults(options), {
    corrections: 1,
    stepSize,
    traceWeight: 0,
    reuseScore: true,
  });
}

/** Options of {@link psld}. */
export interface PsldOptions<C = Tensor> extends RestoreOptions<C> {
  /** Factor of the gradient of `|y - A D(z0)|`, >= 0. Default 1. */
  readonly omega?: number;
  /** Factor of that of `|E(A^T y + D(z0) - A^T A D(z0)) - z0|`, >= 0. Default 0.1. */
  readonly gamma?: number;
  /**
   * What puts measurements into an image: `"transpose"` as the authors' code, or `"pseudoInverse"`, a projection also where
   * the rows of `A` are not orthonormal. Default `"transpose"`.
   */
  readonly glue?: "transpose" | "pseudoInverse";
}

/** PSLD (Rout et al. 2023), the first-order baseline that also asks latents to be fixed points of the autoencoder. 1000 levels unless said otherwise. */
export async function psld<C = Tensor>(
  model: LatentModel<C>,
  measurement: Measurement,
  measured: TensorLike,
  options: PsldOptions<C> = {},
): Promise<RestoreResult> {
  const owner = "psld";
  const names = [...restoreNames, "omega", "gamma", "glue"];
  checkOptions(owner, options, [...samplerNames, ...names]);
  const { omega = 1, gamma = 0.1, glue = "transpose", condition, backend } = options;
  requireNonNegative(owner, "omega", omega);
  requireNonNegative(owner, "gamma", gamma);
  requireChoice(owner, "glue", glue, ["transpose", "pseudoInverse"]);
  requireModel(owner, model, ["denoiser", "decode", "encode"]);
  const back = linear(owner, measurement, "the gluing");
  if (glue === "pseudoInverse" && back.pseudoInverse === undefined) {
    throw new UnsupportedError(`${owner}: the measurement has no pseudoInverse to glue with; take "transpose"`);
  }
  const put = (y: Tensor): Tensor =>
    glue === "transpose" || back.pseudoInverse === undefined ? back.transpose(y) : back.pseudoInverse(y);
  const whole = withFirstOrderDefaults(options);
  const prepared = await prepareRestoration(owner, model, measurement, measured, whole, names);
  const { y, apply } = prepared;
  const correct = correction<C>(
    owner,
    model,
    {
      name: `psld, ${glue}`,
      measurement,
      apply,
      blend: (image, measurements) => add(image, put(sub(measurements, apply(image)))),
      loss: ({ z0, encoded }, { numbers }, missed) =>
        add(mul(guardedNorm(missed), numbers["omega"]), mul(guardedNorm(sub(encoded as Tensor, z0)), numbers["gamma"])),
    },
    backend,
  );
  return runRestoration<C, null>(model, measurement, prepared, whole, {
    factors: { omega, gamma },
    initial: () => null,
    async step(z, _, { from, down, tally }) {
      const dtype = z.dtype as "float64";
      const numbers = { omega: tensor(omega, { dtype }), gamma: tensor(gamma, { dtype }) };
      const made = await correct({ z, y, level: levelTensors(from, dtype), condition, probes: [], numbers });
      tally({ score: 1, decode: 1, gradient: 1 });
      return { z: down(z, made.noise, made.gradient as Tensor), carried: null, residual: made.residual };
    },
  });
}
