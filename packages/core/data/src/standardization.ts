import {
  add,
  asTensor,
  div,
  mul,
  ShapeError,
  sub,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** A change of units learnt from one set of samples, for use on others. */
export interface Standardization {
  /** `[...features]`, of the learning samples. */
  readonly mean: Tensor;
  /** `[...features]`, population standard deviation; 1 where a feature does not vary. */
  readonly std: Tensor;
  /** (x - mean) / std. */
  apply(x: TensorLike): Tensor;
  /** Undoes `apply`. */
  invert(x: TensorLike): Tensor;
}

/**
 * Learns mean and standard deviation of every feature over the samples (axis 0), in float64, and gives them in the
 * dtype of `x`. Learn from the training part only.
 * @throws ValueError for no samples or values that are not finite.
 * @example
 * const scale = standardization(train.inputs);
 * const inputs = scale.apply(test.inputs);
 */
export function standardization(x: TensorLike): Standardization {
  const samples = asTensor(x);
  if (samples.rank === 0) throw new ShapeError("standardization: a scalar has no samples; give [samples, ...]");
  const [count, ...features] = samples.shape;
  if (count === 0) throw new ValueError("standardization: there are no samples to learn from");
  const data = samples.data();
  const width = data.length / count;
  const means = new Float64Array(width);
  const deviations = new Float64Array(width);
  const units = unitsOf(data, width);
  for (let i = 0; i < data.length; i++) means[i % width] += data[i] / units[i % width] / count;
  for (let i = 0; i < data.length; i++) {
    deviations[i % width] += (data[i] / units[i % width] - means[i % width]) ** 2 / count;
  }
  for (let j = 0; j < width; j++) {
    if (!Number.isFinite(deviations[j])) {
      throw new ValueError(
        `standardization: feature ${j} has values that are not finite; remove or replace them first`,
      );
    }
    // rounding of the mean leaves a trace of a deviation where all values are equal
    const spread = Math.sqrt(deviations[j]);
    deviations[j] = spread > 1e-14 * Math.abs(means[j]) ? spread * units[j] : 1;
    means[j] *= units[j];
  }
  const dtype = samples.dtype === "float64" ? "float64" : "float32";
  const mean = tensor(means, { dtype, shape: features });
  const std = tensor(deviations, { dtype, shape: features });
  return {
    mean,
    std,
    apply: (y) => div(sub(y, mean), std),
    invert: (y) => add(mul(y, std), mean),
  };
}

/** Powers of two near the largest value of each feature: of numbers over them no square overflows or vanishes. */
function unitsOf(data: ArrayLike<number>, width: number): Float64Array {
  const largest = new Float64Array(width);
  for (let i = 0; i < data.length; i++) largest[i % width] = Math.max(largest[i % width], Math.abs(data[i]));
  return largest.map((value) => (value > 0 ? 2 ** Math.min(1023, Math.floor(Math.log2(value))) : 1));
}
