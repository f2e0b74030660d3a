import {
  checkRunOptions,
  type Figures,
  figuresOf,
  type RunOptions,
  type RunState,
  runLoop,
  runOptionNames,
  type Status,
} from "@offprint/solvers";
import {
  type Backend,
  checkOptions,
  NonFiniteError,
  random,
  requireChoice,
  requireFunction,
  requireInteger,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type BatchSource, BatchStream } from "./batch-stream.js";
import { type CheckedResult, checkedStep, disposeReplaced, isPair, onHost, trainingStep } from "./training-step.js";
import { type GradientTransformation, requireOptimizer } from "./transformation.js";

/** Where training stands, as a tree of tensors and numbers. */
export interface TrainingPoint<P = unknown, M = unknown> {
  /** Epochs finished. */
  readonly epoch: number;
  /** Batches of the present epoch that are done. */
  readonly batch: number;
  /** Updates made. */
  readonly step: number;
  /** The trained parameters. */
  readonly params: P;
  /** The optimizer's state. */
  readonly optimizerState: unknown;
  /** What the model carries along without gradients, such as running means; null for nothing. */
  readonly modelState: M;
  /** Of the last step, to be told. */
  readonly last: Omit<TrainingRecord, "step"> | null;
}

/** Everything a run needs to go on from. */
export type TrainingState<P = unknown, M = unknown> = RunState<TrainingPoint<P, M>, TrainingRecord>;

/** What the loss gets beside parameters and batch. */
export interface LossInputs<M = unknown, N = unknown> {
  /** State of the model that has no gradient; null for none. */
  readonly modelState: M;
  /** The random tensors of this step, from `noise`; null for none. */
  readonly noise: N;
}

/** What is told of a step. */
export interface TrainingRecord {
  /** Number of the update, 1 for the first. */
  readonly step: number;
  /** The epoch that its batch belongs to, from 0. */
  readonly epoch: number;
  /** Batches of that epoch that are done. */
  readonly batch: number;
  /** The loss of the batch before the update. */
  readonly loss: number;
  /** Euclidean norm of the gradient before the update. */
  readonly gradientNorm: number;
  /** What `figures` gave. */
  readonly figures?: Readonly<Record<string, number>>;
  /** What `evaluate` gave, after the last batch of an epoch. */
  readonly evaluation?: Readonly<Record<string, number>>;
}

/** Options of `train`. */
export interface TrainOptions<P, B, M = unknown, N = unknown>
  extends Omit<RunOptions<TrainingRecord, TrainingState<P, M>>, "resume"> {
  /**
   * The loss of a batch: a scalar, or `[scalar, modelState]` where the model carries a state. It is compiled, as a
   * function of what it is given alone: what else it uses must stay the same during the run, and what changes belongs
   * into `data`, `noise` or `modelState`. See `compile` for losses that cannot be so.
   */
  loss: (params: P, batch: B, inputs: LossInputs<M, N>) => Tensor | readonly [Tensor, M];
  /** Initial parameters. */
  initial: P;
  /** How gradients become updates. */
  optimizer: GradientTransformation;
  /**
   * The batches of an epoch (from 0). Any order of its own must come from `rng`, so that a resumed run sees the same. One
   * batch is asked for in advance.
   */
  data: BatchSource<B>;
  /** Number of passes over the data, >= 0, those of the resumed run included. */
  epochs: number;
  /** Source of all randomness. Default 0. */
  seed?: number | string;
  /** Initial state of the model. Default none. */
  modelState?: M;
  /** Random tensors for a step, such as dropout masks; they become inputs of the compiled step. */
  noise?: (rng: random.Rng) => N;
  /** Compiles the step. Default: the compiler of tensor-core. */
  backend?: Backend;
  /**
   * Without a backend: whether steps are compiled, default true. A loss that reads values or draws random numbers of its
   * own, batches with leaves that are no tensors, and pages that forbid compiling have their steps carried out operation
   * by operation in any case. `false` is for losses that use variables which change later; where one is found to have
   * changed, after 64, 128, ... steps or at the end, that is an error.
   */
  compile?: boolean;
  /** Figures to record after each step, from what the loss gave beside its value. */
  figures?: (modelState: M) => Figures;
  /**
   * What a loss or gradient that is not finite comes from, and what to do about it, where what the loss gave beside its value
   * tells; the error then says so in place of divergence.
   */
  explain?: (modelState: M) => string | undefined;
  /** Figures to record after each epoch, such as the accuracy on held-out data. */
  evaluate?: (params: P, modelState: M) => Figures;
  /** Keeps states: `every` counts steps; default after each epoch. */
  checkpoint?: { readonly every?: number; readonly save: (state: TrainingState<P, M>) => unknown };
  /** State of an earlier run, read back from a file or not: it goes on as if it had not been interrupted, bit for bit. */
  resume?: TrainingState;
  /** What errors begin with: the function that was called, where that trains by this one. Default `"train"`. */
  owner?: string;
}

/** What `train` gives. */
export interface TrainResult<P, M = unknown> {
  /** The trained parameters, in memory. */
  readonly params: P;
  /** The optimizer's state. */
  readonly optimizerState: unknown;
  /** What the model carries along; null for nothing. */
  readonly modelState: M;
  /** Epochs finished. */
  readonly epochs: number;
  /** Updates made. */
  readonly steps: number;
  /** The record of every step. */
  readonly history: readonly TrainingRecord[];
  /** How it ended; `limit` where all epochs were made. */
  readonly status: Status;
  /** What `resume` goes on from. */
  readonly state: TrainingState<P, M>;
}

