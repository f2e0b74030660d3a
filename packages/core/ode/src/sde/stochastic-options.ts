import { requireChoice, requirePositive, type TensorLike, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { type Controller, checkController, fixedController, piController } from "../controller.js";
import { type Stepping, timesOf } from "../options.js";
import { eulerHeun, eulerMaruyama } from "./euler-methods.js";
import { sosri, sosri2 } from "./sosri.js";
import type { StochasticMethod } from "./stochastic-method.js";
import { stochasticRungeKutta } from "./stochastic-runge-kutta.js";

/** The stochastic methods, by name. */
export const stochasticMethods = {
  sosri: stochasticRungeKutta(sosri),
  sosri2: stochasticRungeKutta(sosri2),
  eulerMaruyama,
  eulerHeun,
} as const;

/** The name of a stochastic method. */
export type StochasticMethodName = keyof typeof stochasticMethods;

/** How a stochastic equation is stepped through. */
export interface StochasticSteppingOptions {
  /** The method (default `"sosri"`); `"eulerHeun"` solves Stratonovich's equation, the others Ito's. */
  readonly method?: StochasticMethodName | StochasticMethod;
  /** Error that a step may make, relative to the state (default 1e-2). */
  readonly relativeTolerance?: number;
  /** Error that a step may make beside it (default 1e-2). */
  readonly absoluteTolerance?: number | TensorLike;
  /** How steps follow errors (default `piController({ largest: 9 / 8 })`). */
  readonly controller?: Controller;
  /** Size of the first step (default: found, and small). */
  readonly initialStep?: number;
  /** All steps of this size; the last may be shorter. */
  readonly stepSize?: number;
  /**
   * Noise that entries share, for `"eulerMaruyama"` and `"eulerHeun"`: the extents of the Brownian path. With `[m]` a state `[..., n]` has a
   * diffusion `[..., n, m]`, and all rows feel the same path; with `[..., m]` each row has a path of its own. Default: noise of its own for
   * every entry, with a diffusion like the state.
   */
  readonly noise?: readonly number[];
}

/** @internal The names of {@link StochasticSteppingOptions}. */
export const stochasticNames = [
  "method",
  "relativeTolerance",
  "absoluteTolerance",
  "controller",
  "initialStep",
  "stepSize",
  "noise",
];

/** @internal Stochastic stepping options, checked. */
export interface StochasticStepping extends Omit<Stepping, "method"> {
  readonly method: StochasticMethod;
}

/** @internal By what power steps follow errors. */
export const CONTROL_ORDER = 1.5;

/** One object, so that solves know that they need not be compiled again. */
const usual = piController({ largest: 9 / 8 });

/** @internal Checks what every stochastic solve takes. @throws ValueError */
export function checkStochastic(owner: string, options: StochasticSteppingOptions): StochasticStepping {
  const {
    method: given = "sosri",
    relativeTolerance = 1e-2,
    absoluteTolerance = 1e-2,
    initialStep,
    stepSize,
  } = options;
  if (typeof given === "string") requireChoice(owner, "method", given, Object.keys(stochasticMethods));
  const method = typeof given === "string" ? stochasticMethods[given] : given;
  if (typeof method?.step !== "function")
    throw new ValueError(`${owner}: method is ${String(method)}; give a name or a method`);
  if (options.noise !== undefined && method.noise !== "any") {
    throw new UnsupportedError(
      `${owner}: ${method.name} is for noise of each entry's own; with noise [${options.noise}] take "eulerMaruyama" or "eulerHeun"`,
    );
  }
  requirePositive(owner, "relativeTolerance", relativeTolerance);
  if (typeof absoluteTolerance === "number") requirePositive(owner, "absoluteTolerance", absoluteTolerance);
  checkController(owner, options.controller);
  if (initialStep !== undefined) requirePositive(owner, "initialStep", initialStep);
  if (stepSize !== undefined) requirePositive(owner, "stepSize", stepSize);
  if (stepSize !== undefined && (initialStep !== undefined || options.controller !== undefined)) {
    throw new ValueError(
      `${owner}: stepSize fixes all steps, so that initialStep and controller say nothing; leave them out`,
    );
  }
  return {
    method,
    controller: stepSize === undefined ? (options.controller ?? usual) : fixedController,
    relativeTolerance,
    absoluteTolerance,
    initialStep: stepSize ?? initialStep ?? 0,
    norm: "state",
    stopAt: timesOf(owner, "stopAt", []),
  };
}
