import { type Dataset, sampleCount } from "@offprint/data";
import { accuracy, crossEntropy, sgd, type TrainingRecord, type TrainingState, train } from "@offprint/optim";
import type { RunOptions, Status } from "@offprint/solvers";
import { add, type Backend, IndexError, NonFiniteError, type Tensor, tensor } from "@offprint/tensor-core";
import type { NetworkPart } from "./network-part.js";
import { type Predictor, predictor } from "./predict.js";
import { sineRegularizer } from "./regularizer.js";
import type { SettledStage } from "./stage-options.js";
import type { TrainedNetwork } from "./trained-network.js";
import type { BatchSource, LabelledBatch } from "./training-data.js";
import type { RegularizerKind, Stage } from "./weight-rules.js";

/** What is told of a step. */
export interface FitRecord {
  /** Which stage. */
  readonly stage: Stage;
  /** Number of the update in its stage, 1 for the first. */
  readonly step: number;
  /** Epoch of the stage that the batch belongs to, 1 for the first. */
  readonly epoch: number;
  /** Number of the batch in its epoch, 1 for the first. */
  readonly batch: number;
  /** Loss of the batch, regulariser included, before the update. */
  readonly loss: number;
  /** Learning rate; null with a schedule of your own. */
  readonly learningRate: number | null;
  /** Weight of the regulariser. */
  readonly tau: number;
  /** Mean loss of the epoch's batches, after the last of them; null before. */
  readonly epochLoss: number | null;
  /** Fraction of the validation samples that are right after the epoch; null before, and without any. */
  readonly validationAccuracy: number | null;
}

/** Parameters and running statistics of a network. */
export interface NetworkValues<P = unknown, S = unknown> {
  /** Its parameters. */
  readonly params: P;
  /** Its running statistics. */
  readonly state: S;
}

/** A network as good as any so far. */
export interface BestSoFar<P = unknown, S = unknown> extends NetworkValues<P, S> {
  /** Its accuracy on the validation samples. */
  readonly accuracy: number;
}

/** Where a stage stands. */
export interface StageState<P = unknown, S = unknown> {
  /** Of the training loop. */
  readonly training: TrainingState<P, S>;
  /** The network to keep; null without validation, or before the first epoch. */
  readonly best: BestSoFar<P, S> | null;
}

/** What is trained in a stage. */
export interface StageTask<P, S> {
  /** The network. */
  readonly network: NetworkPart<P, S>;
  /** 1: weights `sin(omega w)`; 2: binary weights. */
  readonly stage: Stage;
  /** What to train on. */
  readonly source: BatchSource;
  /** How. */
  readonly settled: SettledStage;
  /** Where it begins. */
  readonly initial: () => NetworkValues<P, S>;
}

/** Options that both stages share. */
export interface SharedFitOptions {
  /** Loss of logits and targets: a scalar tensor. Default cross-entropy with int32 classes. */
  loss?: (logits: Tensor, targets: Tensor) => Tensor;
  /** Which regulariser. Default `sin2`, the official code's. */
  regularizer?: RegularizerKind;
  /** Held-out samples with int32 classes: the epoch with the highest accuracy on them is kept. Default: the last epoch. */
  validation?: Pick<Dataset, "inputs" | "targets">;
  /** Source of all randomness. Default 0. */
  seed?: number | string;
  /** Compiles the whole training step to one graph. Default: the compiler of tensor-core. */
  backend?: Backend;
}

/** What a stage gives. */
export interface StageResult<P, S> {
  /** The network to use: of the best epoch with validation, else of the last. */
  readonly model: TrainedNetwork<P, S>;
  /** Every step. */
  readonly history: readonly FitRecord[];
  /** How it ended; `limit` where all epochs were made. */
  readonly status: Status;
  /** Whether `onProgress` answered `"stop"`, perhaps after the last step. */
  readonly stopped: boolean;
  /** What it goes on from. */
  readonly state: StageState<P, S>;
}

/** A batch with the weight of the regulariser, so that one compiled step serves all epochs. */
interface WeightedBatch extends LabelledBatch {
  readonly tau: Tensor;
}

/** The loss of a step: of the logits, and the regulariser. */
export function stageLoss<P, S>(
  network: NetworkPart<P, S>,
  stage: Stage,
  { loss = crossEntropy, regularizer = "sin2" }: Pick<SharedFitOptions, "loss" | "regularizer">,
  seen?: (logits: Tensor) => void,
) {
  return (params: P, batch: WeightedBatch, { modelState }: { modelState: S }) => {
    const [logits, next] = network.run(params, modelState, batch.inputs, { training: true, stage });
    seen?.(logits);
    const penalty = sineRegularizer(network, params, batch.tau, regularizer);
    return [add(loss(logits, batch.targets), penalty), next] as const;
  };
}

