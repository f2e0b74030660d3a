import { add, mul, type Tensor, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";
import { type IrregularSeries, seriesShape } from "./irregular-series.js";

/** A change of units of quantities, learnt from one set of series, for use on others. */
export interface RangeScaling {
  /** `[d]`, the smallest value that was seen of each quantity; 0 where none was. */
  readonly minimum: Tensor;
  /** `[d]`, the largest; 1 above the smallest where a quantity does not vary. */
  readonly maximum: Tensor;
  /** Series with `(value - minimum) / (maximum - minimum)` where something was seen, 0 elsewhere. */
  apply<S extends IrregularSeries>(series: S): S;
  /** Undoes it, of values `[..., d]`. */
  invert(values: TensorLike): Tensor;
}

/**
 * Learns minimum and maximum of every quantity from what was seen. Learn from the training part only; values of others may lie
 * outside of 0 and 1.
 * @throws ValueError for values that are not finite.
 */
export function rangeScaling(series: IrregularSeries): RangeScaling {
  const { quantities } = seriesShape("rangeScaling", series);
  const [values, mask] = [series.values.data(), series.mask.data()];
  const minimum = new Float64Array(quantities).fill(Infinity);
  const maximum = new Float64Array(quantities).fill(-Infinity);
  for (let i = 0; i < values.length; i++) {
    if (mask[i] === 0) continue;
    const j = i % quantities;
    if (!Number.isFinite(values[i])) {
      throw new ValueError(`rangeScaling: ${series.names[j]} has a value that is not finite; leave it out of the mask`);
    }
    minimum[j] = Math.min(minimum[j], values[i]);
    maximum[j] = Math.max(maximum[j], values[i]);
  }
  for (let j = 0; j < quantities; j++) {
    if (!Number.isFinite(minimum[j])) minimum[j] = 0;
    if (!(maximum[j] > minimum[j])) maximum[j] = minimum[j] + 1;
  }
  const extent = maximum.map((most, j) => most - minimum[j]);
  return {
    minimum: tensor(minimum),
    maximum: tensor(maximum),
    apply(other) {
      if (seriesShape("rangeScaling.apply", other).quantities !== quantities) {
        throw new ValueError(
          `rangeScaling.apply: ${other.names.length} quantities for the ranges of ${quantities}; give series of ${series.names.join(", ")}`,
        );
      }
      const seen = other.mask.data();
      const scaled = Float64Array.from(other.values.data(), (value, i) =>
        seen[i] === 0 ? 0 : (value - minimum[i % quantities]) / extent[i % quantities],
      );
      return { ...other, values: tensor(scaled, { shape: other.values.shape }) };
    },
    invert: (scaled) => add(mul(scaled, tensor(extent)), tensor(minimum)),
  };
}
