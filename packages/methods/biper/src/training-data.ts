import { batches, type Dataset, sampleCount } from "@offprint/data";
import {
  asTensor,
  concatenate,
  type random,
  requireFinite,
  requireInteger,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";

/** What one step of training sees. */
export interface LabelledBatch {
  /** `[batch, channels, height, width]`, or whatever the network takes. */
  readonly inputs: Tensor;
  /** `[batch]` int32 classes, or what the loss takes. */
  readonly targets: Tensor;
}

/** Batches of your own, read or made while training. */
export interface BatchSource {
  /** Number of batches in every epoch, >= 1. */
  readonly batchesPerEpoch: number;
  /** The batches of an epoch (from 0), in an order that follows from `rng`. */
  batches(epoch: number, rng: random.Rng): Iterable<LabelledBatch> | AsyncIterable<LabelledBatch>;
}

/** Samples in memory, or batches of your own. */
export type TrainingData = Pick<Dataset, "inputs" | "targets"> | BatchSource;

/** Changes images at random while training, such as `cropAndFlip()`. */
export type Augmentation = (inputs: Tensor, rng: random.Rng) => Tensor;

/** How samples in memory become batches. */
export interface BatchOptions {
  /** Samples of a batch, >= 1; a last batch of a single sample joins the one before it. Default 256. */
  batchSize?: number;
  /** Leaves out the last batch of an epoch where it is smaller. Default false. */
  dropLast?: boolean;
  /** Applied to the inputs of every batch. Default none. */
  augment?: Augmentation;
}

/**
 * The batches of a training.
 * @throws ValueError for a batch size out of range, no samples, or inputs that are not finite.
 */
export function batchSource(data: TrainingData, options: BatchOptions): BatchSource {
  const { batchSize = 256, dropLast = false, augment } = options;
  requireInteger("fitNetwork", "batchSize", batchSize, 1);
  if (typeof data !== "object" || data === null || !("batchesPerEpoch" in data || "inputs" in data)) {
    throw new ValueError("fitNetwork: data must be { inputs, targets } or { batchesPerEpoch, batches }");
  }
  const augmented = (batch: LabelledBatch, rng: random.Rng): LabelledBatch => ({
    inputs: augment === undefined ? batch.inputs : augment(batch.inputs, rng),
    targets: batch.targets,
  });
  if ("batchesPerEpoch" in data) {
    requireInteger("fitNetwork", "data.batchesPerEpoch", data.batchesPerEpoch, 1);
    return {
      batchesPerEpoch: data.batchesPerEpoch,
      async *batches(epoch, rng) {
        for await (const batch of data.batches(epoch, rng)) {
          requireFinite("fitNetwork", "data.inputs", asTensor(batch.inputs));
          yield augmented(batch, rng);
        }
      },
    };
  }
  requireFinite("fitNetwork", "data.inputs", asTensor(data.inputs));
  const count = sampleCount(data);
  if (count === 0) throw new ValueError("fitNetwork: data has no samples; give at least one");
  const size = Math.min(batchSize, count);
  const whole = Math.floor(count / size);
  return {
    batchesPerEpoch: dropLast || count - whole * size < 2 ? whole : whole + 1,
    *batches(_, rng) {
      const [order, changes] = rng.split(2);
      const list = batches(data, { batchSize: size, dropLast, rng: order });
      for (const batch of withoutSingles(list, size)) yield augmented(batch, changes);
    },
  };
}

/** A last batch of one sample has no variance to normalise by: it joins the one before. */
function* withoutSingles(list: Iterable<LabelledBatch>, size: number): Iterable<LabelledBatch> {
  let waiting: LabelledBatch | undefined;
  for (const batch of list) {
    if (waiting !== undefined && size > 1 && batch.inputs.shape[0] === 1) {
      yield {
        inputs: concatenate([waiting.inputs, batch.inputs], 0),
        targets: concatenate([waiting.targets, batch.targets], 0),
      };
      return;
    }
    if (waiting !== undefined) yield waiting;
    waiting = batch;
  }
  if (waiting !== undefined) yield waiting;
}
