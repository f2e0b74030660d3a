import { applyUpdates, type GradientTransformation } from "@offprint/optim";
import { type RunOptions, type RunState, runLoop } from "@offprint/solvers";
import {
  abs,
  add,
  asTensor,
  isTensor,
  type JitOptions,
  type Jitted,
  jit,
  NonFiniteError,
  sum,
  type Tensor,
  tree,
  ValueError,
  valueAndGrad,
} from "@offprint/tensor-core";
import { requireLike } from "./network-layers.js";

/**
 * Training of parameters against one objective: a layer that learns alone, or all layers where they learn together.
 * Its functions are pure, so that a step can be compiled as a whole.
 * @typeParam P - the parameters, a tree of tensors
 * @typeParam K - what is carried from step to step, a tree of tensors
 * @typeParam C - what stays, a tree of tensors
 */
export interface Stage<P = unknown, K = unknown, C = unknown> {
  /** Stages with the same key have the same functions, and share what is compiled. */
  readonly key: string;
  /** Number of the layer that learns, from 1; 0 for all together. */
  readonly layer: number;
  /** Initial parameters. */
  readonly params: P;
  /** What goes from step to step without gradients, such as the states of layers; null for none. */
  readonly carried: K;
  /** What stays: the layer's input. */
  readonly constants: C;
  /** The loss, a scalar, and what is carried on. */
  loss(params: P, carried: K, constants: C): [Tensor, K];
  /** How gradients become updates. */
  readonly optimizer: GradientTransformation;
  /** A figure to choose parameters by, the larger the better; none where there are no validation nodes. */
  validate?(params: P): Promise<number>;
}

/** A way of training: stages one after the other, each of which may read the parameters of those before. */
export interface StagedMethod {
  /** Number of stages. */
  readonly stages: number;
  /** The stage after those whose final parameters are given. */
  begin(finished: readonly unknown[]): Stage;
}

/** Parameters of the stages that are over and, after them, the best or present ones of the stage that is not. */
export function reachedParams({ finished, best, params }: TrainingState): readonly unknown[] {
  const present = best?.params ?? params;
  return present === null ? finished : [...finished, present];
}

/** Parameters of the layers of a method whose only stage trains all of them. */
export function together(reached: readonly unknown[]): readonly unknown[] {
  return (reached[0] ?? []) as readonly unknown[];
}

/** What `onProgress` is told of an epoch, and `history` keeps. */
export interface EpochRecord {
  /** Layer that learned, from 1; 0 where all learn together. */
  readonly layer: number;
  /** Epoch of the layer, from 1. */
  readonly epoch: number;
  /** Loss before the update. */
  readonly loss: number;
  /** Figure of the validation after the update, where there was one. */
  readonly validation?: number;
}

/** What training goes on from: a tree of tensors and numbers. */
export interface TrainingState {
  /** Final parameters of the stages that are over. */
  readonly finished: readonly unknown[];
  /** Whether the validations ended each of them, before the epochs were used up. */
  readonly early: readonly boolean[];
  /** Epochs of the present stage. */
  readonly epoch: number;
  /** Parameters of the present stage; null before it began. */
  readonly params: unknown;
  /** The optimizer's state. */
  readonly optimizerState: unknown;
  /** What the stage carries. */
  readonly carried: unknown;
  /** The best parameters so far, and their figure. */
  readonly best: { readonly params: unknown; readonly validation: number } | null;
  /** Validations since then. */
  readonly misses: number;
  /** The last epoch. */
  readonly last: EpochRecord | null;
}

/** A state as it is saved and gone on from. */
export type TrainingRun = RunState<TrainingState, EpochRecord>;

/** Progress, interruption and resumption of training. */
export type TrainingRunOptions = RunOptions<EpochRecord, TrainingRun>;

/** How training ended: its validations ended every layer, the epochs were used up, or it was interrupted. */
export type TrainingStatus = "converged" | "limit" | "stopped" | "aborted";

