import { type Adjoint, type Integral, integrate, type MethodName } from "@offprint/ode";
import {
  type GradientTransformation,
  type TrainingRecord,
  type TrainingState,
  type TrainResult,
  train,
} from "@offprint/optim";
import { type RunOptions, runOptionNames } from "@offprint/solvers";
import {
  add,
  type Backend,
  checkOptions,
  hostBackend,
  mul,
  type Rng,
  requireChoice,
  requireInteger,
  requireNonNegative,
  stopGradient,
  type Tensor,
  tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import { type Heuristic, type LocalStep, stepOptions } from "./local-term.js";
import { localRegularizer, type Sampling } from "./sampling.js";

/** A model with a differential equation in it. */
export interface LocalModel<P, Y, B> {
  /** The rate of change, in operations of tensors. */
  readonly rate: (t: Tensor, y: Y, params: P) => Y;
  /** The first state of a batch. */
  readonly initial: (params: P, batch: B) => Y;
  /** The loss of a batch: a scalar. */
  readonly loss: (params: P, solved: Pick<Integral<Y>, "y" | "ys">, batch: B) => Tensor;
}

/** Options of {@link fitLocally}. */
export interface FitLocallyOptions<P> extends Omit<RunOptions<TrainingRecord, TrainingState<P>>, "resume"> {
  /** How the time of the local step is drawn, or `"none"` (default `"unbiased"`). */
  readonly mode?: Sampling | "none";
  /** What is penalised (default `"error"`). */
  readonly regularize?: Heuristic;
  /** How long the local step is (default `"solver"`). */
  readonly localStep?: LocalStep;
  /** Times drawn for each solve (default 1). */
  readonly samples?: number;
  /** Weight: a number, or from one value down to another, exponentially over all epochs (default 0). */
  readonly lambda?: number | readonly [from: number, to: number];
  /** How the solve itself is differentiated: any adjoint will do (default `"interpolating"`). */
  readonly adjoint?: Exclude<Adjoint, "none">;
  /** From where to where (default `[0, 1]`). */
  readonly span?: readonly [number, number];
  /** The method (default `"tsit5"`). */
  readonly method?: MethodName;
  /** Both tolerances (default 1e-6). */
  readonly tolerance?: number;
  /** Times of `ys`. */
  readonly saveAt?: readonly number[];
  /** Steps at most (default 128). */
  readonly maxSteps?: number;
  /** How gradients become updates. */
  readonly optimizer: GradientTransformation;
  /** Passes over the data. */
  readonly epochs: number;
  /** Decides all chance (default 0). The draws have a generator of their own: batches do not depend on them. */
  readonly seed?: number | string;
  /** Compiles the training step (default the host's compiler). */
  readonly backend?: Backend;
  /** What to tell after every epoch. */
  readonly evaluate?: (params: P) => Record<string, number> | Promise<Record<string, number>>;
  /** State of an earlier run. */
  readonly resume?: TrainingState;
}

const names = [
  ...["mode", "regularize", "localStep", "samples", "lambda", "adjoint", "span", "method", "tolerance", "saveAt"],
  ...["maxSteps", "optimizer", "epochs", "seed", "backend", "evaluate", ...runOptionNames],
];

interface WithDraws<B> {
  readonly batch: B;
  readonly lambda: Tensor;
  readonly uniform: Tensor;
}

const float = (value: number) => tensor(value, { dtype: "float64" });

function ends(lambda: NonNullable<FitLocallyOptions<unknown>["lambda"]>): readonly [number, number] {
  const [from, to] = typeof lambda === "number" ? [lambda, lambda] : lambda;
  requireNonNegative("fitLocally", "lambda", from);
  requireNonNegative("fitLocally", "lambda", to);
  if (to > from || (to === 0 && from > 0))
    throw new ValueError(`fitLocally: lambda runs from ${from} to ${to}; it must fall, to a positive value`);
  return [from, to];
}

/**
 * Trains a model with a differential equation in it so that it is easy to solve, with the solve a black box: beside the loss,
 * one step of the solver at one random time is penalised, `L + lambda r(t1)`.
 *
 * @param data - The batches of an epoch: trees of tensors of one shape each.
 * @returns what `train` of `@offprint/optim` gives; `history` has the figures `regularizer`, `evaluations` and `steps`.
 * @throws ValueError, UnsupportedError; NonFiniteError, with the last good state.
 * @see Pal, Edelman, Rackauckas, ICML 2023.
 */
export async function fitLocally<P, Y, B>(
  model: LocalModel<P, Y, B>,
  initial: P,
  data: (epoch: number, rng: Rng) => Iterable<B>,
  options: FitLocallyOptions<P>,
): Promise<TrainResult<P>> {
  const owner = "fitLocally";
  checkOptions(owner, options, names);
  const {
    mode = "unbiased",
    regularize = "error",
    localStep = "solver",
    samples = 1,
    lambda = 0,
    adjoint = "interpolating",
  } = options;
  const { span = [0, 1], method = "tsit5", tolerance = 1e-6, saveAt, maxSteps = 128 } = options;
  const { epochs, optimizer, seed = 0, backend = hostBackend, evaluate, resume } = options;
  requireChoice(owner, "mode", mode, ["none", "unbiased", "biased"]);
  requireChoice(owner, "localStep", localStep, ["solver", "initial", "trial"]);
  requireChoice(owner, "adjoint", adjoint, ["discrete", "interpolating", "backsolve"]);
  requireInteger(owner, "samples", samples, 1);
  requireInteger(owner, "epochs", epochs, 0);
  requireInteger(owner, "maxSteps", maxSteps, 1);
  if (!(tolerance > 0 && tolerance < 1))
    throw new ValueError(`${owner}: tolerance is ${tolerance}; it must lie between 0 and 1`);
  stepOptions(owner, { regularize, method, tolerance });
  const [from, to] = ends(lambda);
  const local = mode !== "none" && from > 0;
  const loss = (params: P, { batch, lambda: weight, uniform }: WithDraws<B>) => {
    const first = model.initial(params, batch);
    const settings = {
      method,
      relativeTolerance: tolerance,
      absoluteTolerance: tolerance,
      maxSteps,
      adjoint,
      parameters: params,
    };
    const solved = integrate<Y, P>(model.rate, first, span, {
      ...settings,
      dense: local,
      ...(saveAt && { saveAt: Float64Array.from(saveAt) }),
    });
    const value = model.loss(params, solved, batch);
    const figures = { evaluations: solved.evaluations, steps: solved.steps };
    if (!local) return [value, { ...figures, regularizer: float(0) }] as const;
    const { at, stepTimes, stepSizes, steps } = solved;
    const box = { at: (t: Tensor) => tree.map(stopGradient, at(t)), stepTimes, stepSizes, steps };
    const r = localRegularizer<Y, P>(model.rate, box, span, uniform, {
      mode,
      regularize,
      localStep,
      method,
      tolerance,
      parameters: params,
    });
    return [add(value, mul(r, weight)), { ...figures, regularizer: r }] as const;
  };
  const result = await train({
    loss: loss as never,
    initial,
    optimizer,
    epochs,
    seed,
    backend,
    *data(epoch, rng) {
      const draws = rng.fork("local");
      const weight = from === to ? from : from * Math.exp((-epoch * Math.log(from / to)) / epochs);
      for (const batch of data(epoch, rng)) {
        yield {
          batch,
          lambda: float(weight),
          uniform: draws.uniform([samples], { dtype: "float64" }),
        } satisfies WithDraws<B>;
      }
    },
    modelState: {
      regularizer: float(0),
      evaluations: tensor(0, { dtype: "int32" }),
      steps: tensor(0, { dtype: "int32" }),
    },
    figures: ({ regularizer: r, evaluations, steps }) => ({
      regularizer: r.item(),
      evaluations: evaluations.item(),
      steps: steps.item(),
    }),
    ...(evaluate && { evaluate: (params: unknown) => evaluate(params as P) }),
    ...Object.fromEntries(
      (["onProgress", "signal", "checkpoint"] as const).flatMap((k) =>
        options[k] === undefined ? [] : [[k, options[k]]],
      ),
    ),
    ...(resume && { resume }),
  } as Parameters<typeof train>[0]);
  return result as TrainResult<P>;
}
