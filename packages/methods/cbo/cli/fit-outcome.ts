import type { Tensor } from "@offprint/tensor-core";
import { type Curve, curveValues } from "./curve.js";
import type { Search } from "./fit.js";
import type { Polished } from "./polish.js";
import { type Uncertainty, uncertaintyOf } from "./uncertainty.js";

/** A fitted curve beside its target. */
export interface Outcome extends Uncertainty {
  /** Weighted sum of squares of the differences. */
  readonly squares: number;
  /** Rows beyond those that the parameters take. */
  readonly freedom: number;
  /** Root of the mean square difference, of `freedom`. */
  readonly deviation: number;
  /** Part of the target's variance that the curve explains; NaN for a constant target. */
  readonly r2: number;
  /** `[rows]`. */
  readonly fitted: Tensor;
}

/** How well a polished curve fits. */
export function outcomeOf(curve: Curve, { unit, sizes }: Search, { values, squares, atBound }: Polished): Outcome {
  const free = curve.parameters.filter((name) => !atBound.includes(name));
  const rows = curve.target.size;
  const freedom = rows - free.length;
  const left = squares * unit ** 2;
  const variance = freedom > 0 ? left / freedom : Number.NaN;
  const y = curve.target.data() as Float64Array;
  const inverse = typeof curve.weights === "number" ? y.map(() => 1) : (curve.weights.data() as Float64Array);
  const weights = inverse.map((w) => w * w);
  const all = weights.reduce((sum, w) => sum + w, 0);
  const centre = y.reduce((sum, v, i) => sum + (weights[i] / all) * v, 0);
  const total = y.reduce((sum, v, i) => sum + weights[i] * (v - centre) ** 2, 0);
  const constant = y.every((v) => v === y[0]);
  return {
    ...uncertaintyOf(curve, values, free, variance, sizes),
    ...{ squares: left, freedom, deviation: Math.sqrt(variance), r2: constant ? Number.NaN : 1 - left / total },
    fitted: curveValues(curve, values),
  };
}
