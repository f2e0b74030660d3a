import { add, div, mul, neg, requireChoice, sub, type Tensor } from "@offprint/tensor-core";
import { alongBatch, type LevelTensors } from "./level.js";

/**
 * What a network was trained to say of a state `z = alpha x0 + sigma n`: the noise `n`, the data `x0`, the velocity
 * `alpha n - sigma x0` (for variance-preserving schedules), or the score `-n / sigma`.
 */
export type Prediction = "noise" | "data" | "velocity" | "score";

/** All words for predictions. */
export const predictions: readonly Prediction[] = ["noise", "data", "velocity", "score"];

/** One kind of prediction as another, at a state and its level. Operations of tensors. */
export function convertPrediction(
  output: Tensor,
  from: Prediction,
  to: Prediction,
  z: Tensor,
  level: LevelTensors,
): Tensor {
  requireChoice("convertPrediction", "from", from, predictions);
  requireChoice("convertPrediction", "to", to, predictions);
  if (from === to) return output;
  const alpha = alongBatch(level.alpha, z);
  const sigma = alongBatch(level.sigma, z);
  // The data straight from a velocity: by way of the noise it would lose digits where there is little.
  if (from === "velocity" && to === "data") return sub(mul(alpha, z), mul(sigma, output));
  const noise = (): Tensor => {
    switch (from) {
      case "noise":
        return output;
      case "data":
        return div(sub(z, mul(alpha, output)), sigma);
      case "velocity":
        return add(mul(alpha, output), mul(sigma, z));
      case "score":
        return neg(mul(output, sigma));
    }
  };
  switch (to) {
    case "noise":
      return noise();
    case "data":
      return div(sub(z, mul(sigma, noise())), alpha);
    case "velocity":
      return from === "data" ? sub(mul(alpha, noise()), mul(sigma, output)) : div(sub(noise(), mul(sigma, z)), alpha);
    case "score":
      return neg(div(noise(), sigma));
  }
}
