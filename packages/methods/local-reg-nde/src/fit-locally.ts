import { type Adjoint, integrate } from "@offprint/ode";
import {
  annealed,
  type OdeFitOptions,
  type OdeModel,
  odeFitOptionNames,
  prepared,
  rateAlong,
  requireOdeModel,
  solvingOptions,
  trainOde,
} from "@offprint/ode/fit";
import type { BatchSource, TrainResult } from "@offprint/optim";
import { checkOptions, refuseIdle, requireChoice, requireInteger, type Tensor } from "@offprint/tensor-core";
import { drawAlong, drawnRegularizer } from "./draw-along.js";
import { type Heuristic, type LocalStep, stepOptions } from "./local-term.js";
import type { Sampling } from "./sampling.js";

/** Options of {@link fitLocally}. */
export interface FitLocallyOptions<P> extends OdeFitOptions<P> {
  /** How the time of the local step is drawn, or `"none"` (default `"unbiased"`). */
  readonly mode?: Sampling | "none";
  /** What is penalised (default `"error"`). */
  readonly regularize?: Heuristic;
  /** How long the local step is (default `"solver"`). */
  readonly localStep?: LocalStep;
  /** Times drawn for each solve (default 1). */
  readonly samples?: number;
  /** Whether the first stage of the local step is a constant, as in the official code (default false). */
  readonly firstStageConstant?: boolean;
  /** How the solve itself is differentiated: any adjoint will do (default `"interpolating"`). */
  readonly adjoint?: Exclude<Adjoint, "none">;
}

const names = ["mode", "regularize", "localStep", "samples", "firstStageConstant", "adjoint", ...odeFitOptionNames];

/**
 * Trains a model with a differential equation in it so that it is easy to solve, with the solve a black box: beside the loss,
 * one step of the solver at one random time is penalised, `L + lambda r(t1)`.
 *
 * @param data - The batches of an epoch: trees of tensors of one shape each.
 * @returns what `train` of `@offprint/optim` gives; `history` has the figures `regularizer`, `evaluations` and `steps`.
 * @throws ValueError, UnsupportedError; NonFiniteError, with the last good state.
 * @see Pal, Edelman, Rackauckas, ICML 2023.
 */
export async function fitLocally<P, Y = Tensor, B = unknown, E = B>(
  model: OdeModel<P, Y, B, E>,
  initial: P,
  data: BatchSource<B>,
  options: FitLocallyOptions<P>,
): Promise<TrainResult<P>> {
  const owner = "fitLocally";
  requireOdeModel(owner, model);
  checkOptions(owner, options, names, ["optimizer", "epochs"]);
  const { mode = "unbiased", regularize = "error", localStep = "solver", samples = 1 } = options;
  const { lambda = 0, adjoint = "interpolating", tolerance = 1e-6, firstStageConstant = false } = options;
  requireChoice(owner, "mode", mode, ["none", "unbiased", "biased"]);
  if (mode === "none") {
    refuseIdle(owner, 'mode "none"', options, ["regularize", "localStep", "samples", "firstStageConstant"]);
  }
  requireChoice(owner, "localStep", localStep, ["solver", "initial", "trial"]);
  requireChoice(owner, "adjoint", adjoint, ["discrete", "interpolating", "backsolve"]);
  requireInteger(owner, "samples", samples, 1);
  requireChoice(owner, "firstStageConstant", firstStageConstant, [true, false]);
  const { span, ...settings } = solvingOptions<P>(owner, options);
  const { method } = settings;
  stepOptions(owner, { regularize, method, tolerance });
  const local = mode !== "none" && annealed(lambda, 0, 1) !== 0;
  return trainOde(
    owner,
    {
      judge(params, batch: B, uniform: Tensor) {
        const seen = prepared(model, params, batch);
        const rate = rateAlong(model, seen);
        const first = model.initial(params, seen);
        const how = { ...settings, adjoint, parameters: params };
        if (!local) {
          const solved = integrate<Y, P>(rate, first, span, how);
          return { loss: model.loss(params, solved, seen), solved };
        }
        const solved = integrate(rate, first, span, { ...how, fold: drawAlong(first, span, uniform, mode) });
        const term = { regularize, localStep, method, tolerance, firstStageConstant, parameters: params };
        const penalty = drawnRegularizer<Y, P>(rate, solved.folded, span, term);
        return { loss: model.loss(params, solved, seen), penalty, solved };
      },
      draws(rng) {
        const times = rng.fork("local");
        return () => times.uniform([samples], { dtype: "float64" });
      },
    },
    initial,
    data,
    options,
  );
}