/** @throws IndexError for a class that the network has no logit of: compiled, its loss would be 0. */
function requireClasses(targets: Tensor, logits: readonly number[]): void {
  const classes = logits[logits.length - 1];
  if (targets.dtype !== "int32" || targets.rank !== logits.length - 1) return;
  const bad = (targets.data() as Int32Array).find((target) => target < 0 || target >= classes);
  if (bad === undefined) return;
  throw new IndexError(
    `fitNetwork: data.targets has class ${bad}; the network has ${classes} classes, which count from 0`,
  );
}

/** Tells steps of `train` in the words of this package; to be asked in their order. */
function recorder(stage: Stage, { rates, taus }: SettledStage): (record: TrainingRecord) => FitRecord {
  let losses: number[] = [];
  return ({ step, epoch, batch, loss, evaluation }) => {
    if (batch === 1) losses = [];
    losses.push(loss);
    const epochLoss = evaluation === undefined ? null : losses.reduce((sum, each) => sum + each, 0) / losses.length;
    const validationAccuracy = evaluation?.["accuracy"] ?? null;
    const learningRate = rates === null ? null : rates[epoch];
    return { stage, step, epoch: epoch + 1, batch, loss, learningRate, tau: taus[epoch], epochLoss, validationAccuracy }; // biome-ignore format: one line
  };
}

/** Runs the network on the validation samples. */
function validator<P, S>(
  { network, stage }: Pick<StageTask<P, S>, "network" | "stage">,
  { validation, backend }: Pick<SharedFitOptions, "validation" | "backend">,
): Predictor<P, S> | undefined {
  if (validation === undefined) return undefined;
  return predictor(network, stage, Math.min(256, Math.max(1, sampleCount(validation))), backend);
}

/**
 * Trains a network with the weights of one stage.
 * @throws NonFiniteError, with the last good state, where the loss or the gradient stop being finite.
 */
export async function trainStage<P, S>(
  { network, stage, source, settled, initial }: StageTask<P, S>,
  options: SharedFitOptions & RunOptions<FitRecord, StageState<P, S>>,
): Promise<StageResult<P, S>> {
  const { seed = 0, backend, validation, signal, checkpoint, resume } = options;
  const { epochs, schedule: learningRate, momentum, weightDecay, taus } = settled;
  const start = initial();
  const validate = validator({ network, stage }, options);
  const told = recorder(stage, settled);
  const history = (resume?.training.history ?? []).map(told);
  let best = resume?.best ?? null;
  let stopped = false;
  let logits: readonly number[] | undefined;
  try {
    const result = await train<P, WeightedBatch, S>({
      owner: "fitNetwork",
      loss: stageLoss(network, stage, options, ({ shape }) => {
        logits = shape;
      }),
      initial: start.params,
      modelState: start.state,
      optimizer: sgd({ learningRate, momentum, weightDecay }),
      async *data(epoch, rng) {
        const tau = tensor(taus[epoch]);
        for await (const batch of source.batches(epoch, rng)) {
          yield { ...batch, tau };
          // How many classes there are the network's first output says.
          if (options.loss === undefined && logits !== undefined) requireClasses(batch.targets, logits);
        }
      },
      epochs,
      seed: `${seed}/stage ${stage}`,
      async evaluate(params, state): Promise<Record<string, number>> {
        if (validate === undefined || validation === undefined) return {};
        const found = accuracy(await validate(params, state, validation.inputs), validation.targets).item();
        if (best === null || found > best.accuracy) best = { accuracy: found, params, state };
        return { accuracy: found };
      },
      async onProgress(record) {
        const entry = told(record);
        history.push(entry);
        const answer = await options.onProgress?.(entry);
        stopped = answer === "stop";
        return answer;
      },
      ...(backend && { backend }),
      ...(signal && { signal }),
      ...(checkpoint && { checkpoint: { ...checkpoint, save: (training) => checkpoint.save({ training, best }) } }),
      ...(resume && { resume: resume.training }),
    });
    const { params, state } = best ?? { params: result.params, state: result.modelState };
    const reached = { training: result.state, best };
    return { model: { network, params, state, stage }, history, status: result.status, stopped, state: reached };
  } catch (error) {
    if (!(error instanceof NonFiniteError)) throw error;
    const training = error.state as TrainingState<P, S>;
    throw new NonFiniteError(`stage ${stage}: ${error.message}`, { state: { training, best }, cause: error });
  } finally {
    await validate?.release();
  }
}
