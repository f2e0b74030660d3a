import { digits } from "@offprint/datasets";
import { mul, take, tensor } from "@offprint/tensor-core";
import type { LogisticData } from "./logistic-regression.js";

/** The first images of handwritten digits; the target is whether it is 5 or more. In float64. */
export function digitHalves(samples: number): LogisticData {
  const { inputs, targets } = digits({ dtype: "float64" });
  const first = Array.from({ length: samples }, (_, k) => k);
  const large = take(targets, first, 0).data();
  return {
    x: mul(take(inputs, first, 0), 1 / 16),
    y: tensor(Float64Array.from(large, (digit) => (digit >= 5 ? 1 : 0))),
  };
}