/** How to train. */
export interface StagedTrainingOptions extends TrainingRunOptions {
  readonly epochs: number;
  readonly validateEvery: number;
  readonly patience: number;
  /** Compiles steps; undefined to run them as they are. */
  readonly compiler: JitOptions | undefined;
}

/** How training ended, and what it reached. */
export interface StagedTraining {
  readonly status: TrainingStatus;
  /** Epochs of all stages together. */
  readonly steps: number;
  readonly history: readonly EpochRecord[];
  /** Parameters of the stages, the last as far as it got. */
  readonly reached: readonly unknown[];
  readonly state: TrainingRun;
}

const beginning: TrainingState = {
  finished: [],
  early: [],
  epoch: 0,
  params: null,
  optimizerState: null,
  carried: null,
  best: null,
  misses: 0,
  last: null,
};

/** Loss, gradient and update of a stage as one pure function; the size of the update tells whether it is finite. */
export function stageStep<P, K, C>(stage: Pick<Stage<P, K, C>, "loss" | "optimizer">) {
  const objective = valueAndGrad(stage.loss.bind(stage), { hasAux: true });
  return (params: P, optimizerState: unknown, carried: K, constants: C) => {
    const [[loss, next], gradients] = objective(params, carried, constants);
    const { updates, state } = stage.optimizer.update(gradients as P, optimizerState, params);
    const size = tree.leaves(updates).reduce<Tensor | number>((total, update) => add(total, sum(abs(update))), 0);
    return { params: applyUpdates(params, updates), optimizerState: state, carried: next, loss, size: asTensor(size) };
  };
}

/**
 * Trains stage by stage. In a stage, every `validateEvery` epochs the parameters are validated; the stage ends after
 * `epochs`, or `patience` validations that were not strictly better, and keeps its best parameters.
 * @throws NonFiniteError, with the last good state, where a loss is not finite.
 */
export async function trainStages(
  owner: string,
  method: StagedMethod,
  options: StagedTrainingOptions,
): Promise<StagedTraining> {
  const { stages } = method;
  const steps = new CompiledSteps(options.compiler);
  let present: { readonly stage: Stage; readonly after: number } | undefined;
  const stageOf = ({ finished }: TrainingState): Stage => {
    if (present?.after !== finished.length) present = { stage: method.begin(finished), after: finished.length };
    return present.stage;
  };
  try {
    const { status, iterations, history, state, last } = await runLoop<
      TrainingState,
      EpochRecord,
      "converged" | "limit"
    >(
      {
        owner,
        limit: stages * options.epochs,
        // Aborted at once, it still gives a model.
        initial: () => ({ ...beginning, ...firstOf(stageOf(beginning)) }),
        step: (reached) => epochOf(stageOf(reached), steps, reached, options),
        record: (reached) => reached.last ?? undefined,
        finished: ({ finished, early }) =>
          finished.length < stages ? undefined : early.every(Boolean) ? "converged" : "limit",
        snapshot: inMemory,
        check: (reached) => checkState(owner, reached, stages, stageOf),
      },
      options,
    );
    return { status, steps: iterations, history, reached: reachedParams(last), state };
  } finally {
    await steps.release();
  }
}

/** One epoch of a stage: a step, a validation where it is due, and the end of the stage where it has come. */
async function epochOf(
  stage: Stage,
  steps: CompiledSteps,
  before: TrainingState,
  { epochs, validateEvery, patience }: StagedTrainingOptions,
): Promise<TrainingState> {
  const fresh = before.params === null;
  const start = fresh ? { ...before, ...firstOf(stage) } : before;
  const epoch = start.epoch + 1;
  const { loss, ...next } = await checkedStep(stage, steps, start, epoch);
  let { best, misses } = start;
  let last: EpochRecord = { layer: stage.layer, epoch, loss };
  if (stage.validate !== undefined && epoch % validateEvery === 0) {
    const validation = await stage.validate(next.params);
    const better = best === null || validation > best.validation;
    misses = better ? 0 : misses + 1;
    if (better) best = { params: await inMemory(next.params), validation };
    last = { ...last, validation };
  }
  const early = misses >= patience;
  if (epoch < epochs && !early) return { ...before, ...next, epoch, best, misses, last };
  const final = best === null ? await inMemory(next.params) : best.params;
  return { ...beginning, finished: [...before.finished, final], early: [...before.early, early], last };
}

