import { type Dataset, sampleCount } from "@offprint/data";
import { accuracy, crossEntropy, sgd, type TrainingState, train } from "@offprint/optim";
import { add, type Backend, random, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import type { NetworkPart } from "./network-part.js";
import { type Predictor, predictor } from "./predict.js";
import { sineRegularizer } from "./regularizer.js";
import { type SettledStage, type StageOptions, settleStage } from "./stage-options.js";
import type { TrainedNetwork } from "./trained-network.js";
import { type BatchOptions, batchSource, type LabelledBatch, type TrainingData } from "./training-data.js";
import type { RegularizerKind, Stage } from "./weight-rules.js";

/** An epoch of training. */
export interface EpochRecord {
  /** Which stage. */
  readonly stage: Stage;
  /** Epoch of the stage, from 1. */
  readonly epoch: number;
  /** Mean loss of the batches, regulariser included. */
  readonly loss: number;
  /** Learning rate; null with a schedule of your own. */
  readonly learningRate: number | null;
  /** Weight of the regulariser. */
  readonly tau: number;
  /** Fraction of the validation samples that are right; null without any. */
  readonly validationAccuracy: number | null;
}

/** What `onProgress` is told after every step. */
export interface FitProgress {
  /** Which stage. */
  readonly stage: Stage;
  /** Epochs of the stage that are finished. */
  readonly epoch: number;
  /** Epochs of the stage. */
  readonly epochs: number;
  /** Part of the stage that is done, in [0, 1]. */
  readonly fraction: number;
  /** Loss of the batch, regulariser included. */
  readonly loss: number;
}

/** A network as good as any so far. */
export interface BestSoFar {
  /** Epochs it was trained for. */
  readonly epoch: number;
  /** Its accuracy on the validation samples. */
  readonly accuracy: number;
  /** Its parameters. */
  readonly params: any;
  /** Its running statistics. */
  readonly state: any;
}

/** Where a stage stands: plain trees of tensors and numbers. */
export interface StageCheckpoint {
  /** Which stage. */
  readonly stage: Stage;
  /** Of the training loop. */
  readonly training: TrainingState;
  /** The network to keep; null without validation, or before the first epoch. */
  readonly best: BestSoFar | null;
}

/** Options that both stages share. */
export interface SharedFitOptions extends BatchOptions {
  /** Loss of logits and targets: a scalar tensor. Default cross-entropy with int32 classes. */
  loss?: (logits: Tensor, targets: Tensor) => Tensor;
  /** Which regulariser. Default `sin2`, the official code's. */
  regularizer?: RegularizerKind;
  /** Held-out samples with int32 classes: the epoch with the highest accuracy on them is kept. Default: the last epoch. */
  validation?: Pick<Dataset, "inputs" | "targets">;
  /** Source of all randomness. Default 0. */
  seed?: number | string;
  /** Compiles the whole training step to one graph; without it steps run eagerly. */
  backend?: Backend;
  /** Called after every step and awaited. */
  onProgress?: (progress: FitProgress) => unknown;
  /** Stops before the next step; the result holds what there is. */
  signal?: AbortSignal;
}

/** Options of `fitStage`. */
export interface FitStageOptions extends SharedFitOptions, StageOptions {
  /** 1: weights `sin(omega w)`; 2: binary weights. Stage 2 without `start` is the single-stage variant. */
  stage: Stage;
  /** Parameters and running statistics to start from. Default: drawn anew. */
  start?: { readonly params: any; readonly state: any };
  /** Called with the state after every epoch and awaited. */
  onCheckpoint?: (checkpoint: StageCheckpoint) => unknown;
  /** State to go on from, bit by bit as if there had been no interruption. */
  resume?: StageCheckpoint;
}

/** What training gives. */
export interface FitStageResult<P = any, S = any> {
  /** The network to use: of the best epoch with validation, else of the last. */
  readonly trained: TrainedNetwork<P, S>;
  /** Every epoch. */
  readonly history: readonly EpochRecord[];
  /** All epochs made, or stopped by the signal. */
  readonly status: "completed" | "aborted";
  /** State from which training can go on. */
  readonly checkpoint: StageCheckpoint;
}

/** The loss of a step, for `train` of `@offprint/optim`; the batch carries the weight of the regulariser. */
export function stageLoss(network: NetworkPart, stage: Stage, options: Pick<SharedFitOptions, "loss" | "regularizer">) {
  const { loss = crossEntropy, regularizer = "sin2" } = options;
  return (params: any, batch: LabelledBatch & { tau: Tensor }, { modelState }: { modelState: any }) => {
    const [logits, next] = network.run(params, modelState, batch.inputs, { training: true, stage });
    const penalty = sineRegularizer(network, params, batch.tau, regularizer);
    return [add(loss(logits, batch.targets), penalty), next] as const;
  };
}

/** Runs the network on the validation samples. */
function validator(network: NetworkPart, options: FitStageOptions): Predictor | undefined {
  const { validation, stage, backend } = options;
  return validation && predictor(network, stage, Math.min(256, Math.max(1, sampleCount(validation))), backend);
}

function records(stage: Stage, settled: SettledStage, state: TrainingState, perEpoch: number): EpochRecord[] {
  const { history, inner } = state;
  const sumOf = (epoch: number) => {
    const batches = history.slice(epoch * perEpoch, (epoch + 1) * perEpoch);
    return batches.reduce((sum, { loss }) => sum + loss, 0);
  };
  return Array.from({ length: inner.epoch }, (_, e) => ({
    stage,
    epoch: e + 1,
    loss: sumOf(e) / perEpoch,
    learningRate: settled.rates === null ? null : settled.rates[e],
    tau: settled.taus[e],
    validationAccuracy: history[(e + 1) * perEpoch - 1]?.evaluation?.["accuracy"] ?? null,
  }));
}

/**
 * Trains a network with the weights of one stage.
 * @throws ValueError for options out of range; NonFiniteError, with the last good state, when the loss
 * or the gradient stop being finite.
 */
export async function fitStage<P, S>(
  network: NetworkPart<P, S>,
  data: TrainingData,
  options: FitStageOptions,
): Promise<FitStageResult<P, S>> {
  const { stage, seed = 0, backend, validation, onProgress, signal, resume } = options;
  if (stage !== 1 && stage !== 2) throw new ValueError(`fitStage: stage is ${String(stage)}; it must be 1 or 2`);
  const source = batchSource(data, options);
  const settled = settleStage(options, source.batchesPerEpoch);
  const { momentum, weightDecay, schedule, epochs, taus } = settled;
  const start = options.start ?? {
    params: network.init(random.rng(`${seed}/network`)),
    state: network.initState(),
  };
  const validate = validator(network, options);
  let best: BestSoFar | null = resume?.best ?? null;
  let epoch = resume?.training.inner.epoch ?? 0;
  const steps = epochs * source.batchesPerEpoch;
  try {
    const result = await train<P, LabelledBatch & { tau: Tensor }>({
      loss: stageLoss(network, stage, options),
      initial: start.params,
      modelState: start.state,
      optimizer: sgd({ learningRate: schedule, momentum, weightDecay }),
      async *data(e, rng) {
        const tau = tensor(taus[e]);
        for await (const batch of source.batches(e, rng)) yield { ...batch, tau };
      },
      epochs,
      seed: `${seed}/stage ${stage}`,
      onProgress: ({ step, epoch: done, loss }) =>
        onProgress?.({ stage, epoch: done, epochs, fraction: step / steps, loss }),
      checkpoint: { save: (training) => options.onCheckpoint?.({ stage, training, best }) },
      ...(backend && { backend }),
      ...(signal && { signal }),
      ...(resume && { resume: resume.training }),
      ...(validate &&
        validation && {
          async evaluate(params: P, state: any) {
            epoch++;
            const found = accuracy(await validate(params, state, validation.inputs), validation.targets).item();
            if (best === null || found > best.accuracy) best = { epoch, accuracy: found, params, state };
            return { accuracy: found };
          },
        }),
    });
    const { status, state: training } = result;
    const kept: BestSoFar | null = best;
    const { params, state } = kept ?? { params: result.params, state: result.modelState };
    return {
      trained: { network, params: params as P, state: state as S, stage },
      history: records(stage, settled, training, source.batchesPerEpoch),
      status: status === "limit" ? "completed" : "aborted",
      checkpoint: { stage, training, best },
    };
  } finally {
    await validate?.release();
  }
}
