import { applyUpdates, type GradientTransformation } from "@offprint/optim";
import {
  type Backend,
  isTensor,
  type Jitted,
  jit,
  NonFiniteError,
  type Tensor,
  tree,
  valueAndGrad,
} from "@offprint/tensor-core";

/**
 * Training of parameters against one objective: a layer that learns alone, or all layers where they learn together.
 * Its functions are pure, so that a step can be compiled as a whole.
 */
export interface Stage {
  /** Stages with the same key have the same functions, and share what is compiled. */
  readonly key: string;
  /** Number of the layer that learns, from 1; 0 for all together. */
  readonly layer: number;
  /** Initial parameters. */
  readonly params: any;
  /** A tree of tensors that goes from step to step without gradients, such as the states of layers; null for none. */
  readonly carried: any;
  /** A tree of tensors that stays: the layer's input. */
  readonly constants: any;
  /** The loss, a scalar, and what is carried on. */
  loss(params: any, carried: any, constants: any): [Tensor, any];
  /** How gradients become updates. */
  readonly optimizer: GradientTransformation;
  /** A figure to choose parameters by, the larger the better; none where there are no validation nodes. */
  validate?(params: any): Promise<number>;
}

/** A way of training: stages one after the other, each of which may read the parameters of those before. */
export interface StagedMethod {
  /** Number of stages. */
  readonly stages: number;
  /** The stage after those whose final parameters are given. */
  begin(finished: readonly any[]): Promise<Stage>;
}

/** Parameters of the stages that are over and, after them, the best or present ones of the stage that is not. */
export function reachedParams({ finished, best, params }: TrainingState): readonly any[] {
  const present = best?.params ?? params;
  return present === null ? finished : [...finished, present];
}

/** What is told of an epoch. */
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

/** What `onProgress` is told. */
export interface TrainingProgress extends EpochRecord {
  /** Stages, which are layers unless they learn together. */
  readonly stages: number;
  /** Most epochs of a stage. */
  readonly epochs: number;
}

/** Everything a run needs to go on from: a tree of tensors and numbers. */
export interface TrainingState {
  /** Final parameters of the stages that are over. */
  readonly finished: readonly any[];
  /** Epochs of the present stage. */
  readonly epoch: number;
  /** Parameters of the present stage; null before it began. */
  readonly params: any;
  /** The optimizer's state. */
  readonly optimizerState: any;
  /** What the stage carries. */
  readonly carried: any;
  /** The best parameters so far, and their figure. */
  readonly best: { readonly params: any; readonly validation: number } | null;
  /** Validations since then. */
  readonly misses: number;
  /** All epochs so far. */
  readonly history: readonly EpochRecord[];
}

/** How to train. */
export interface StagedTrainingOptions {
  epochs: number;
  validateEvery: number;
  patience: number;
  backend?: Backend | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: TrainingProgress) => unknown) | undefined;
  onCheckpoint?: ((state: TrainingState) => unknown) | undefined;
  resume?: TrainingState | undefined;
}

/** How training ended, and the last state: `finished` holds the parameters of every stage unless it was aborted. */
export interface StagedTrainingResult extends TrainingState {
  readonly status: "completed" | "aborted";
}

const beginning: TrainingState = {
  finished: [],
  epoch: 0,
  params: null,
  optimizerState: null,
  carried: null,
  best: null,
  misses: 0,
  history: [],
};

/** Loss, gradient and update of a stage as one pure function. */
export function stageStep(stage: Pick<Stage, "loss" | "optimizer">) {
  const objective = valueAndGrad(stage.loss, { hasAux: true }) as any;
  return (params: any, optimizerState: any, carried: any, constants: any) => {
    const [[loss, next], gradients] = objective(params, carried, constants);
    const { updates, state } = stage.optimizer.update(gradients, optimizerState, params);
    return { params: applyUpdates(params, updates), optimizerState: state, carried: next, loss };
  };
}

/**
 * Trains stage by stage. In a stage, every `validateEvery` epochs the parameters are validated; the stage ends after
 * `epochs`, or `patience` validations that were not strictly better, and keeps its best parameters.
 * @throws NonFiniteError, with the last good state, where a loss is not finite.
 */
