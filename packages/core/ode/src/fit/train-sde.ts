import {
  type BatchSource,
  BatchStream,
  type GradientTransformation,
  requireOptimizer,
  trainingStep,
} from "@offprint/optim";
import {
  type Figures,
  figuresOf,
  type RunOptions,
  type RunState,
  runLoop,
  runOptionNames,
  type Status,
} from "@offprint/solvers";
import {
  add,
  jitSync,
  mul,
  NonFiniteError,
  type Rng,
  random,
  requireChoice,
  requireFunction,
  requireInteger,
  requireObject,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { savesOf, spanOf } from "../options.js";
import { type Replay, replaySde } from "../sde/replay-sde.js";
import { makeSdeSolver, type SdeSolution, type StochasticSteps } from "../sde/solve-sde.js";
import { type StochasticMethodName, stochasticMethods } from "../sde/stochastic-options.js";
import { annealed, type Lambda } from "./annealed.js";

/** A model with a stochastic equation in it, of states `[batch, n]` with noise of each entry's own. */
export interface SdeModel<P, B> {
  /** The drift, in operations of tensors. */
  readonly drift: (t: Tensor, u: Tensor, params: P) => Tensor;
  /** The factors of the noise, like the state. */
  readonly diffusion: (t: Tensor, u: Tensor, params: P) => Tensor;
  /** The first state of a batch. */
  readonly initial: (params: P, batch: B) => Tensor;
  /** The loss of a batch: a scalar. `ys` are the states at `saveAt` as vectors, `[m, batch * n]`. */
  readonly loss: (params: P, solved: { readonly y: Tensor; readonly ys: Tensor }, batch: B) => Tensor;
}

/** What is told of a step. */
export interface SdeFitRecord {
  /** Number of the update, from 1. */
  readonly step: number;
  /** Its epoch, from 0. */
  readonly epoch: number;
  /** The loss of the batch, regulariser included. */
  readonly loss: number;
  /** The regulariser. */
  readonly regularizer: number;
  /** Evaluations of the drift in the solve. */
  readonly evaluations: number;
  /** What `evaluate` gave, after the last batch of an epoch. */
  readonly evaluation?: Readonly<Record<string, number>>;
}

/** Where training stands. */
export interface SdeFitPoint<P> {
  /** Epochs finished. */
  readonly epoch: number;
  /** Batches of the present one that are done. */
  readonly batch: number;
  /** The parameters. */
  readonly params: P;
  /** The optimizer's state. */
  readonly optimizerState: unknown;
  /** What is told of the last step. */
  readonly last: Omit<SdeFitRecord, "step"> | null;
}

/** What training a model with a stochastic equation in it takes, whatever is penalised. */
export interface SdeFitOptions<P> extends RunOptions<SdeFitRecord, RunState<SdeFitPoint<P>, SdeFitRecord>> {
  /** From where to where (default `[0, 1]`). */
  readonly span?: readonly [number, number];
  /** The method (default `"sosri"`; stiffness needs `"sosri2"`). */
  readonly method?: StochasticMethodName;
  /** Both tolerances (default 0.14). */
  readonly tolerance?: number;
  /** Size of the first step (default: found, and small). */
  readonly initialStep?: number;
  /** Times of `ys`. */
  readonly saveAt?: readonly number[];
  /** Weight of the regulariser: constant, or from one value down to another over the epochs (default 0). */
  readonly lambda?: Lambda;
  /** How gradients become updates. */
  readonly optimizer: GradientTransformation;
  /** Passes over the data. */
  readonly epochs: number;
  /** Decides paths and batches (default 0). */
  readonly seed?: number | string;
  /** What to tell after every epoch. */
  readonly evaluate?: (params: P) => Figures;
}

/** The names of {@link SdeFitOptions}, for `checkOptions`. */
export const sdeFitOptionNames = [
  ...["span", "method", "tolerance", "initialStep", "saveAt", "lambda"],
  ...["optimizer", "epochs", "seed", "evaluate", ...runOptionNames],
] as const;

/** What training gives. */
export interface SdeFitResult<P> {
  /** The trained parameters. */
  readonly params: P;
  /** Updates made. */
  readonly steps: number;
  /** How it ended; `limit` where all epochs were made. */
  readonly status: Status;
  /** The record of every step. */
  readonly history: readonly SdeFitRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<SdeFitPoint<P>, SdeFitRecord>;
}

/** What a method of regularisation adds to training. */
export interface RegularizedSdeSolve<P, D> {
  /** What is penalised of a solve, a scalar; `drawn` belongs to it alone. */
  readonly penalty: (solved: Replay<Tensor> & { readonly path: StochasticSteps }, params: P, drawn: D) => Tensor;
  /** Draws what belongs to a solve alone, such as a state of it: tensors. */
  readonly draws: (solution: SdeSolution<Tensor, Tensor>, rng: Rng) => D;
}

/**
 * Trains a model with a stochastic equation in it: `L + lambda(epoch) R` with whatever a method takes as `R`, nothing where it takes
 * nothing. Every batch is solved along a path of its own; the gradient is that of the steps that were made, with their sizes
 * and increments as constants.
 * @param data - The batches of an epoch: trees of tensors of one shape each.
 * @throws ValueError; NonFiniteError, with the last good state, where loss or solve are not finite.
 */
export async function trainSde<P, B, D>(
  owner: string,
  regularized: RegularizedSdeSolve<P, D> | undefined,
  model: SdeModel<P, B>,
  initial: P,
  data: BatchSource<B>,
  options: SdeFitOptions<P>,
): Promise<SdeFitResult<P>> {
  requireObject(owner, "model", model, "an SdeModel");
  for (const part of ["drift", "diffusion", "initial", "loss"] as const)
    requireFunction(owner, `model.${part}`, model[part]);
  requireFunction(owner, "data", data);
  requireObject(owner, "options", options, "{ optimizer, epochs }");
  const { span = [0, 1], method = "sosri", tolerance = 0.14, initialStep, saveAt, seed = 0 } = options;
  const { lambda = 0, optimizer, epochs, evaluate } = options;
  requireOptimizer(owner, optimizer);
  requireInteger(owner, "epochs", epochs, 0);
  if (evaluate !== undefined) requireFunction(owner, "evaluate", evaluate);
  requireChoice(owner, "method", method, Object.keys(stochasticMethods));
  if (!(tolerance > 0)) throw new ValueError(`${owner}: tolerance is ${tolerance}; it must be positive`);
  annealed(lambda, 0, Math.max(1, epochs));
  const saves = saveAt === undefined ? undefined : Float64Array.from(savesOf(owner, saveAt, spanOf(owner, span)));
  const penalised = lambda === 0 ? undefined : regularized;
  const tolerances = { relativeTolerance: tolerance, absoluteTolerance: tolerance };
  const float = (value: number) => tensor(value, { dtype: "float64" });

  const first = jitSync((params: P, batch: B) => model.initial(params, batch));
  const solver = makeSdeSolver<Tensor, P>(model.drift, model.diffusion);
  const loss = (params: P, batch: B, steps: StochasticSteps, drawn: D | null, weight: Tensor) => {
    const start = model.initial(params, batch);
    const settings = {
      method,
      parameters: params,
      ...tolerances,
      ...(saves && { saveAt: saves }),
    };
    const solved = replaySde(model.drift, model.diffusion, start, steps, settings);
    const value = model.loss(params, solved, batch);
    if (penalised === undefined) return [value, float(0)] as const;
    const penalty = penalised.penalty({ ...solved, path: steps }, params, drawn as D);
    return [add(value, mul(penalty, weight)), penalty] as const;
  };
  const stream = new BatchStream(owner, data, seed);
  const update = jitSync(trainingStep<unknown, P, [B, StochasticSteps, D | null, Tensor], Tensor>(loss, optimizer));

  const step = async (at: SdeFitPoint<P>, count: number): Promise<SdeFitPoint<P>> => {
    const { batch, last } = await stream.take(at.epoch, at.batch);
    const solution = await solver.solve(first(at.params, batch), span, {
      method,
      ...tolerances,
      ...(initialStep !== undefined && { initialStep }),
      parameters: at.params,
      seed: `${seed}/path/${count}`,
    });
    if (solution.status === "limit") {
      throw new NonFiniteError(
        `epoch ${at.epoch}, batch ${at.batch}: the equation was not solved to its end in ${solution.steps} steps, and the step of training was not taken; give a larger tolerance or a shorter span, or lower the learning rate`,
      );
    }
    const drawn = penalised?.draws(solution, random.rng(`${seed}/drawn/${count}`)) ?? null;
    const weight = float(annealed(lambda, at.epoch, epochs));
    const made = update(at.params, at.optimizerState, batch, solution.replay(), drawn, weight);
    const [value, gradient] = [made.loss.item(), made.gradientNorm.item()];
    if (!Number.isFinite(value) || !Number.isFinite(gradient)) {
      throw new NonFiniteError(
        `epoch ${at.epoch}, batch ${at.batch}: the loss is ${value}, its gradient ${gradient}; try a smaller learning rate`,
      );
    }
    const record = { epoch: at.epoch, loss: value, regularizer: made.extra.item(), evaluations: solution.evaluations };
    return {
      epoch: at.epoch + (last ? 1 : 0),
      batch: last ? 0 : at.batch + 1,
      params: made.params,
      optimizerState: made.optimizerState,
      last:
        last && evaluate !== undefined
          ? { ...record, evaluation: await figuresOf(owner, "evaluate", evaluate(made.params)) }
          : record,
    };
  };

  try {
    const run = await runLoop<SdeFitPoint<P>, SdeFitRecord, "limit">(
      {
        owner,
        limit: Number.POSITIVE_INFINITY,
        initial: () => ({ epoch: 0, batch: 0, params: initial, optimizerState: optimizer.init(initial), last: null }),
        step,
        record: ({ last }, count) => (last === null ? undefined : { step: count, ...last }),
        finished: ({ epoch }) => (epoch >= epochs ? "limit" : undefined),
        check: (point) => checkPoint(owner, point),
      },
      options,
    );
    const { last, iterations, status, history, state } = run;
    return { params: last.params, steps: iterations, status, history, state };
  } finally {
    await stream.close();
    for (const part of [first, update, solver]) part.release();
  }
}

/** Whether a state is one of this training. */
function checkPoint<P>(owner: string, { epoch, batch, params, optimizerState, last }: SdeFitPoint<P>): void {
  const begun = [epoch, batch].every((n) => Number.isSafeInteger(n) && n >= 0);
  if (begun && ![params, optimizerState, last].includes(undefined)) return;
  throw new ValueError(
    `${owner}: resume is not where training stands; give the \`state\` of a result or of a checkpoint`,
  );
}
