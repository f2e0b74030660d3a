import { asTensor, checkOptions, mean, mul, sin, square, type Tensor, type TensorLike } from "@offprint/tensor-core";
import { requireFrequency, sineWave, squareWave } from "./square-wave.js";

/** Stage of the training: 1 with real weights `sin(omega w)`, 2 with binary ones. */
export type Stage = 1 | 2;

/**
 * How latent weights become those that a layer computes with. `periodic` is the paper's; the others are what it is compared
 * with.
 */
export interface WeightRule {
  /** For messages and files. */
  readonly name: string;
  /** Angular frequency, where the rule has one. */
  readonly omega?: number;
  /** Whether weights of stage 2 are -1 and +1 only, so that they can be packed. */
  readonly binary: boolean;
  /** The weights `[outputs, ...]` of a stage, with a gradient for the latent ones. */
  weights(latent: Tensor, stage: Stage): Tensor;
  /** The scale of each output channel `[outputs]`; without it the layer learns one (alpha). */
  scale?(latent: Tensor): Tensor;
  /** Mean over the layer of the penalty that `sineRegularizer` sums, where the rule has one. */
  penalty?(latent: Tensor, kind: RegularizerKind): Tensor;
}

/** `sin2`: the official code's, which pulls |sin| towards 0; `cos2`: pulls it towards 1. */
export type RegularizerKind = "sin2" | "cos2";

/**
 * BiPer's rule: `sin(omega w)` in stage 1, the square wave of the same period in stage 2.
 * @param options.omega angular frequency > 0. Default 20, as in the paper's experiments.
 * @throws ValueError for a frequency out of range.
 */
export function periodic(options: { omega?: number } = {}): WeightRule {
  checkOptions("periodic", options, ["omega"]);
  const { omega = 20 } = options;
  requireFrequency("periodic", omega);
  return {
    name: "periodic",
    omega,
    binary: true,
    weights: (latent, stage) => (stage === 1 ? sineWave(latent, omega) : squareWave(latent, omega)),
    penalty: (latent, kind) => wavePenalty(latent, omega, kind),
  };
}

/** `mean(sin^2(omega w))`, in [0, 1]; with `cos2` one minus that. */
export function wavePenalty(latent: TensorLike, omega: number, kind: RegularizerKind = "sin2"): Tensor {
  const power = mean(square(sin(mul(asTensor(latent), omega))));
  return kind === "sin2" ? power : mul(power, -1).add(1);
}
