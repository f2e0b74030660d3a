import { asTensor, isTensor, ShapeError, type Tensor, type TensorLike, take, ValueError } from "@offprint/tensor-core";

/** Samples with what is to be predicted from them. Both tensors have the samples along axis 0. */
export interface Dataset {
  /** What people call it. */
  readonly name: string;
  /** `[samples, ...]`. */
  readonly inputs: Tensor;
  /** `[samples, ...]`: class numbers (int32) or numbers to be predicted. */
  readonly targets: Tensor;
  /** Names of the inputs' columns. */
  readonly inputNames?: readonly string[];
  /** Names of the classes, in the order of their numbers. */
  readonly classNames?: readonly string[];
  /** Under which terms the data may be used. */
  readonly licence: string;
  /** Who made it and where it is described. */
  readonly source: string;
}

/**
 * Number of samples.
 * @throws ShapeError unless inputs and targets have equally many.
 */
export function sampleCount(dataset: Pick<Dataset, "inputs" | "targets">): number {
  const { inputs, targets } = dataset ?? {};
  if (!isTensor(inputs) || !isTensor(targets)) {
    throw new ValueError("a data set has inputs and targets that are tensors; make them with tensor(...)");
  }
  if (inputs.rank === 0 || targets.rank === 0 || inputs.shape[0] !== targets.shape[0]) {
    throw new ShapeError(
      `inputs of shape [${inputs.shape}] and targets of shape [${targets.shape}] must have the samples along axis 0, ` +
        "equally many",
    );
  }
  return inputs.shape[0];
}

/**
 * The samples at the given indices, in their order.
 * @throws IndexError for an index out of range.
 */
export function subset<D extends Pick<Dataset, "inputs" | "targets">>(dataset: D, indices: TensorLike): D {
  sampleCount(dataset);
  const at = asTensor(indices, "int32");
  return { ...dataset, inputs: take(dataset.inputs, at), targets: take(dataset.targets, at) };
}
