import { checkRunOptions, type RunOptions, runOptionNames, type Status } from "@offprint/solvers";
import {
  asTensor,
  checkOptions,
  NonFiniteError,
  random,
  requireChoice,
  requireFinite,
  requireFunction,
  requireObject,
  ValueError,
} from "@offprint/tensor-core";
import { type NetworkPart, requireNetwork } from "./network-part.js";
import { type StageOptions, settleStage } from "./stage-options.js";
import {
  type FitRecord,
  type NetworkValues,
  type SharedFitOptions,
  type StageResult,
  type StageState,
  trainStage,
} from "./train-stage.js";
import type { TrainedNetwork } from "./trained-network.js";
import { type BatchOptions, batchSource, type TrainingData } from "./training-data.js";
import type { Stage } from "./weight-rules.js";

/** Where a training stands, as a tree of tensors and numbers. */
export interface FitState<P = unknown, S = unknown> extends StageState<P, S> {
  /** The stage that is being trained. */
  readonly stage: Stage;
  /** What stage 1 gave, once stage 2 has begun. */
  readonly first: (NetworkValues<P, S> & { readonly history: readonly FitRecord[] }) | null;
}

/** Options of `fitNetwork`. */
export interface FitOptions<P = unknown, S = unknown>
  extends SharedFitOptions,
    BatchOptions,
    RunOptions<FitRecord, FitState<P, S>> {
  /** Training with weights `sin(omega w)`. Left out: none; stage 2 from the start is the single-stage variant. */
  stage1?: StageOptions;
  /** Training with binary weights, from what stage 1 gave. Left out: none. */
  stage2?: StageOptions;
  /** Parameters and running statistics to start from. Default: drawn anew. */
  initial?: NetworkValues<P, S>;
  /** Keeps states: `every` counts steps; default after each epoch. */
  readonly checkpoint?: { readonly every?: number; readonly save: (state: FitState<P, S>) => unknown };
}

/** What training gives. */
export interface FitResult<P = unknown, S = unknown> {
  /** The network of the last stage that was begun: of its best epoch with validation, else of its last. */
  readonly model: TrainedNetwork<P, S>;
  /** What stage 1 gave, with real weights; null without one. */
  readonly stage1: TrainedNetwork<P, S> | null;
  /** Every step of both stages. */
  readonly history: readonly FitRecord[];
  /** Updates made, of both stages together. */
  readonly steps: number;
  /** How it ended; `limit` where all epochs were made. */
  readonly status: Status;
  /** What `resume` goes on from. */
  readonly state: FitState<P, S>;
}

const names = [
  ...["stage1", "stage2", "initial", "loss", "regularizer", "validation", "seed", "backend"],
  ...["batchSize", "dropLast", "augment", ...runOptionNames],
];

/**
 * BiPer's training. Stage 1 learns binary activations with weights `sin(omega w)`; stage 2 goes on from its best epoch
 * with the square wave of the same frequency, a fresh optimizer and a lower learning rate.
 * @param data samples `{ inputs, targets }` in memory, or batches of your own
 * @throws ValueError for options that are unknown or out of range, and for inputs that are not finite; IndexError for
 * classes that the network does not have; NonFiniteError,
 * with the last good state as its `state`, where training diverges.
 * @see Vargas et al., CVPR 2024, section 3.4
 */
export async function fitNetwork<P, S>(
  network: NetworkPart<P, S>,
  data: TrainingData,
  options: FitOptions<P, S>,
): Promise<FitResult<P, S>> {
  requireNetwork("fitNetwork", network, ["init", "run", "layers"]);
  requireObject("fitNetwork", "data", data, "a TrainingData");
  requireObject("fitNetwork", "options", options, "an object");
  checkOptions("fitNetwork", options, names);
  checkRunOptions("fitNetwork", options);
  const { stage1, stage2, seed = 0, validation, resume } = options ?? {};
  if (stage1 === undefined && stage2 === undefined) {
    throw new ValueError("fitNetwork: the options have neither stage1 nor stage2; give the options of one, or of both");
  }
  if (options.augment !== undefined) requireFunction("fitNetwork", "augment", options.augment);
  requireChoice("fitNetwork", "regularizer", options.regularizer ?? "sin2", ["sin2", "cos2"]);
  const source = batchSource(data, options);
  if (validation !== undefined) requireFinite("fitNetwork", "validation.inputs", asTensor(validation.inputs));
  const settled = {
    1: stage1 && settleStage("fitNetwork, stage1", stage1, source.batchesPerEpoch),
    2: stage2 && settleStage("fitNetwork, stage2", stage2, source.batchesPerEpoch),
  };
  if (resume !== undefined) requireState(resume, settled);
  const drawn = () => ({ params: network.init(random.rng(`${seed}/network`)), state: network.initState() });
  const run = (stage: Stage, first: FitState<P, S>["first"]) =>
    trainOne(network, stage, first, {
      source,
      settled: settled[stage]!,
      initial: () => first ?? options.initial ?? drawn(),
      options,
    });

  let first = resume?.first ?? null;
  if (settled[1] && first === null) {
    const result = await run(1, null);
    const { model, history, status, stopped, state } = result;
    if (settled[2] === undefined || stopped || status !== "limit") {
      const ended = settled[2] && status === "limit" ? "stopped" : status;
      return { model, stage1: model, history, steps: history.length, status: ended, state };
    }
    first = { params: model.params, state: model.state, history };
  }
  const { model, history, status, state } = await run(2, first);
  const all = [...(first?.history ?? []), ...history];
  const real = first && { network, params: first.params, state: first.state, stage: 1 as const };
  return { model, stage1: real, history: all, steps: all.length, status, state };
}

/** One stage, its states made to those of the whole training. */
async function trainOne<P, S>(
  network: NetworkPart<P, S>,
  stage: Stage,
  first: FitState<P, S>["first"],
  task: Pick<Parameters<typeof trainStage<P, S>>[0], "source" | "settled" | "initial"> & { options: FitOptions<P, S> },
): Promise<StageResult<P, S> & { readonly state: FitState<P, S> }> {
  const { source, settled, initial, options } = task;
  const { checkpoint, resume, ...shared } = options;
  const whole = (state: StageState<P, S>): FitState<P, S> => ({ ...state, stage, first });
  try {
    const result = await trainStage(
      { network, stage, source, settled, initial },
      {
        ...shared,
        ...(checkpoint && { checkpoint: { ...checkpoint, save: (state) => checkpoint.save(whole(state)) } }),
        ...(resume?.stage === stage && { resume }),
      },
    );
    return { ...result, state: whole(result.state) };
  } catch (error) {
    if (!(error instanceof NonFiniteError)) throw error;
    const state = whole(error.state as StageState<P, S>);
    throw new NonFiniteError(`fitNetwork: ${error.message}`, { state, cause: error });
  }
}

/** Throws unless a state can be one of a training in these stages. */
function requireState(state: FitState, stages: Readonly<Record<Stage, unknown>>): void {
  const { stage, training, first, best } = state ?? {};
  const known = (stage === 1 || stage === 2) && stages[stage] !== undefined;
  const begun = stage === 2 && stages[1] !== undefined;
  if (known && training && best !== undefined && begun === (first !== null && first !== undefined)) return;
  throw new ValueError(
    "fitNetwork: resume is not where a training in these stages stands; give the `state` of a result or of a checkpoint",
  );
}
