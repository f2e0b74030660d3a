import { type Adjoint, integrate } from "@offprint/ode";
import {
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
import { checkOptions, type Rng, requireNonNegative, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { type Aggregate, methodNamed, type Regularize, regularizerOf } from "./regularizers.js";
import { steerEnd, steerTimes } from "./steer-end.js";

/** Options of {@link fitOde}. */
export interface FitOdeOptions<P> extends OdeFitOptions<P> {
  /** What of the solver is penalised (default `"error"`: ERNODE; `"stiffness"`: SRNODE). */
  readonly regularize?: Regularize;
  /** How the steps become one number (default `"mean"`). */
  readonly aggregate?: Aggregate;
  /** Whether the sizes of steps are constants to the gradient, or the controller is differentiated (default `"frozen"`). */
  readonly stepGradient?: "frozen" | "through";
  /**
   * STEER: the end of the span is uniform within so much of its own, and so is every time of `saveAt`, up to half the way to
   * its neighbours (default 0).
   */
  readonly steer?: number;
  /** The adjoint (default `"discrete"`, the only one with a gradient of the regularisers). */
  readonly adjoint?: Adjoint;
}

const names = ["regularize", "aggregate", "stepGradient", "steer", "adjoint", ...odeFitOptionNames];

/**
 * Trains a model with a differential equation in it so that it is easy to solve: beside the loss, the solver's own error or
 * stiffness estimates are penalised, `L + lambda(epoch) R`. Loss, solve, gradient and update are one compiled function.
 *
 * @param data - The batches of an epoch: trees of tensors of one shape each. Any order of its own comes from `rng`.
 * @returns what `train` of `@offprint/optim` gives; `history` has the figures `regularizer`, `evaluations` and `steps`.
 * @throws ValueError, UnsupportedError; NonFiniteError, with the last good state, where loss or solve are not finite.
 * @see Pal, Ma, Shah, Rackauckas, ICML 2021.
 */
export async function fitOde<P, Y = Tensor, B = unknown, E = B>(
  model: OdeModel<P, Y, B, E>,
  initial: P,
  data: BatchSource<B>,
  options: FitOdeOptions<P>,
): Promise<TrainResult<P>> {
  const owner = "fitOde";
  requireOdeModel(owner, model);
  checkOptions(owner, options, names, ["optimizer", "epochs"]);
  const { regularize = "error", aggregate = "mean", stepGradient = "frozen", adjoint = "discrete" } = options;
  const { lambda = 0, steer = 0 } = options;
  requireNonNegative(owner, "steer", steer);
  const method = methodNamed(owner, options.method ?? "tsit5");
  const { span, ...settings } = solvingOptions<P>(owner, options);
  const regularizer = regularizerOf(owner, regularize, aggregate, method);
  const penalised = lambda === 0 ? undefined : regularizer;
  if (penalised !== undefined && adjoint !== "discrete") {
    throw new ValueError(
      `${owner}: adjoint "${adjoint}" has no gradient of the regulariser; take "discrete", or lambda 0`,
    );
  }
  return trainOde(
    owner,
    {
      judge(params, batch: B, { end, saveAt }: SteeredTimes) {
        const seen = prepared(model, params, batch);
        const solved = integrate<Y, P>(rateAlong(model, seen), model.initial(params, seen), [span[0], end], {
          ...settings,
          ...(saveAt && { saveAt }),
          parameters: params,
          adjoint,
          stepGradient,
        });
        const loss = model.loss(params, solved, seen);
        return penalised === undefined ? { loss, solved } : { loss, penalty: penalised(solved), solved };
      },
      draws(rng) {
        const ends = rng.fork("steer");
        return () => steered(ends, span, options.saveAt, steer);
      },
    },
    initial,
    data,
    options,
  );
}

/** The times of one solve. */
interface SteeredTimes {
  readonly end: Tensor;
  readonly saveAt?: Tensor;
}

/** End and times of a solve; where the last time is that of the end they move together. */
function steered(
  rng: Rng,
  [t0, t1]: readonly [number, number],
  saveAt: readonly number[] = [],
  width: number,
): SteeredTimes {
  const float = (times: number | readonly number[]) => tensor(times, { dtype: "float64" });
  if (width === 0) return { end: float(t1) };
  if (saveAt.length === 0) return { end: float(steerEnd(rng, t1, width)) };
  const knots = saveAt.at(-1) === t1 ? saveAt : [...saveAt, t1];
  const times = steerTimes(rng, t0, knots, width);
  return { end: float(times.at(-1) as number), saveAt: float(times.slice(0, saveAt.length)) };
}
