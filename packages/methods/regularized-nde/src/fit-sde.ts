import { stochasticMethods } from "@offprint/ode";
import {
  type RegularizedSdeSolve,
  type SdeFitOptions,
  type SdeFitResult,
  type SdeModel,
  sdeFitOptionNames,
  trainSde,
} from "@offprint/ode/fit";
import type { BatchSource } from "@offprint/optim";
import { checkOptions, requireChoice } from "@offprint/tensor-core";
import { type Aggregate, type Regularize, regularizerOf } from "./regularizers.js";

/** Options of {@link fitSde}. */
export interface FitSdeOptions<P> extends SdeFitOptions<P> {
  /** What of the solver is penalised (default `"error"`). */
  readonly regularize?: Regularize;
  /** How the steps become one number (default `"mean"`). */
  readonly aggregate?: Aggregate;
}

/**
 * Trains a model with a stochastic equation in it so that it is easy to solve. Every batch is solved along a path of its own;
 * the gradient is that of the steps that were made, with their sizes and increments as constants.
 *
 * @param data - The batches of an epoch: trees of tensors of one shape each.
 * @throws ValueError, UnsupportedError; NonFiniteError, with the last good state, where loss or solve are not finite.
 * @see Pal, Ma, Shah, Rackauckas, ICML 2021.
 */
export async function fitSde<P, B>(
  model: SdeModel<P, B>,
  initial: P,
  data: BatchSource<B>,
  options: FitSdeOptions<P>,
): Promise<SdeFitResult<P>> {
  const owner = "fitSde";
  checkOptions(owner, options, ["regularize", "aggregate", ...sdeFitOptionNames], ["optimizer", "epochs"]);
  const { method = "sosri", regularize = "error", aggregate = "mean" } = options;
  requireChoice(owner, "method", method, Object.keys(stochasticMethods));
  const regularizer = regularizerOf(owner, regularize, aggregate, stochasticMethods[method]);
  const regularized: RegularizedSdeSolve<P, null> | undefined = regularizer && {
    penalty: ({ errors, stiffness, path }) => regularizer({ errors, stiffness, stepSizes: path.h, steps: path.count }),
    draws: () => null,
  };
  return trainSde(owner, regularized, model, initial, data, options);
}
