import { type AdamState, adam, type GradientTransformation, type TrainingState, train } from "@offprint/optim";
import {
  type Backend,
  mul,
  random,
  requireInteger,
  requirePositive,
  type Tensor,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import type { AutoEncoderParams, BspAutoEncoder, ShapeBatch } from "./auto-encoder.js";
import { type Phase, requireNextPhase } from "./phase.js";
import type { ShapeSource } from "./shape-source.js";

/** A part of training, with an optimizer of its own. */
export interface Stage {
  /** Phase of the loss. */
  phase: Phase;
  /** Number of updates, >= 0. */
  steps: number;
  /** Resolution of the grid that points come from, for sources that have several. */
  resolution?: number;
  /** Adam's learning rate in this stage, > 0. Default that of the options. */
  learningRate?: number;
}

/** The loss of a stage. */
export interface StageHistory {
  /** The stage's phase. */
  readonly phase: Phase;
  /** The resolution of its points, where it has one. */
  readonly resolution?: number;
  /** Total loss of each step, before the update. */
  readonly losses: readonly number[];
  /** The reconstruction alone. */
  readonly reconstruction: readonly number[];
}

/** Everything a run needs to go on from: a tree of tensors and numbers. */
export interface FitState {
  /** Number of the present stage, from 0. */
  readonly stage: number;
  /** State within the stage; null before its first step. */
  readonly training: TrainingState<AutoEncoderParams> | null;
  /** The parameters. */
  readonly params: AutoEncoderParams;
  /** Of the stages so far. */
  readonly history: readonly StageHistory[];
}

/** What `onProgress` is told. */
export interface FitProgress {
  /** Number of the present stage, from 0. */
  readonly stage: number;
  /** Its phase. */
  readonly phase: Phase;
  /** Updates made in it. */
  readonly step: number;
  /** Updates it will have. */
  readonly steps: number;
  /** Total loss before the last update. */
  readonly loss: number;
}

/** Options of `fitAutoEncoder`. */
export interface FitOptions {
  /** The stages, in order; `paperSchedule()` gives those of the paper. */
  schedule: readonly Stage[];
  /** Shapes of a step. Default 24, or all where there are fewer. */
  batchSize?: number;
  /** Adam's learning rate. Connections T move by at most 5e-4 a step, whatever it is. Default 1e-4. */
  learningRate?: number;
  /** Adam's beta1. Default 0.5. */
  beta1?: number;
  /** Adam's beta2. Default 0.999. */
  beta2?: number;
  /** Source of all randomness. Default 0. */
  seed?: number | string;
  /** Element type of parameters. Default float32. */
  dtype?: "float32" | "float64";
  /** Parameters to start from. Default drawn from the seed. */
  params?: AutoEncoderParams;
  /** Phase that `params` were trained in. Default 0. */
  phase?: Phase;
  /** Compiles the step of each phase to one graph; without it steps run on the host kernels. */
  backend?: Backend;
  /** Called after each step and awaited. */
  onProgress?: (progress: FitProgress) => unknown;
  /** Stops before the next step; the result holds the state to go on from. */
  signal?: AbortSignal;
  /** Called with the state every `every` steps and awaited. */
  checkpoint?: { every: number; save: (state: FitState) => unknown };
  /** State to go on from, of a run with the same source and options: it continues as if not interrupted. */
  resume?: FitState;
}

/** What `fitAutoEncoder` gives. */
export interface FitResult {
  /** The trained parameters. */
  readonly params: AutoEncoderParams;
  /** Phase of the last stage, in which to use them. */
  readonly phase: Phase;
  /** Losses of every stage. */
  readonly history: readonly StageHistory[];
  /** All stages made, or stopped by the signal. */
  readonly status: "completed" | "aborted";
  /** State to go on from. */
  readonly state: FitState;
}

/** With larger steps, connections jump over the threshold of 0.01 and every plane joins every convex. */
const LARGEST_CONNECTION_STEP = 5e-4;

/**
 * The stages of the paper: phase 0 on points of 16, 32 and 64 cells per axis, then a discrete phase on 64, with 8, 8,
 * 16 and 16 million shape visits.
 * @param phase the discrete phase. Default 1.
 * @param batchSize shapes of a step. Default 24.
 */
export function paperSchedule(phase: Phase = 1, batchSize = 24): Stage[] {
  const steps = (visits: number) => Math.ceil(visits / batchSize);
  return [
    { phase: 0, resolution: 16, steps: steps(8e6) },
    { phase: 0, resolution: 32, steps: steps(8e6) },
    { phase: 0, resolution: 64, steps: steps(16e6) },
    { phase, resolution: 64, steps: steps(16e6) },
  ];
}

/** Adam whose updates of T are scaled so that they stay below the largest that is safe. */
function optimizerOf(learningRate: number, beta1: number, beta2: number): GradientTransformation<AdamState> {
  const rule = adam({ learningRate, beta1, beta2 });
  const factor = Math.min(1, LARGEST_CONNECTION_STEP / learningRate);
  if (factor === 1) return rule;
  return {
    init: rule.init,
    update(gradients, state, params) {
      const result = rule.update(gradients, state, params);
      const { tree: connections } = result.updates as { tree: { T: Tensor; W: Tensor } | null };
      if (connections === null) return result;
      const slowed = { ...connections, T: mul(connections.T, factor) };
      return { ...result, updates: { ...result.updates, tree: slowed } };
    },
  };
}

/** Batches of a stage: every shape once, in random order, and again; each step has randomness of its own. */
function* stageBatches(source: ShapeSource, stage: Stage, size: number, seed: string): Generator<ShapeBatch> {
  const perRound = Math.floor(source.count / size);
  let order: Int32Array = new Int32Array(0);
  for (let step = 0; step < stage.steps; step++) {
    const at = step % perRound;
    if (at === 0)
      order = random
        .rng(`${seed}/round/${step / perRound}`)
        .permutation(source.count)
        .data() as Int32Array;
    const indices = order.slice(at * size, (at + 1) * size);
    yield source.batch(indices, stage.resolution, random.rng(`${seed}/points/${step}`));
  }
}

function checkedSchedule(model: BspAutoEncoder, options: FitOptions): readonly Stage[] {
  const { schedule } = options;
  let before: Phase = options.phase ?? 0;
  for (const { phase, steps, learningRate } of schedule) {
    requireNextPhase("fitAutoEncoder", before, phase);
    requireInteger("fitAutoEncoder", "steps of a stage", steps, 0);
    if (learningRate !== undefined) requirePositive("fitAutoEncoder", "learningRate of a stage", learningRate);
    if (model.options.decoder !== "bsp" && phase !== 0) {
      throw new ValueError(`fitAutoEncoder: phase is ${phase}; a generic decoder has phase 0 only`);
    }
    before = phase;
  }
  if (schedule.length === 0) throw new ValueError("fitAutoEncoder: the schedule is empty; give at least one stage");
  return schedule;
}

/**
 * Trains an auto-encoder, phase by phase: weights are carried over, the optimizer is fresh in each stage. A step - loss,
 * gradient and update - compiles to one graph per phase.
 * @throws ValueError for an illegal sequence of phases or an option out of range; NonFiniteError, with the last good
 * state, where the loss stops being finite.
 * @see section 3.2 of the paper
 */
export async function fitAutoEncoder(
  model: BspAutoEncoder,
  source: ShapeSource,
  options: FitOptions,
): Promise<FitResult> {
  const { learningRate = 1e-4, beta1 = 0.5, beta2 = 0.999, seed = 0, dtype = "float32" } = options;
  const schedule = checkedSchedule(model, options);
  if (!(source.count >= 1)) throw new ValueError("fitAutoEncoder: the source has no shapes; give at least one");
  const { batchSize = Math.min(24, source.count) } = options;
  requireInteger("fitAutoEncoder", "batchSize", batchSize, 1);
  requirePositive("fitAutoEncoder", "learningRate", learningRate);
  if (batchSize > source.count) {
    throw new ValueError(`fitAutoEncoder: batchSize is ${batchSize} with ${source.count} shapes; make it smaller`);
  }
  let state: FitState = options.resume ?? {
    stage: 0,
    training: null,
    params: options.params ?? model.init(random.rng(seed).fork("params"), dtype),
    history: [],
  };
  const settled = { learningRate, beta1, beta2, seed, dtype, batchSize };
  while (state.stage < schedule.length) {
    const result = await fitStage(model, source, schedule[state.stage], state, settled, options);
    state = result.state;
    if (result.aborted) return outcome(schedule, state, "aborted");
  }
  return outcome(schedule, state, "completed");
}

function outcome(schedule: readonly Stage[], state: FitState, status: FitResult["status"]): FitResult {
  const { phase } = schedule[Math.min(state.stage, schedule.length - 1)];
  return { params: state.params, phase, history: state.history, status, state };
}

type Settled = Required<Pick<FitOptions, "learningRate" | "beta1" | "beta2" | "seed" | "dtype" | "batchSize">>;

/** The rest of a stage from where the state stands. */
async function fitStage(
  model: BspAutoEncoder,
  source: ShapeSource,
  stage: Stage,
  start: FitState,
  settled: Settled,
  { backend, signal, onProgress, checkpoint }: FitOptions,
): Promise<{ state: FitState; aborted: boolean }> {
  const { phase, steps, resolution, learningRate = settled.learningRate } = stage;
  const { beta1, beta2, batchSize, dtype } = settled;
  const number = start.stage;
  const key = `${settled.seed}/stage/${number}`;
  const { training } = start;
  const earlier = training === null ? start.history : start.history.slice(0, -1);
  const present = ({ history }: TrainingState, done: boolean): Pick<FitState, "stage" | "history"> => {
    const record = {
      phase,
      ...(resolution !== undefined && { resolution }),
      losses: history.map(({ loss }) => loss),
      reconstruction: history.map(({ figures }) => figures?.["reconstruction"] ?? Number.NaN),
    };
    return { stage: done ? number + 1 : number, history: [...earlier, record] };
  };
  const result = await train<AutoEncoderParams, ShapeBatch, Tensor, Tensor | undefined>({
    initial: start.params,
    optimizer: optimizerOf(learningRate, beta1, beta2),
    loss(params, batch, { noise }) {
      const loss = model.loss(params, batch, phase, noise);
      return [loss.total, loss.reconstruction];
    },
    modelState: zeros([], dtype),
    data: () => stageBatches(source, stage, batchSize, key),
    epochs: steps === 0 ? 0 : 1,
    seed: key,
    figures: (reconstruction: Tensor) => ({ reconstruction: reconstruction.item() }),
    onProgress: ({ step, loss }) => onProgress?.({ stage: number, phase, step, steps, loss }),
    ...(checkpoint && {
      checkpoint: {
        every: checkpoint.every,
        save: (saved) => checkpoint.save({ ...present(saved, false), training: saved, params: saved.inner.params }),
      },
    }),
    ...(model.options.variational && {
      noise: (rng: random.Rng) => rng.normal([batchSize, model.codeSize], { dtype }),
    }),
    ...(backend && { backend }),
    ...(signal && { signal }),
    ...(training && { resume: training }),
  });
  const { status, params, state: reached } = result;
  const done = status === "limit";
  return { aborted: !done, state: { ...present(reached, done), training: done ? null : reached, params } };
}
