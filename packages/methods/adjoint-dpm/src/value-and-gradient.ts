import { samplerNames } from "@offprint/diffusion";
import { checkOptions, NonFiniteError, requireFinite, type Tensor, type TensorLike } from "@offprint/tensor-core";
import { type AdjointGradient, adjointGradient } from "./adjoint-gradient.js";
import { type AdjointOptions, adjointNames, adjointSample } from "./adjoint-sample.js";
import type { AdjointModel, Wanted } from "./model.js";
import { requireModel } from "./model.js";
import { type SolverOptions, solverNames } from "./ode-step.js";
import { lossAndSlope, requireLoss, type SampleLoss } from "./sample-loss.js";

/** Options of {@link adjointValueAndGradient}. */
export interface ValueAndGradientOptions<C = Tensor>
  extends Omit<AdjointOptions<C>, "record" | "onProgress" | "checkpoint" | "resume"> {
  /** What gradients are wanted of, beside the noise. */
  readonly want?: Wanted;
  /** Another solver for the way back. Default that of the way there. */
  readonly backward?: SolverOptions;
}

/** What {@link adjointValueAndGradient} gives. */
export interface ValueAndGradient<P, C>
  extends Pick<AdjointGradient<P, C>, "noise" | "condition" | "params" | "reverseDrift" | "calls" | "status"> {
  /** The loss. */
  readonly value: number;
  /** The samples. */
  readonly x: Tensor;
}

/** @internal Names of {@link ValueAndGradientOptions}. */
export const valueNames = [...samplerNames, ...adjointNames, "want", "backward"] as const;

/**
 * A loss of samples and its gradients by noise, condition and parameters: there by {@link adjointSample}, back by `adjointGradient`.
 * @example const { value, noise } = await adjointValueAndGradient(denoiser, (x) => mean(square(x)), rng.normal([16, 2]), { steps: 20 });
 */
export async function adjointValueAndGradient<P = null, C = Tensor>(
  model: AdjointModel<P, C>,
  loss: SampleLoss,
  initial: TensorLike,
  options: ValueAndGradientOptions<C> = {},
): Promise<ValueAndGradient<P, C>> {
  requireModel("adjointValueAndGradient", model);
  requireLoss("adjointValueAndGradient", loss);
  const owner = "adjointValueAndGradient";
  checkOptions(owner, options, valueNames);
  const { want, backward = {}, ...forward } = options;
  checkOptions(owner, backward, solverNames);
  const sample = await adjointSample<P, C>(model, initial, forward);
  const [value, slope] = await lossAndSlope(loss)(sample.x);
  if (!Number.isFinite(value)) throw new NonFiniteError(`${owner}: the loss of the samples is ${value}`);
  requireFinite(owner, "the gradient of the loss", slope);
  const { signal } = options;
  const back = await adjointGradient(sample.tape, slope, {
    ...backward,
    ...(want && { want }),
    ...(signal && { signal }),
  });
  const { noise, condition, params, reverseDrift, status } = back;
  const worse = sample.status === "limit" ? status : sample.status;
  return {
    value,
    x: sample.x,
    noise,
    condition,
    params,
    reverseDrift,
    calls: sample.calls + back.calls,
    status: worse,
  };
}
