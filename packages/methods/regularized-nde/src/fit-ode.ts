import { type Adjoint, type Integral, type IntegrateOptions, integrate, type MethodName } from "@offprint/ode";
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
  requireInteger,
  requireNonNegative,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { annealed, type Lambda, steerEnd } from "./anneal.js";
import { type Aggregate, methodNamed, type Regularize, regularizerOf } from "./regularizers.js";

/** A model with a differential equation in it: what comes in becomes a state, is solved, and is judged. */
export interface OdeModel<P, Y, B> {
  /** The rate of change, in operations of tensors. */
  readonly rate: (t: Tensor, y: Y, params: P) => Y;
  /** The first state of a batch. */
  readonly initial: (params: P, batch: B) => Y;
  /** The loss of a batch: a scalar. `ys` are the states at `saveAt`, `penalty` is 0 in evaluation. */
  readonly loss: (params: P, solved: Pick<Integral<Y>, "y" | "ys">, batch: B) => Tensor;
}

/** How the equation is solved. */
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

/** Options of {@link fitOde}. */
export interface FitOdeOptions<P> extends OdeSolving, Omit<RunOptions<TrainingRecord, TrainingState<P>>, "resume"> {
  /** What of the solver is penalised (default `"error"`: ERNODE; `"stiffness"`: SRNODE). */
  readonly regularize?: Regularize;
  /** Its weight: constant, or from one value down to another over the epochs (default 0). */
  readonly lambda?: Lambda;
  /** How the steps become one number (default `"mean"`). */
  readonly aggregate?: Aggregate;
  /** Whether the sizes of steps are constants to the gradient, or the controller is differentiated (default `"frozen"`). */
  readonly stepGradient?: "frozen" | "through";
  /** STEER: the end of the span is uniform within so much of its own (default 0). */
  readonly steer?: number;
  /** The adjoint (default `"discrete"`, the only one with a gradient of the regularisers). */
  readonly adjoint?: Adjoint;
  /** How gradients become updates. */
  readonly optimizer: GradientTransformation;
  /** Passes over the data. */
  readonly epochs: number;
  /** Decides all chance (default 0). */
  readonly seed?: number | string;
  /** Compiles the training step (default the host's compiler). */
  readonly backend?: Backend;
  /** What to tell after every epoch, such as the accuracy on data held out. */
  readonly evaluate?: (params: P) => Record<string, number> | Promise<Record<string, number>>;
  /** State of an earlier run. */
  readonly resume?: TrainingState;
}

const names = [
  ...["span", "method", "tolerance", "saveAt", "maxSteps", "regularize", "lambda", "aggregate", "stepGradient"],
  ...["steer", "adjoint", "optimizer", "epochs", "seed", "backend", "evaluate", ...runOptionNames],
];

/** A batch with what belongs to its step alone. */
interface Drawn<B> {
  readonly batch: B;
  readonly lambda: Tensor;
  readonly end: Tensor;
}

const float = (value: number) => tensor(value, { dtype: "float64" });

/** @internal Options of `integrate`. */
export function solving<P>(
  owner: string,
  options: OdeSolving,
): IntegrateOptions<P> & { span: readonly [number, number] } {
  const { span = [0, 1], method = "tsit5", tolerance = 1e-6, saveAt, maxSteps = 128 } = options;
  methodNamed(owner, method);
  requireInteger(owner, "maxSteps", maxSteps, 1);
  if (!(tolerance > 0 && tolerance < 1))
    throw new ValueError(`${owner}: tolerance is ${tolerance}; it must lie between 0 and 1`);
  return {
    span,
    method,
    relativeTolerance: tolerance,
    absoluteTolerance: tolerance,
    maxSteps,
    ...(saveAt && { saveAt }),
  };
}

/**
 * Trains a model with a differential equation in it so that it is easy to solve: beside the loss, the solver's own error or
 * stiffness estimates are penalised, `L + lambda(epoch) R`. Loss, solve, gradient and update are one compiled function.
 *
 * @param data - The batches of an epoch: trees of tensors of one shape each. Any order of its own comes from `rng`.
 * @returns what `train` of `@offprint/optim` gives; `history` has the figures `regularizer`, `evaluations` and `steps`.
 * @throws ValueError, UnsupportedError; NonFiniteError, with the last good state, where loss or solve are not finite.
 * @see Pal, Ma, Shah, Rackauckas, ICML 2021.
 */
export async function fitOde<P, Y, B>(
  model: OdeModel<P, Y, B>,
  initial: P,
  data: (epoch: number, rng: import("@offprint/tensor-core").Rng) => Iterable<B>,
  options: FitOdeOptions<P>,
): Promise<TrainResult<P>> {
  const owner = "fitOde";
  checkOptions(owner, options, names);
  const {
    regularize = "error",
    lambda = 0,
    aggregate = "mean",
    stepGradient = "frozen",
    adjoint = "discrete",
  } = options;
  const { steer = 0, epochs, optimizer, seed = 0, backend = hostBackend, evaluate, resume } = options;
  requireInteger(owner, "epochs", epochs, 0);
  requireNonNegative(owner, "steer", steer);
  const { span, ...settings } = solving<P>(owner, options);
  const regularizer = regularizerOf(owner, regularize, aggregate, methodNamed(owner, options.method ?? "tsit5"));
  annealed(lambda, 0, Math.max(1, epochs));
  if (regularizer !== undefined && lambda !== 0 && adjoint !== "discrete") {
    throw new ValueError(
      `${owner}: adjoint "${adjoint}" has no gradient of the regulariser; take "discrete", or lambda 0`,
    );
  }
  const loss = (params: P, { batch, lambda: weight, end }: Drawn<B>) => {
    const solved = integrate<Y, P>(model.rate, model.initial(params, batch), [span[0], end], {
      ...settings,
      parameters: params,
      adjoint,
      stepGradient,
    });
    const value = model.loss(params, solved, batch);
    const penalty = regularizer === undefined || lambda === 0 ? float(0) : regularizer(solved);
    // Where nothing is penalised the loss is that of the model bit for bit.
    const total = regularizer === undefined || lambda === 0 ? value : add(value, mul(penalty, weight));
    return [total, { regularizer: penalty, evaluations: solved.evaluations, steps: solved.steps }] as const;
  };
  const result = await train({
    loss: loss as never,
    initial,
    optimizer,
    epochs,
    seed,
    backend,
    *data(epoch, rng) {
      const ends = rng.fork("steer");
      for (const batch of data(epoch, rng)) {
        const end = steer === 0 ? span[1] : steerEnd(ends, span[1], steer);
        yield { batch, lambda: float(annealed(lambda, epoch, epochs)), end: float(end) } satisfies Drawn<B>;
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
