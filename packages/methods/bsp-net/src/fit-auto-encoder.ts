import type { FloatType } from "@offprint/nn";
import { type AdamState, adam, type GradientTransformation, type TrainingState, train } from "@offprint/optim";
import { checkRunOptions, type RunOptions, type RunState, runOptionNames, type Status } from "@offprint/solvers";
import {
  type Backend,
  checkOptions,
  mul,
  NonFiniteError,
  random,
  requireInteger,
  requireObject,
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

/** What is told of a step. */
export interface FitRecord {
  /** Updates made, over all stages. */
  readonly step: number;
  /** Number of the stage, from 0. */
  readonly stage: number;
  /** The stage's phase. */
  readonly phase: Phase;
  /** Total loss before the update. */
  readonly loss: number;
  /** The reconstruction alone. */
  readonly reconstruction: number;
}

/** Where training stands: a tree of tensors and numbers. */
export interface FitPoint {
  /** Number of the present stage, from 0. */
  readonly stage: number;
  /** Where the stage stands; null before its first step. */
  readonly training: TrainingState<AutoEncoderParams, Tensor> | null;
  /** The parameters. */
  readonly params: AutoEncoderParams;
}

/** What training goes on from. */
export type FitState = RunState<FitPoint, FitRecord>;

/** Options of `fitAutoEncoder`. */
export interface FitOptions extends RunOptions<FitRecord, FitState> {
  /** The stages, in order; `paperSchedule()` gives those of the paper. */
  schedule: readonly Stage[];
  /** Updates at most, over all stages and resumed runs together. Default those of the schedule. */
  steps?: number;
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
  dtype?: FloatType;
  /** Parameters to start from. Default drawn from the seed. */
  initial?: AutoEncoderParams;
  /** Phase that `initial` was trained in. Default 0. */
  phase?: Phase;
  /** Compiles the step of each phase to one graph. Default: the compiler of tensor-core. */
  backend?: Backend;
}

/** What `fitAutoEncoder` gives. */
export interface FitResult {
  /** The trained parameters. */
  readonly params: AutoEncoderParams;
  /** The phase that they were last trained in, in which to use them. */
  readonly phase: Phase;
  /** Updates made. */
  readonly steps: number;
  /** The record of every step. */
  readonly history: readonly FitRecord[];
  /** How it ended; `limit` where all steps were made. */
  readonly status: Exclude<Status, "converged">;
  /** What `resume` goes on from. */
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

const names = [
  ...["schedule", "steps", "batchSize", "learningRate", "beta1", "beta2", "seed", "dtype"],
  ...["initial", "phase", "backend", ...runOptionNames],
];

function checkedSchedule(model: BspAutoEncoder, { schedule, phase: first = 0 }: FitOptions): readonly Stage[] {
  if (!Array.isArray(schedule) || schedule.length === 0) {
    throw new ValueError("fitAutoEncoder: the schedule has no stages; give an array of { phase, steps }");
  }
  let before: Phase = first;
  for (const stage of schedule as readonly Stage[]) {
    const { phase, steps, learningRate } = stage;
    checkOptions("fitAutoEncoder: a stage", stage, ["phase", "steps", "resolution", "learningRate"]);
    requireNextPhase("fitAutoEncoder", before, phase);
    requireInteger("fitAutoEncoder", "steps of a stage", steps, 0);
    if (learningRate !== undefined) requirePositive("fitAutoEncoder", "learningRate of a stage", learningRate);
    if (model.options.decoder !== "bsp" && phase !== 0) {
      throw new ValueError(`fitAutoEncoder: phase is ${phase}; a generic decoder has phase 0 only`);
    }
    before = phase;
  }
  return schedule;
}

function settled(model: BspAutoEncoder, source: ShapeSource, options: FitOptions) {
  checkOptions("fitAutoEncoder", options, names);
  checkRunOptions("fitAutoEncoder", options);
  const schedule = checkedSchedule(model, options);
  if (!(source.count >= 1)) throw new ValueError("fitAutoEncoder: the source has no shapes; give at least one");
  const { learningRate = 1e-4, beta1 = 0.5, beta2 = 0.999, seed = 0, dtype = "float32" } = options;
  const all = schedule.reduce((total, stage) => total + stage.steps, 0);
  const { batchSize = Math.min(24, source.count), steps = all } = options;
  requireInteger("fitAutoEncoder", "batchSize", batchSize, 1);
  requireInteger("fitAutoEncoder", "steps", steps, 0);
  requirePositive("fitAutoEncoder", "learningRate", learningRate);
  if (batchSize > source.count) {
    throw new ValueError(`fitAutoEncoder: batchSize is ${batchSize} with ${source.count} shapes; make it smaller`);
  }
  return { schedule, learningRate, beta1, beta2, seed, dtype, batchSize, limit: Math.min(steps, all) };
}

type Settled = ReturnType<typeof settled>;

function checkedState(state: FitState, { schedule }: Settled): FitState {
  const { iterations, history, inner } = state ?? {};
  const stage = inner?.stage;
  const known = Number.isSafeInteger(stage) && stage >= 0 && stage <= schedule.length && inner.params !== undefined;
  if (Number.isSafeInteger(iterations) && Array.isArray(history) && known) return state;
  throw new ValueError(
    "fitAutoEncoder: resume is no state of this training; give the `state` of a result or of a checkpoint of fitAutoEncoder",
  );
}

/**
 * Trains an auto-encoder, phase by phase: weights are carried over, the optimizer is fresh in each stage. A step - loss,
 * gradient and update - compiles to one graph per phase.
 * @throws ValueError for an illegal sequence of phases or an option unknown or out of range; NonFiniteError, with the
 * last good state, where the loss stops being finite.
 * @see section 3.2 of the paper
 */
export async function fitAutoEncoder(
  model: BspAutoEncoder,
  source: ShapeSource,
  options: FitOptions,
): Promise<FitResult> {
  requireObject("fitAutoEncoder", "model", model, "a BspAutoEncoder");
  requireObject("fitAutoEncoder", "source", source, "a ShapeSource");
  requireObject("fitAutoEncoder", "options", options, "{ schedule }");
  const all = settled(model, source, options);
  const { schedule, limit, seed, dtype } = all;
  let state: FitState =
    options.resume === undefined
      ? {
          iterations: 0,
          history: [],
          inner: {
            stage: 0,
            training: null,
            params: options.initial ?? model.init(random.rng(seed).fork("params"), dtype),
          },
        }
      : checkedState(options.resume, all);
  let status: FitResult["status"] = "limit";
  while (status === "limit" && state.iterations < limit) {
    if (options.signal?.aborted) status = "aborted";
    else ({ state, status } = await fitStage(model, source, state, all, options));
  }
  const phase = schedule[state.history[state.history.length - 1]?.stage ?? -1]?.phase ?? options.phase ?? 0;
  const { history, iterations: steps, inner } = state;
  return { params: inner.params, phase, steps, history, status, state };
}

/** The rest of a stage from where the state stands. */
async function fitStage(
  model: BspAutoEncoder,
  source: ShapeSource,
  start: FitState,
  { schedule, beta1, beta2, batchSize, dtype, limit, seed, ...all }: Settled,
  { backend, signal, onProgress, checkpoint }: FitOptions,
): Promise<Pick<FitResult, "state" | "status">> {
  const { stage: number, training, params } = start.inner;
  const stage = schedule[number];
  const { phase, steps, learningRate = all.learningRate } = stage;
  const key = `${seed}/stage/${number}`;
  const before = start.iterations - (training?.iterations ?? 0);
  const history = start.history.slice();
  let stopped = false;
  // The records of a stage are in the history of the whole: its own state needs none.
  const stateOf = ({ iterations, inner }: TrainingState<AutoEncoderParams, Tensor>): FitState => ({
    iterations: before + iterations,
    history: history.slice(),
    inner:
      iterations === steps
        ? { stage: number + 1, training: null, params: inner.params }
        : { stage: number, training: { iterations, history: [], inner }, params: inner.params },
  });
  try {
    const { status, state } = await train<AutoEncoderParams, ShapeBatch, Tensor, Tensor | undefined>({
      owner: "fitAutoEncoder",
      initial: params,
      optimizer: optimizerOf(learningRate, beta1, beta2),
      loss(present, batch, { noise }) {
        const loss = model.loss(present, batch, phase, noise);
        return [loss.total, loss.reconstruction];
      },
      modelState: zeros([], dtype),
      data: () => stageBatches(source, stage, batchSize, key),
      epochs: steps === 0 ? 0 : 1,
      seed: key,
      figures: (reconstruction: Tensor) => ({ reconstruction: reconstruction.item() }),
      async onProgress({ step, loss, figures }) {
        const reconstruction = figures?.["reconstruction"] ?? Number.NaN;
        const record = { step: before + step, stage: number, phase, loss, reconstruction };
        history.push(record);
        stopped = (await onProgress?.(record)) === "stop";
        return stopped || record.step >= limit ? "stop" : undefined;
      },
      ...(checkpoint && {
        checkpoint: { every: checkpoint.every ?? 1, save: (saved) => checkpoint.save(stateOf(saved)) },
      }),
      ...(model.options.variational && {
        noise: (rng: random.Rng) => rng.normal([batchSize, model.codeSize], { dtype }),
      }),
      ...(backend && { backend }),
      ...(signal && { signal }),
      ...(training && { resume: training }),
    });
    const reached = stateOf(state);
    if (status === "aborted") return { state: reached, status };
    return { state: reached, status: stopped && reached.iterations < limit ? "stopped" : "limit" };
  } catch (error) {
    if (!(error instanceof NonFiniteError)) throw error;
    const state = stateOf(error.state as TrainingState<AutoEncoderParams, Tensor>);
    throw new NonFiniteError(`fitAutoEncoder: stage ${number}: ${error.message}`, { state, cause: error });
  }
}
