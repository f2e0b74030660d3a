import {
  constantState,
  type EmbeddedStepOptions,
  embeddedStep,
  initialStepSize,
  type MethodName,
  methods,
  replaySde,
  type StochasticMethodName,
  stochasticMethods,
  type TensorRate,
} from "@offprint/ode";
import {
  abs,
  checkOptions,
  div,
  minimum,
  mul,
  pow,
  requireChoice,
  requireFinite,
  requireFunction,
  requireObject,
  reshape,
  ShapeError,
  sign,
  stopGradient,
  type Tensor,
  type TensorLike,
  tensor,
  tree,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";

/** Which heuristic of the solver is penalised. */
export type Heuristic = "error" | "stiffness";

/** How the step of the local term is long: as that of the solve, by the rule for first steps, or until its error is about 1. */
export type LocalStep = "solver" | "initial" | "trial";

/** Options of {@link localTerm}. */
export interface LocalTermOptions<P> {
  /** What is penalised (default `"error"`). */
  readonly regularize?: Heuristic;
  /** The method of the step (default `"tsit5"`). */
  readonly method?: MethodName;
  /** Both tolerances (default 1e-6). */
  readonly tolerance?: number;
  /** Handed to the rate: what gets a gradient. */
  readonly parameters?: P;
  /** Whether the first stage is a constant, as in the official code (default false). */
  readonly firstStageConstant?: boolean;
}

/** @internal The names of {@link LocalTermOptions}. */
export const localTermNames = ["regularize", "method", "tolerance", "parameters", "firstStageConstant"];

/** @internal The options of a single step. @throws ValueError, UnsupportedError */
export function stepOptions<P>(
  owner: string,
  options: LocalTermOptions<P>,
): EmbeddedStepOptions<P> & { method: MethodName } {
  const { regularize = "error", method = "tsit5", tolerance = 1e-6, parameters, firstStageConstant = false } = options;
  requireChoice(owner, "regularize", regularize, ["error", "stiffness"]);
  requireChoice(owner, "method", method, Object.keys(methods));
  const able = regularize === "error" ? methods[method].adaptive : methods[method].estimatesStiffness;
  if (!able) {
    throw new UnsupportedError(`${owner}: ${method} has no estimate of the ${regularize}; take tsit5 or dopri5`);
  }
  return {
    method,
    relativeTolerance: tolerance,
    absoluteTolerance: tolerance,
    firstStageConstant,
    ...(parameters !== undefined && { parameters }),
  };
}

/**
 * The local term: one embedded step of size `h` from the state `u` at `t1`, both constants. `"error"`: `E |h|`; `"stiffness"`: `S / s`.
 * Differentiable in the parameters alone: no gradient goes into the solve, or into what came before it.
 * @returns a scalar
 * @throws ValueError, UnsupportedError
 * @see Pal, Edelman, Rackauckas, ICML 2023, section 3.
 */
export function localTerm<Y, P = unknown>(
  f: TensorRate<Y, P>,
  u: Y,
  t1: TensorLike,
  h: TensorLike,
  options: LocalTermOptions<P> = {},
): Tensor {
  checkOptions("localTerm", options, localTermNames);
  requireFunction("localTerm", "f", f);
  const settings = stepOptions("localTerm", options);
  const size = stopGradient(tensor(h, { dtype: "float64" }));
  requireFinite("localTerm", "h", size);
  const { error, stiffness } = embeddedStep<Y, P>(f, t1, constantState(u), size, settings);
  if (options.regularize === "stiffness") return div(stiffness, methods[options.method ?? "tsit5"].stabilitySize);
  return mul(error, abs(size));
}

/** Trials to find a step whose error is about 1. */
const TRIALS = 3;

/** The size of a step from `u` at `t1` without a solver's own: by the rule for first steps, or by trial. A constant. */
export function foreignStep<Y, P>(
  f: TensorRate<Y, P>,
  u: Y,
  t1: Tensor,
  left: Tensor,
  way: "initial" | "trial",
  options: LocalTermOptions<P>,
): Tensor {
  requireFunction("foreignStep", "f", f);
  requireObject("foreignStep", "t1", t1, "a tensor");
  requireObject("foreignStep", "left", left, "a tensor");
  requireObject("foreignStep", "options", options, "an object");
  const settings = stepOptions("foreignStep", options);
  const state = constantState(u);
  let h = initialStepSize<Y, P>(f, t1, state, left, settings);
  if (way === "initial") return stopGradient(h);
  for (let trial = 0; trial < TRIALS; trial++) {
    const { error } = embeddedStep<Y, P>(f, t1, state, h, settings);
    // By the integral controller, at most five times as long at once, and not beyond the end.
    const factor = minimum(mul(pow(error.maximum(1e-30), -1 / 5), 0.9), 5);
    h = mul(sign(left), minimum(mul(abs(h), factor), abs(left)));
  }
  return stopGradient(h);
}

/** Options of {@link localSdeTerm}. */
export interface LocalSdeTermOptions<P> {
  /** What is penalised (default `"error"`; `"stiffness"` needs `"sosri2"`). */
  readonly regularize?: Heuristic;
  /** The method of the step (default `"sosri"`). */
  readonly method?: StochasticMethodName;
  /** Both tolerances (default 0.14). */
  readonly tolerance?: number;
  /** Handed to drift and diffusion. */
  readonly parameters?: P;
}

/**
 * The local term of a stochastic equation, with increments of its own: `dW` and `dZ` are fresh normal numbers of variance
 * `h`, like the state.
 * @throws ValueError, UnsupportedError
 */
export function localSdeTerm<P = unknown>(
  drift: TensorRate<Tensor, P>,
  diffusion: TensorRate<Tensor, P>,
  u: Tensor,
  t1: TensorLike,
  h: TensorLike,
  noise: { readonly dW: Tensor; readonly dZ: Tensor },
  options: LocalSdeTermOptions<P> = {},
): Tensor {
  const owner = "localSdeTerm";
  checkOptions(owner, options, ["regularize", "method", "tolerance", "parameters"]);
  const { regularize = "error", method = "sosri", tolerance = 0.14, parameters } = options;
  requireChoice(owner, "regularize", regularize, ["error", "stiffness"]);
  requireChoice(owner, "method", method, Object.keys(stochasticMethods));
  const { estimatesStiffness, stabilitySize } = stochasticMethods[method];
  if (regularize === "stiffness" && !estimatesStiffness) {
    throw new UnsupportedError(`${owner}: ${method} has no estimate of the stiffness; take sosri2`);
  }
  requireFunction(owner, "drift", drift);
  requireFunction(owner, "diffusion", diffusion);
  requireObject(owner, "u", u, "a tensor");
  const { dW, dZ } = increments(owner, noise, u);
  const column = (x: TensorLike) => reshape(tensor(x, { dtype: "float64" }), [1]);
  const row = (x: Tensor) => reshape(x, [1, x.size]);
  const step = {
    t: column(t1),
    h: column(h),
    dW: row(dW),
    dZ: row(dZ),
    count: tensor(1, { dtype: "int32" }),
  };
  if (step.h.storage.kind === "host" && !(step.h.item() > 0 && step.h.item() < Infinity)) {
    throw new ValueError(`${owner}: h is ${step.h.item()}; stochastic steps run forwards, by a finite number`);
  }
  const { errors, stiffness } = replaySde<Tensor, P>(drift, diffusion, stopGradient(u), tree.map(stopGradient, step), {
    method,
    relativeTolerance: tolerance,
    absoluteTolerance: tolerance,
    ...(parameters !== undefined && { parameters }),
  });
  return regularize === "error"
    ? mul(errors.slice([0]), reshape(step.h, []))
    : div(stiffness.slice([0]), stabilitySize);
}

/** @throws ShapeError unless there is an increment for every entry of the state */
function increments(
  owner: string,
  noise: { readonly dW: Tensor; readonly dZ: Tensor },
  u: Tensor,
): { readonly dW: Tensor; readonly dZ: Tensor } {
  requireObject(owner, "noise", noise, "{ dW, dZ }");
  for (const name of ["dW", "dZ"] as const) {
    requireObject(owner, `${name} of noise`, noise[name], "a tensor");
    if (noise[name].size === u.size) continue;
    throw new ShapeError(
      `${owner}: ${name} has shape [${noise[name].shape}] for a state [${u.shape}]; give a number for each entry`,
    );
  }
  return noise;
}