export async function trainStages(method: StagedMethod, options: StagedTrainingOptions): Promise<StagedTrainingResult> {
  const steps = new Map<string, Jitted<any>>();
  let state = options.resume ?? beginning;
  try {
    while (state.finished.length < method.stages) {
      const stage = await method.begin(state.finished);
      const result = await trainStage(stage, stepOf(stage, steps, options.backend), state, method.stages, options);
      if (result.aborted) return { ...(await inMemory(result.state)), status: "aborted" };
      state = result.state;
    }
  } finally {
    for (const step of steps.values()) await step.release();
  }
  return { ...state, status: "completed" };
}

function stepOf(stage: Stage, known: Map<string, Jitted<any>>, backend: Backend | undefined) {
  if (backend === undefined) return stageStep(stage);
  let step = known.get(stage.key);
  if (step === undefined) {
    step = jit(stageStep(stage), { backend });
    known.set(stage.key, step);
  }
  return step;
}

async function trainStage(
  stage: Stage,
  step: (...args: any[]) => any,
  start: TrainingState,
  stages: number,
  options: StagedTrainingOptions,
): Promise<{ state: TrainingState; aborted: boolean }> {
  const { epochs, validateEvery, patience, signal, onProgress, onCheckpoint } = options;
  const fresh = start.params === null;
  let params = fresh ? stage.params : start.params;
  let optimizerState = fresh ? stage.optimizer.init(stage.params) : start.optimizerState;
  let carried = fresh ? stage.carried : start.carried;
  let { epoch, best, misses } = start;
  const history = [...start.history];
  const present = (): TrainingState => ({
    finished: start.finished,
    epoch,
    params,
    optimizerState,
    carried,
    best,
    misses,
    history: [...history],
  });
  while (epoch < epochs && misses < patience) {
    if (signal?.aborted) return { state: present(), aborted: true };
    const { result, loss } = await checked(step, [params, optimizerState, carried, stage.constants], async (error) => {
      const where = stage.layer === 0 ? "" : ` of layer ${stage.layer}`;
      const message = `epoch ${epoch + 1}${where}: ${error.message}; lower the learning rate, or scale the features`;
      return new NonFiniteError(message, { state: await inMemory(present()), cause: error });
    });
    ({ params, optimizerState, carried } = result);
    epoch++;
    let record: EpochRecord = { layer: stage.layer, epoch, loss };
    if (stage.validate !== undefined && epoch % validateEvery === 0) {
      const validation = await stage.validate(params);
      if (best === null || validation > best.validation) {
        best = { params: await inMemory(params), validation };
        misses = 0;
      } else misses++;
      record = { ...record, validation };
    }
    history.push(record);
    await onProgress?.({ ...record, stages, epochs });
    if (record.validation !== undefined) await onCheckpoint?.(await inMemory(present()));
  }
  const final = best === null ? await inMemory(params) : best.params;
  return { state: { ...beginning, finished: [...start.finished, final], history }, aborted: false };
}

/** A step and its loss; what is not finite, as the step or the optimizer in it tells, becomes the error of `explain`. */
async function checked(
  step: (...args: any[]) => any,
  args: readonly any[],
  explain: (error: Error) => Promise<Error>,
): Promise<{ result: any; loss: number }> {
  let result: any;
  try {
    result = await step(...args);
  } catch (error) {
    throw error instanceof NonFiniteError ? await explain(error) : error;
  }
  const loss = (await (result.loss as Tensor).host()).item();
  if (!Number.isFinite(loss)) throw await explain(new NonFiniteError(`the loss is ${loss}`));
  return { result, loss };
}

/** A tree with its tensors in memory. */
async function inMemory<T>(value: T): Promise<T> {
  const flat = tree.flatten(value);
  const leaves = await Promise.all(flat.leaves.map((leaf) => (isTensor(leaf) ? leaf.host() : leaf)));
  return tree.unflatten<T>(flat.structure, leaves);
}
