import { type SdeSolution, stochasticMethods } from "@offprint/ode";
import {
  type RegularizedSdeSolve,
  type SdeFitOptions,
  type SdeFitResult,
  type SdeModel,
  sdeFitOptionNames,
  trainSde,
} from "@offprint/ode/fit";
import type { BatchSource } from "@offprint/optim";
import {
  add,
  checkOptions,
  mul,
  type Rng,
  refuseIdle,
  requireChoice,
  requireFunction,
  requireInteger,
  requireObject,
  sub,
  type Tensor,
  tensor,
  UnsupportedError,
} from "@offprint/tensor-core";
import { type Heuristic, localSdeTerm } from "./local-term.js";
import type { Sampling } from "./sampling.js";

/** Options of {@link fitSdeLocally}. */
export interface FitSdeLocallyOptions<P> extends SdeFitOptions<P> {
  /** How the time of the local step is drawn, or `"none"` (default `"unbiased"`). */
  readonly mode?: Sampling | "none";
  /** What is penalised (default `"error"`; `"stiffness"` needs the method `"sosri2"`). */
  readonly regularize?: Heuristic;
  /** Times drawn for each solve (default 1). */
  readonly samples?: number;
}

/** A state of a solve, the step from it, and increments of its own for that. */
export interface SdeDraw {
  /** When, a scalar. */
  readonly t1: Tensor;
  /** The size of the solver's step there, cut to the end. */
  readonly h: Tensor;
  /** The state then. */
  readonly u: Tensor;
  /** Fresh increments of variance `h`, like the state. */
  readonly dW: Tensor;
  /** Those of the second path. */
  readonly dZ: Tensor;
}

const float = (value: number) => tensor(value, { dtype: "float64" });

/**
 * Draws a step of a stochastic solve: evenly over its span, with the state linearly between the ends of the step there, or evenly among
 * its steps. The increments are not those of the path that was solved along.
 * @param solution - of `solveSde` of `@offprint/ode`, without `saveAt`
 */
export function drawSdeStep(sdeSolution: SdeSolution<Tensor, Tensor>, rng: Rng, mode: Sampling = "unbiased"): SdeDraw {
  requireObject("drawSdeStep", "sdeSolution", sdeSolution, "an SdeSolution");
  requireFunction("drawSdeStep", "rng.uniform", rng?.uniform);
  const { t, y, stepTimes, stepSizes, steps, end } = sdeSolution;
  requireChoice("drawSdeStep", "mode", mode, ["unbiased", "biased"]);
  if (t?.length !== steps + 1 || steps === 0) {
    throw new UnsupportedError(
      `drawSdeStep: the solution has ${t?.length ?? "no"} states of ${steps} steps; solve over a span that is not empty, without saveAt`,
    );
  }
  const part = rng.uniform([], { dtype: "float64" }).item();
  let step = Math.floor(part * steps);
  let t1 = stepTimes[step];
  if (mode === "unbiased") {
    t1 = t[0] + part * (end.t - t[0]);
    step = 0;
    while (step + 1 < steps && stepTimes[step + 1] <= t1) step++;
    // A time that rounds to the end has no step left: where the last one begins is as near as there is one.
    if (t1 >= end.t) t1 = stepTimes[step];
  }
  const h = Math.min(stepSizes[step], end.t - t1);
  const [from, to] = [y.slice([step]), y.slice([step + 1])];
  const u = add(from, mul(sub(to, from), (t1 - stepTimes[step]) / stepSizes[step]));
  const fresh = () => mul(rng.normal(u.shape, { dtype: "float64" }), Math.sqrt(h));
  return { t1: float(t1), h: float(h), u, dW: fresh(), dZ: fresh() };
}

/**
 * Trains a model with a stochastic equation in it so that it is easy to solve: beside the loss one step of the solver at one random time
 * is penalised, with increments of its own. Every batch is solved along a path of its own, and the loss has the gradient of the
 * steps that were made.
 *
 * @param data - The batches of an epoch: trees of tensors of one shape each.
 * @throws ValueError, UnsupportedError; NonFiniteError, with the last good state, where loss or solve are not finite.
 * @see Pal, Edelman, Rackauckas, ICML 2023.
 */
export async function fitSdeLocally<P, B>(
  model: SdeModel<P, B>,
  initial: P,
  data: BatchSource<B>,
  options: FitSdeLocallyOptions<P>,
): Promise<SdeFitResult<P>> {
  const owner = "fitSdeLocally";
  checkOptions(owner, options, ["mode", "regularize", "samples", ...sdeFitOptionNames], ["optimizer", "epochs"]);
  const { mode = "unbiased", regularize = "error", samples = 1, method = "sosri", tolerance = 0.14 } = options;
  requireChoice(owner, "mode", mode, ["none", "unbiased", "biased"]);
  if (mode === "none") refuseIdle(owner, 'mode "none"', options, ["regularize", "samples"]);
  requireChoice(owner, "regularize", regularize, ["error", "stiffness"]);
  requireChoice(owner, "method", method, Object.keys(stochasticMethods));
  requireInteger(owner, "samples", samples, 1);
  if (regularize === "stiffness" && !stochasticMethods[method].estimatesStiffness) {
    throw new UnsupportedError(
      `${owner}: regularize "stiffness" needs an estimate that ${method} has not; take "sosri2"`,
    );
  }
  const term = { regularize, method, tolerance };
  const regularized: RegularizedSdeSolve<P, SdeDraw[]> = {
    draws: (solution, rng) =>
      Array.from({ length: samples }, () => drawSdeStep(solution, rng, mode === "none" ? "unbiased" : mode)),
    penalty: (_, parameters, draws) =>
      draws
        .map(({ t1, h, u, dW, dZ }) =>
          localSdeTerm(model.drift, model.diffusion, u, t1, h, { dW, dZ }, { ...term, parameters }),
        )
        .reduce((a, b) => add(a, b))
        .div(samples),
  };
  return trainSde(owner, mode === "none" ? undefined : regularized, model, initial, data, options);
}
