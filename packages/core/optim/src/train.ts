import { type Backend, NonFiniteError, random, requireInteger, type Tensor, ValueError } from "@offprint/tensor-core";
import { type CheckedStep, checkedStep, disposeReplaced, onHost, trainingStep } from "./training-step.js";
import type { GradientTransformation } from "./transformation.js";

/** Everything a run needs to go on from, as a tree of tensors and numbers. */
export interface TrainingState<P = any> {
  /** Epochs finished. */
  readonly epoch: number;
  /** Batches of the present epoch that are done. */
  readonly batch: number;
  /** Updates made. */
  readonly step: number;
  /** The trained parameters. */
  readonly params: P;
  /** The optimizer's state. */
  readonly optimizerState: any;
  /** What the model carries along without gradients, such as running means; null for nothing. */
  readonly modelState: any;
  /** The loss of every batch so far. */
  readonly losses: readonly number[];
  /** What `evaluate` gave after each epoch. */
  readonly evaluations: readonly Readonly<Record<string, number>>[];
}

/** What the loss gets beside parameters and batch. */
export interface LossInputs {
  /** State of the model that has no gradient. */
  readonly modelState: any;
  /** The random tensors of this step, from `noise`. */
  readonly noise: any;
}

/** What `onProgress` is told after a step. */
export interface TrainingProgress {
  /** Epochs finished. */
  readonly epoch: number;
  /** Epochs in all. */
  readonly epochs: number;
  /** Batches of the present epoch that are done. */
  readonly batch: number;
  /** Updates made. */
  readonly step: number;
  /** The loss of the batch before the update. */
  readonly loss: number;
  /** Euclidean norm of the gradient before the update. */
  readonly gradientNorm: number;
  /** State of the model after the step, such as figures that the loss gave beside its value; null for none. */
  readonly modelState: any;
}

/** Options of `train`. */
export interface TrainOptions<P, B> {
  /**
   * The loss of a batch: a scalar, or `[scalar, modelState]` where the model carries a state. Traced when there is a
   * backend, so it must not read values.
   */
  loss: (params: P, batch: B, inputs: LossInputs) => Tensor | readonly [Tensor, any];
  /** Initial parameters. */
  params: P;
  /** How gradients become updates. */
  optimizer: GradientTransformation;
  /**
   * The batches of an epoch (from 0). Any order of its own must come from `rng`, so that a resumed run sees the same.
   */
  data: (epoch: number, rng: random.Rng) => Iterable<B> | AsyncIterable<B>;
  /** Number of passes over the data, >= 0. */
  epochs: number;
  /** Source of all randomness. Default 0. */
  seed?: number | string;
  /** Initial state of the model. Default none. */
  modelState?: unknown;
  /** Random tensors for a step, such as dropout masks; they become inputs of the compiled step. */
  noise?: (rng: random.Rng) => unknown;
  /** Compiles the step; without it steps run eagerly. */
  backend?: Backend;
  /** Figures to record after each epoch, such as the accuracy on held-out data. */
  evaluate?: (params: P, modelState: any) => Record<string, number> | Promise<Record<string, number>>;
  /** Called after each step and awaited; `"stop"` ends the run. */
  onProgress?: (progress: TrainingProgress) => unknown;
  /** Stops before the next step; the result holds the state so far. */
  signal?: AbortSignal;
  /** Called with the state every `every` steps (default: after each epoch) and awaited. */
  checkpoint?: { every?: number; save: (state: TrainingState<P>) => unknown };
  /** State to go on from: the run continues as if it had not been interrupted, bit by bit. */
  resume?: TrainingState<P>;
}