const names = [
  ...["loss", "initial", "optimizer", "data", "epochs", "seed", "modelState", "noise", "backend", "compile"],
  ...["figures", "evaluate", "explain", "owner", ...runOptionNames],
];

/**
 * Trains parameters on batches of data. One step - loss, gradient and update - is one function, compiled as a whole.
 * @throws NonFiniteError, with the last good state as its `state`, when loss or gradient stop being finite;
 * ValueError for options that are unknown or out of range, and for a compiled loss that uses a variable which has changed.
 */
export async function train<P, B, M = unknown, N = unknown>(
  options: TrainOptions<P, B, M, N>,
): Promise<TrainResult<P, M>> {
  const owner = options?.owner ?? "train";
  checkOptions(owner, options, names, ["loss", "initial", "optimizer", "data", "epochs"]);
  const { epochs, seed = 0, optimizer, backend, compile = true, initial, modelState = null as M, noise } = options;
  checkRunOptions(owner, options);
  requireInteger(owner, "epochs", epochs, 0);
  requireChoice(owner, "compile", compile, [true, false]);
  requireFunction(owner, "loss", options.loss);
  for (const name of ["figures", "evaluate", "explain"] as const) {
    if (options[name] !== undefined) requireFunction(owner, name, options[name]);
  }
  requireOptimizer(owner, optimizer);
  const loss = (params: P, carried: M, batch: B, drawn: N): readonly [Tensor, M] => {
    const result = options.loss(params, batch, { modelState: carried, noise: drawn });
    return isPair(result) ? result : [result, carried];
  };
  const step = checkedStep(trainingStep(loss, optimizer), { backend, compile }, options.explain);
  const resume = options.resume as TrainingState<P, M> | undefined;
  const kept = [initial, options.modelState, resume];
  const stream = new BatchStream(owner, options.data, seed);
  try {
    const { status, iterations, history, last, state } = await runLoop<TrainingPoint<P, M>, TrainingRecord, "limit">(
      {
        owner,
        limit: Number.POSITIVE_INFINITY,
        initial: () => ({
          epoch: 0,
          batch: 0,
          step: 0,
          params: initial,
          optimizerState: optimizer.init(initial),
          modelState,
          last: null,
        }),
        async step(before) {
          const { batch, last: isLast } = await stream.take(before.epoch, before.batch);
          const drawn = noise === undefined ? (null as N) : noise(random.rng(`${seed}/step/${before.step}`));
          const result = await namingThePlace(before, () =>
            step(before.params, before.optimizerState, before.modelState, batch, drawn),
          );
          const next = { params: result.params, optimizerState: result.optimizerState, modelState: result.extra };
          disposeReplaced([before.params, before.optimizerState, before.modelState], [next, kept]);
          return {
            ...next,
            epoch: before.epoch + (isLast ? 1 : 0),
            batch: isLast ? 0 : before.batch + 1,
            step: before.step + 1,
            last: await told(options, before, result, isLast),
          };
        },
        record: ({ last: record }, k) => (record === null ? undefined : { step: k, ...record }),
        finished: ({ epoch }) => (epoch >= epochs ? "limit" : undefined),
        snapshot: onHost,
        check: (point) => checkPoint(owner, point),
      },
      { ...options, resume, ...(options.checkpoint && { checkpoint: afterEpochs(options.checkpoint) }) },
    );
    if (status === "limit") step.verify();
    const { params, optimizerState, modelState: carried, epoch } = last;
    return { params, optimizerState, modelState: carried, epochs: epoch, steps: iterations, history, status, state };
  } finally {
    await stream.close();
    await step.release();
  }
}

/** The record of a step but for its number. */
async function told<P, M>(
  { figures, evaluate }: Pick<TrainOptions<P, unknown, M>, "figures" | "evaluate">,
  { epoch, batch }: TrainingPoint<P>,
  { loss, gradientNorm, params, extra }: CheckedResult<P, unknown, M>,
  isLast: boolean,
): Promise<Omit<TrainingRecord, "step">> {
  const record = { epoch, batch: batch + 1, loss, gradientNorm };
  const own =
    figures === undefined ? {} : { figures: await figuresOf("train", "figures", figures(await onHost(extra))) };
  if (!isLast || evaluate === undefined) return { ...record, ...own };
  const reached = await onHost({ params, modelState: extra });
  const evaluation = await figuresOf("train", "evaluate", evaluate(reached.params, reached.modelState));
  return { ...record, ...own, evaluation };
}

async function namingThePlace<T>({ epoch, batch }: TrainingPoint, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof NonFiniteError)) throw error;
    throw new NonFiniteError(`epoch ${epoch}, batch ${batch}: ${error.message}`, { cause: error });
  }
}

/** A checkpoint without `every` is one after each epoch. */
function afterEpochs<P, M>(checkpoint: NonNullable<TrainOptions<P, unknown, M>["checkpoint"]>) {
  if (checkpoint.every !== undefined) return checkpoint;
  return {
    save: (state: TrainingState<P, M>) => (state.inner.batch === 0 ? checkpoint.save(state) : undefined),
  };
}

function checkPoint(owner: string, { epoch, batch, step, params }: TrainingPoint): void {
  if ([epoch, batch, step].every((n) => Number.isSafeInteger(n) && n >= 0) && params !== undefined) return;
  throw new ValueError(
    `${owner}: resume is not where training stands; give the \`state\` of a result or of a checkpoint`,
  );
}
