import { requireObject, type Tensor } from "@offprint/tensor-core";
import { blend } from "../vector-steps.js";

/**
 * The running mean `beta mean + (1 - beta) now`: less noise, and a lag.
 * @param beta - weight of the past, in [0, 1)
 */
export function movingAverage(mean: Tensor, now: Tensor, beta: Tensor | number): Tensor {
  requireObject("movingAverage", "mean", mean, "a tensor");
  requireObject("movingAverage", "now", now, "a tensor");
  return blend(beta, mean, now);
}
