import type { GradientTransformation, TrainingRecord, TrainingState } from "@offprint/optim";
import { type Figures, type RunOptions, runOptionNames } from "@offprint/solvers";
import {
  type Backend,
  isTensor,
  requireFunction,
  requireInteger,
  requireObject,
  stopGradient,
  type Tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import type { Integral, IntegrateOptions } from "../integrate.js";
import type { MethodName } from "../methods/index.js";
import { savesOf, spanOf } from "../options.js";
import { annealed, type Lambda } from "./annealed.js";

/** A model with a differential equation in it: what comes in becomes a state, is solved, and is judged. */
export interface OdeModel<P, Y, B, E = B> {
  /** The rate of change, in operations of tensors. What it takes from the batch is a constant to gradients, such as a random direction. */
  readonly rate: (t: Tensor, y: Y, params: P, batch: E) => Y;
  /** What first state and loss both look at, such as what an encoder makes of a batch: both get it in place of the batch. */
  readonly prepare?: (params: P, batch: B) => E;
  /** The first state of a batch. */
  readonly initial: (params: P, batch: E) => Y;
  /** The loss of a batch: a scalar. `ys` are the states at `saveAt`. */
  readonly loss: (params: P, solved: Pick<Integral<Y>, "y" | "ys">, batch: E) => Tensor;
}

/** A model whose rate does not look at the batch: it is one of `integrate` as it stands. */
export type PlainOdeModel<P, Y, B, E = B> = OdeModel<P, Y, B, E> & { readonly rate: (t: Tensor, y: Y, params: P) => Y };

/** Throws unless a model has the parts of {@link OdeModel}. @throws ValueError that names the one that is no function */
export function requireOdeModel<P, Y, B, E>(owner: string, model: OdeModel<P, Y, B, E>): void {
  requireObject(owner, "model", model, "an OdeModel");
  for (const part of ["rate", "initial", "loss"] as const) requireFunction(owner, `model.${part}`, model[part]);
  if (model.prepare !== undefined) requireFunction(owner, "model.prepare", model.prepare);
}

/** A batch as first state and loss of a model get it. */
export function prepared<P, Y, B, E>(model: OdeModel<P, Y, B, E>, params: P, batch: B): E {
  requireObject("prepared", "model", model, "an OdeModel");
  return model.prepare === undefined ? (batch as unknown as E) : model.prepare(params, batch);
}

/** The rate of a model along a batch, as `integrate` takes it. */
export function rateAlong<P, Y, B, E>(model: OdeModel<P, Y, B, E>, batch: E): (t: Tensor, y: Y, params: P) => Y {
  requireObject("rateAlong", "model", model, "an OdeModel");
  const constant = tree.map((x: unknown) => (isTensor(x) ? stopGradient(x) : x), batch) as E;
  return (t, y, params) => model.rate(t, y, params, constant);
}

/** How the equation of a model is solved while it is trained. */
export interface OdeSolving {
  /** From where to where (default `[0, 1]`). */
  readonly span?: readonly [number, number];
  /** The method (default `"tsit5"`). */
  readonly method?: MethodName;
  /** Both tolerances (default 1e-6). */
  readonly tolerance?: number;
  /** Times of `ys`. */
  readonly saveAt?: readonly number[];
  /** Steps at most (default 128); a solve that needs more is a NonFiniteError. */
  readonly maxSteps?: number;
}

/** What training a model with a differential equation in it takes, whatever is penalised. */
export interface OdeFitOptions<P> extends OdeSolving, Omit<RunOptions<TrainingRecord, TrainingState<P>>, "resume"> {
  /** Weight of the regulariser: constant, or from one value down to another over the epochs (default 0). */
  readonly lambda?: Lambda;
  /** How gradients become updates. */
  readonly optimizer: GradientTransformation;
  /** Passes over the data. */
  readonly epochs: number;
  /** Decides all chance (default 0). What a method draws has a generator of its own: batches do not depend on it. */
  readonly seed?: number | string;
  /** Compiles the training step (default the host's compiler). */
  readonly backend?: Backend;
  /** What to tell after every epoch, such as the accuracy on data held out. */
  readonly evaluate?: (params: P) => Figures;
  /** State of an earlier run. */
  readonly resume?: TrainingState;
}

/** The names of {@link OdeFitOptions}, for `checkOptions`. */
export const odeFitOptionNames = [
  ...["span", "method", "tolerance", "saveAt", "maxSteps", "lambda"],
  ...["optimizer", "epochs", "seed", "backend", "evaluate", ...runOptionNames],
] as const;

/** Options of `integrate` that follow from how an equation is solved, and the span. */
export type Solving<P> = Pick<
  IntegrateOptions<P>,
  "method" | "relativeTolerance" | "absoluteTolerance" | "maxSteps" | "saveAt"
> & { readonly span: readonly [number, number]; readonly method: MethodName };

/** The options of `integrate` that these stand for. @throws ValueError */
export function solvingOptions<P>(owner: string, options: OdeSolving): Solving<P> {
  requireObject(owner, "options", options, "an OdeSolving");
  const { span = [0, 1], method = "tsit5", tolerance = 1e-6, saveAt, maxSteps = 128 } = options;
  requireInteger(owner, "maxSteps", maxSteps, 1);
  const [t0, t1] = spanOf(owner, span);
  if (!(tolerance > 0 && tolerance < 1)) {
    throw new ValueError(`${owner}: tolerance is ${tolerance}; it must lie between 0 and 1`);
  }
  return {
    span: [t0, t1],
    method,
    relativeTolerance: tolerance,
    absoluteTolerance: tolerance,
    maxSteps,
    ...(saveAt && { saveAt: Float64Array.from(savesOf(owner, saveAt, [t0, t1])) }),
  };
}

/** @internal Epochs and weights, checked. @throws ValueError */
export function checkedFit<P>(owner: string, { epochs, lambda = 0 }: OdeFitOptions<P>): Lambda {
  requireInteger(owner, "epochs", epochs, 0);
  annealed(lambda, 0, Math.max(1, epochs));
  return lambda;
}