function firstOf({ params, optimizer, carried }: Stage) {
  return { params, optimizerState: optimizer.init(params), carried };
}

/** A step and its loss; what is not finite, as the step or the optimizer in it tells, becomes advice. */
async function checkedStep(stage: Stage, steps: CompiledSteps, state: TrainingState, epoch: number) {
  const where = stage.layer === 0 ? "" : ` of layer ${stage.layer}`;
  const failure = (message: string, cause?: unknown) =>
    new NonFiniteError(`epoch ${epoch}${where}: ${message}; lower the learning rate, or scale the features`, { cause });
  try {
    const step = steps.of(stage);
    const { loss, size, ...next } = await step(state.params, state.optimizerState, state.carried, stage.constants);
    const [value, change] = [(await loss.host()).item(), (await size.host()).item()];
    if (!Number.isFinite(value)) throw failure(`the loss is ${value}`);
    if (!Number.isFinite(change)) throw failure(`the update is ${change}`);
    return { ...next, loss: value };
  } catch (error) {
    if (!(error instanceof NonFiniteError) || error.message.startsWith(`epoch ${epoch}`)) throw error;
    throw failure(error.message, error);
  }
}

type StepFunction = ReturnType<typeof stageStep<unknown, unknown, unknown>>;

/** The step of every kind of stage, compiled where that is asked for. */
class CompiledSteps {
  private readonly known = new Map<string, Jitted<StepFunction>>();

  constructor(private readonly how: JitOptions | undefined) {}

  of(
    stage: Stage,
  ): (...args: Parameters<StepFunction>) => ReturnType<StepFunction> | Promise<ReturnType<StepFunction>> {
    if (this.how === undefined) return stageStep(stage);
    const step = this.known.get(stage.key) ?? jit(stageStep(stage), this.how);
    this.known.set(stage.key, step);
    return step;
  }

  async release(): Promise<void> {
    for (const step of this.known.values()) await step.release();
  }
}

/** Whether a state is one of these stages: of as many, with parameters of the same shapes. */
function checkState(
  owner: string,
  state: TrainingState,
  stages: number,
  stageOf: (state: TrainingState) => Stage,
): void {
  const { finished, early, epoch, params, optimizerState, carried, best } = state;
  const whole = Array.isArray(finished) && Array.isArray(early) && Number.isSafeInteger(epoch) && epoch >= 0;
  if (!whole || finished.length > stages || early.length !== finished.length) {
    throw new ValueError(
      `${owner}: resume is no state of ${stages} stages of training; give that of a run like this one`,
    );
  }
  for (let s = 0; s < finished.length; s++) {
    const stage = stageOf({ ...beginning, finished: finished.slice(0, s) });
    requireLike(owner, "resume", finished[s], stage.params);
  }
  if (finished.length === stages || params === null) return;
  const expected = firstOf(stageOf(state));
  requireLike(owner, "resume", { params, optimizerState, carried }, expected);
  if (best !== null) requireLike(owner, "resume", best?.params, expected.params);
}

/** A tree with its tensors in memory. */
async function inMemory<T>(value: T): Promise<T> {
  const flat = tree.flatten(value);
  const leaves = await Promise.all(flat.leaves.map((leaf) => (isTensor(leaf) ? leaf.host() : leaf)));
  return tree.unflatten<T>(flat.structure, leaves);
}
