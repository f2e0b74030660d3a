import {
  ddimStep,
  levelGrid,
  prepareSampling,
  runTrajectory,
  type SamplerOptions,
  type SamplerResult,
} from "@offprint/diffusion";
import { requireInteger, type Tensor, type TensorLike, ValueError } from "@offprint/tensor-core";
import { usualGrid } from "./adjoint-sample.js";
import { normalised } from "./length.js";
import { type AdjointModel, denoiserOf, requireModel } from "./model.js";
import { requireLoss, type SampleLoss } from "./sample-loss.js";
import { adjointValueAndGradient } from "./value-and-gradient.js";

/** Options of {@link guidedSample}. */
export interface GuidedOptions<C = Tensor> extends SamplerOptions<C> {
  /** Steps of the sampler inside, at every level. Default 4. */
  readonly innerSteps?: number;
  /** How far a state is moved against the gradient, which is normalised for every sample: a number, or one for every step, from 1. Default 0.1. */
  readonly strength?: number | ((step: number) => number);
}

/**
 * Samples that a loss guides: at every level of a DDIM run the rest of the flow is solved in a few steps, and the state moved against the adjoint gradient of
 * the loss of where it leads.
 */
export async function guidedSample<P = null, C = Tensor>(
  model: AdjointModel<P, C>,
  loss: SampleLoss,
  initial: TensorLike,
  options: GuidedOptions<C> = {},
): Promise<SamplerResult> {
  requireModel("guidedSample", model);
  requireLoss("guidedSample", loss);
  const owner = "guidedSample";
  const denoiser = denoiserOf(model);
  const sampling = prepareSampling(owner, denoiser, initial, usualGrid(owner, denoiser, options), [
    "innerSteps",
    "strength",
  ]);
  const { innerSteps = 4, strength = 0.1, condition, backend } = options;
  requireInteger(owner, "innerSteps", innerSteps, 1);
  const strengthAt = (k: number): number => {
    const value = typeof strength === "function" ? strength(k) : strength;
    if (Number.isFinite(value)) return value;
    throw new ValueError(`${owner}: strength is ${String(value)} at step ${k}; it must be a finite number`);
  };
  strengthAt(1);
  const { levels, call, z: start } = sampling;
  const top = levels.length - 1;
  let inner = 0;
  const { carried: _, ...result } = await runTrajectory<C, { z: Tensor }>(
    { ...sampling, count: () => sampling.count() + inner },
    {
      initial: () => ({ z: start }),
      async step({ z }, k) {
        const i = top - k + 1;
        // From here to the end of the grid, in as many steps as are left at most, evenly in the logarithm.
        const { schedule } = denoiser;
        const span: [number, number] = [levels[0].t, levels[i].t];
        const rest = levelGrid({ ...schedule, span, levels: 0 }, Math.min(innerSteps, i), {
          spacing: "logSnr",
          clean: "none",
        });
        const made = await adjointValueAndGradient<P, C>(model, loss, z, {
          levels: rest,
          want: { condition: false, params: false },
          ...(condition !== undefined && { condition }),
          ...(backend && { backend }),
        });
        inner += made.calls;
        const moved = z.sub(normalised(made.noise).mul(strengthAt(k)));
        return { z: ddimStep(moved, await call.noise(moved, levels[i]), levels[i], levels[i - 1]) };
      },
      position: ({ z }) => z,
      placeAfter: (k) => top - k,
    },
  );
  return result;
}