/** What `train` gives: the last state, and how the run ended. */
export interface TrainResult<P> extends TrainingState<P> {
  /** All epochs made, or stopped by `onProgress` or the signal. */
  readonly status: "completed" | "stopped" | "aborted";
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Running<P> = Mutable<TrainingState<P>> & { losses: number[]; evaluations: Record<string, number>[] };

function initialState<P>(options: TrainOptions<P, any>): Running<P> {
  const { params, optimizer, modelState = null, resume } = options;
  if (resume !== undefined) {
    return { ...resume, losses: [...resume.losses], evaluations: [...resume.evaluations] };
  }
  const optimizerState = optimizer.init(params as any);
  return { epoch: 0, batch: 0, step: 0, params, optimizerState, modelState, losses: [], evaluations: [] };
}

/** A copy in memory that later steps do not change. */
function snapshot<P>(state: Running<P>): Promise<TrainingState<P>> {
  return onHost<TrainingState<P>>({ ...state, losses: [...state.losses], evaluations: [...state.evaluations] });
}

/**
 * Trains parameters on batches of data. One step - loss, gradient and update - is one function; with a backend it
 * is compiled to one graph.
 * @throws NonFiniteError, with the last good `TrainingState` as its `state`, when loss or gradient stop being finite;
 * ValueError for options out of range.
 */
export async function train<P, B>(options: TrainOptions<P, B>): Promise<TrainResult<P>> {
  const { epochs, seed = 0, optimizer, backend, checkpoint } = options;
  requireInteger("train", "epochs", epochs, 0);
  if (checkpoint?.every !== undefined) requireInteger("train", "checkpoint.every", checkpoint.every, 1);
  const loss = (params: P, modelState: any, batch: B, noise: any) => {
    const result = options.loss(params, batch, { modelState, noise });
    return Array.isArray(result) ? result : [result, modelState];
  };
  const step = checkedStep(trainingStep(loss as any, optimizer), backend);
  const state = initialState(options);
  const kept = [options.params, options.modelState, options.resume];
  let status: TrainResult<P>["status"] = "completed";
  try {
    while (state.epoch < epochs && status === "completed") {
      status = await runEpoch(options, state, step, random.rng(`${seed}/epoch/${state.epoch}`), kept);
    }
  } catch (error) {
    if (!(error instanceof NonFiniteError)) throw error;
    const message = `train: epoch ${state.epoch}, batch ${state.batch}: ${error.message}`;
    throw new NonFiniteError(message, { state: await snapshot(state), cause: error });
  } finally {
    await step.release();
  }
  return { ...(await snapshot(state)), status };
}

async function runEpoch<P, B>(
  options: TrainOptions<P, B>,
  state: Running<P>,
  step: CheckedStep,
  rng: random.Rng,
  kept: readonly unknown[],
): Promise<TrainResult<P>["status"]> {
  const { data, epochs, seed = 0, signal, noise, onProgress, evaluate, checkpoint } = options;
  const done = state.batch;
  let index = 0;
  for await (const batch of data(state.epoch, rng)) {
    if (index++ < done) continue;
    if (signal?.aborted) return "aborted";
    const drawn = noise === undefined ? null : noise(random.rng(`${seed}/step/${state.step}`));
    const result = await step(state.params, state.optimizerState, state.modelState, batch, drawn);
    const next = { params: result.params, optimizerState: result.optimizerState, modelState: result.extra };
    disposeReplaced([state.params, state.optimizerState, state.modelState], [next, kept]);
    Object.assign(state, next, { batch: index, step: state.step + 1 });
    state.losses.push(result.loss);
    const { loss, gradientNorm } = result;
    const answer = await onProgress?.({
      epoch: state.epoch,
      epochs,
      batch: index,
      step: state.step,
      loss,
      gradientNorm,
      modelState: state.modelState,
    });
    if (checkpoint?.every !== undefined && state.step % checkpoint.every === 0) {
      await checkpoint.save(await snapshot(state));
    }
    if (answer === "stop") return "stopped";
  }
  if (index === 0) throw new ValueError(`train: data gave no batches in epoch ${state.epoch}; give at least one`);
  if (index < done) {
    throw new ValueError(
      `train: the state to resume is at batch ${done} of an epoch that now has ${index}; give the same data`,
    );
  }
  state.epoch += 1;
  state.batch = 0;
  if (evaluate !== undefined) {
    const { params, modelState } = await onHost({ params: state.params, modelState: state.modelState });
    state.evaluations.push({ ...(await evaluate(params, modelState)) });
  }
  if (checkpoint !== undefined && checkpoint.every === undefined) await checkpoint.save(await snapshot(state));
  return "completed";
}
