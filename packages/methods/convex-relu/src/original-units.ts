import { asTensor, checkOptions, ShapeError, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";
import { requireNetwork, type TwoLayerNet } from "./network.js";

/** A change of units that a network was trained with: `x = (raw - mean) / std`. */
export interface TrainingUnits {
  /** `[features]`. */
  mean: TensorLike;
  /** `[features]`, > 0. */
  std: TensorLike;
  /** Mean that was taken off the targets. Default 0. */
  targetMean?: number;
  /** What the targets were divided by, > 0. Default 1. */
  targetStd?: number;
}

/**
 * The same function of data in their original units, as one network: the change of units goes into the weights, the mean
 * of the targets into one more neuron that is always 1.
 * @throws ValueError for a network without a bias, or a standard deviation that is not > 0; ShapeError.
 */
export function inOriginalUnits(net: TwoLayerNet, units: TrainingUnits): TwoLayerNet {
  requireNetwork("inOriginalUnits", net);
  checkOptions("inOriginalUnits", units, ["mean", "std", "targetMean", "targetStd"], ["mean", "std"]);
  const { targetMean = 0, targetStd = 1 } = units;
  if (!net.bias) throw new ValueError("inOriginalUnits: the network has no bias; train with bias: true");
  const [d, m] = net.U.shape;
  const mean = asTensor(units.mean, "float64").data();
  const std = asTensor(units.std, "float64").data();
  if (mean.length !== d - 1 || std.length !== d - 1) {
    throw new ShapeError(
      `inOriginalUnits: mean and std have ${mean.length} and ${std.length} entries for ${d - 1} features`,
    );
  }
  const deviations = [targetStd, ...std];
  if (deviations.some((value) => !(value > 0 && value < Infinity))) {
    throw new ValueError(
      "inOriginalUnits: standard deviations must be > 0 and finite; use 1 where a feature does not vary",
    );
  }
  if ([targetMean, ...mean].some((value) => !Number.isFinite(value))) {
    throw new ValueError("inOriginalUnits: mean and targetMean must be finite");
  }
  const extra = targetMean === 0 ? 0 : 1;
  const U = new Float64Array(d * (m + extra));
  const a = new Float64Array(m + extra);
  const from = net.U.data();
  for (let j = 0; j < m; j++) {
    a[j] = Number(net.a.data()[j]) * targetStd;
    let offset = Number(from[(d - 1) * m + j]);
    for (let c = 0; c < d - 1; c++) {
      const weight = from[c * m + j] / std[c];
      U[c * (m + extra) + j] = weight;
      offset -= weight * mean[c];
    }
    U[(d - 1) * (m + extra) + j] = offset;
  }
  if (extra === 1) {
    U[(d - 1) * (m + 1) + m] = 1;
    a[m] = targetMean;
  }
  const changed = { U: tensor(U, { shape: [d, m + extra] }), a: tensor(a), bias: true };
  requireNetwork("inOriginalUnits: in these units", changed);
  return changed;
}
