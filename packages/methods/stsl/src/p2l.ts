import { levelTensors, samplerNames } from "@offprint/diffusion";
import { adam, applyUpdates } from "@offprint/optim";
import {
  abs,
  checkOptions,
  div,
  isTensor,
  max,
  mul,
  refuseIdle,
  requireInteger,
  requireNonNegative,
  requirePositive,
  square,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import { correction, guardedNorm, missedBy, tweedie } from "./correction.js";
import { withFirstOrderDefaults } from "./first-order.js";
import { perSample } from "./hessian-trace.js";
import { encoded, type LatentModel, requireModel } from "./latent-model.js";
import { leastSquares, linear, type Measurement } from "./measurement.js";
import {
  decodedImage,
  prepareRestoration,
  type RestoreOptions,
  type RestoreResult,
  restoreNames,
  runRestoration,
} from "./restoration.js";

/** Options of {@link p2l}. */
export interface P2lOptions<C = Tensor> extends RestoreOptions<C> {
  /** Factor of the gradient of `|y - A D(z0(z))|`, >= 0; 0 needs no gradients. Default 1. */
  readonly stepSize?: number;
  /** Steps of Adam on the condition at every level, >= 0. Default 1 where there is a condition, else 0. */
  readonly embeddingSteps?: number;
  /** Learning rate of these steps. Default 0.1. */
  readonly learningRate?: number;
  /** At every so many levels the predicted latent is replaced by that of the image that measurements were put into; 0 for never. Default 5. */
  readonly projectEvery?: number;
  /** Weight of staying near the predicted image there, > 0. Default 1. */
  readonly projectionWeight?: number;
}

interface Tuned<C> {
  readonly condition: C | null;
  readonly optimizer: unknown;
}

/**
 * P2L (Chung et al. 2024), the first-order baseline that also tunes the condition while it samples: two calls a level. With
 * `stepSize` and `embeddingSteps` 0 and `projectEvery` 1 it only puts measurements into the predicted images, which needs no
 * gradients, so that every exported model can be used.
 */
export async function p2l<C = Tensor>(
  model: LatentModel<C>,
  measurement: Measurement,
  measured: TensorLike,
  options: P2lOptions<C> = {},
): Promise<RestoreResult> {
  const owner = "p2l";
  const names = [...restoreNames, "stepSize", "embeddingSteps", "learningRate", "projectEvery", "projectionWeight"];
  checkOptions(owner, options, [...samplerNames, ...names]);
  const { condition, backend, stepSize = 1, learningRate = 0.1, projectEvery = 5, projectionWeight = 1 } = options;
  const { embeddingSteps = condition === undefined ? 0 : 1 } = options;
  requireNonNegative(owner, "stepSize", stepSize);
  requireInteger(owner, "embeddingSteps", embeddingSteps, 0);
  requirePositive(owner, "learningRate", learningRate);
  requireInteger(owner, "projectEvery", projectEvery, 0);
  requirePositive(owner, "projectionWeight", projectionWeight);
  if (embeddingSteps === 0) refuseIdle(owner, "embeddingSteps 0", options, ["learningRate"]);
  if (projectEvery === 0) refuseIdle(owner, "projectEvery 0", options, ["projectionWeight"]);
  if (embeddingSteps > 0 && condition === undefined) {
    throw new ValueError(`${owner}: embeddingSteps is ${embeddingSteps}, but there is no condition to tune; give one`);
  }
  requireModel(owner, model, stepSize > 0 || embeddingSteps > 0 ? ["denoiser", "decode"] : []);
  const back = linear(owner, measurement, "the projection");
  const whole = withFirstOrderDefaults(options);
  const prepared = await prepareRestoration(owner, model, measurement, measured, whole, names);
  const { sampling, y, apply } = prepared;
  const by = (of: "states" | "condition") =>
    correction<C>(
      owner,
      model,
      {
        name: `p2l, ${of}`,
        measurement,
        apply,
        by: of,
        loss: (_, { numbers }, missed) =>
          of === "condition" ? perSample(square(missed)) : mul(guardedNorm(missed), numbers["stepSize"]),
      },
      backend,
    );
  const [descend, tune] = [by("states"), by("condition")];
  const optimizer = adam({ learningRate });
  const float = (given: C): C =>
    tree.map((leaf: Tensor) => tensor(leaf, { dtype: sampling.z.dtype as "float64" }), given) as C;
  /** A predicted image with the measurements put into it, in latents. */
  const projected = async (image: Tensor): Promise<Tensor | number> => {
    // No measurements can be put into it; the run says what it may come from.
    if (!Number.isFinite(max(abs(image)).item())) return Number.NaN;
    const glued = await leastSquares(back, y, { weight: projectionWeight, towards: image.cast("float64") });
    return (await encoded(owner, model, glued)).cast(image.dtype);
  };
  return runRestoration<C, Tuned<C>>(model, measurement, prepared, whole, {
    factors: { stepSize, learningRate: embeddingSteps > 0 ? learningRate : 0 },
    initial() {
      if (embeddingSteps === 0 || condition === undefined) return { condition: null, optimizer: null };
      const own = float(condition);
      return { condition: own, optimizer: optimizer.init(own) };
    },
    async step(z, carried, { k, from, down, tally }) {
      const dtype = z.dtype as "float64";
      const level = levelTensors(from, dtype);
      const numbers = { stepSize: tensor(stepSize, { dtype }) };
      let tuned = carried;
      for (let j = 0; j < embeddingSteps && tuned.condition !== null; j++) {
        const made = await tune({ z, y, level, condition: tuned.condition, probes: [], numbers });
        tally({ score: 1, decode: 1, gradient: 1 });
        const update = optimizer.update(made.gradient as never, tuned.optimizer as never, tuned.condition as never);
        tuned = {
          condition: applyUpdates(tuned.condition as never, update.updates as never) as C,
          optimizer: update.state,
        };
      }
      const told = tuned.condition ?? condition;
      const made = stepSize > 0 ? await descend({ z, y, level, condition: told, probes: [], numbers }) : undefined;
      const noise = made?.noise ?? (await sampling.call.noise(z, from, told));
      tally({ score: 1, ...(made && { decode: 1, gradient: 1 }) });
      const gradient = made && isTensor(made.gradient) ? made.gradient : undefined;
      const due = projectEvery > 0 && k % projectEvery === 0;
      if (made !== undefined && !due) return { z: down(z, noise, gradient), carried: tuned, residual: made.residual };
      const image = await decodedImage(model, tweedie(z, noise, level));
      tally({ decode: 1 });
      const residual = made?.residual ?? perSample(square(missedBy(apply, y, image))).sqrt();
      const used = due ? div(sub(z, mul(await projected(image), from.alpha)), from.sigma) : noise;
      return { z: down(z, used, gradient), carried: tuned, residual };
    },
  });
}
