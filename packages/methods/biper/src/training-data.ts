import { batches, type Dataset, sampleCount } from "@offprint/data";
import { type random, type Tensor, ValueError } from "@offprint/tensor-core";
import { requireWhole } from "./geometry.js";

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
  /** Samples of a batch, >= 1. Default 256. */
  batchSize?: number;
  /** Leaves out the last batch of an epoch where it is smaller. Default false. */
  dropLast?: boolean;
  /** Applied to the inputs of every batch. Default none. */
  augment?: Augmentation;
}

/**
 * The batches of a training.
 * @throws ValueError for a batch size out of range, or no samples.
 */
export function batchSource(data: TrainingData, options: BatchOptions): BatchSource {
  const { batchSize = 256, dropLast = false, augment } = options;
  const augmented = (batch: LabelledBatch, rng: random.Rng): LabelledBatch => ({
    inputs: augment === undefined ? batch.inputs : augment(batch.inputs, rng),
    targets: batch.targets,
  });
  if ("batchesPerEpoch" in data) {
    requireWhole("fit", "data.batchesPerEpoch", data.batchesPerEpoch);
    return {
      batchesPerEpoch: data.batchesPerEpoch,
      async *batches(epoch, rng) {
        for await (const batch of data.batches(epoch, rng)) yield augmented(batch, rng);
      },
    };
  }
  requireWhole("fit", "batchSize", batchSize);
  const count = sampleCount(data);
  if (count === 0) throw new ValueError("fit: data has no samples; give at least one");
  const size = Math.min(batchSize, count);
  return {
    batchesPerEpoch: dropLast ? Math.floor(count / size) : Math.ceil(count / size),
    *batches(_, rng) {
      const [order, changes] = rng.split(2);
      for (const batch of batches(data, { batchSize: size, dropLast, rng: order })) yield augmented(batch, changes);
    },
  };
}
