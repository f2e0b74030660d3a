import { type FloatType, type LinearParams, linear } from "@offprint/nn";
import {
  broadcastTo,
  checkOptions,
  concatenate,
  expandDims,
  mul,
  type Rng,
  requireInteger,
  sigmoid,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { forEachSample, type LevelTensors } from "../level.js";
import type { DenoisingNetwork } from "./fit-denoiser.js";
import { harmonicFeatures, sinusoidalFeatures } from "./time-features.js";

/** Options of {@link timeMlp}. */
export interface TimeMlpOptions {
  /** Entries of a state. */
  readonly size: number;
  /** Widths of the hidden layers. Default `[64, 64]`. */
  readonly hidden?: readonly number[];
  /** Entries of a condition. Default 0: none. */
  readonly conditionSize?: number;
  /** `"harmonic"`: sines of `t`, smooth; `"sinusoidal"`: the usual embedding of the timestep. Default `"harmonic"`. */
  readonly time?: "harmonic" | "sinusoidal";
  /** Number of time features, even. Default 16. */
  readonly timeSize?: number;
}

/** Parameters of {@link timeMlp}: one layer after the other. */
export type TimeMlpParams = readonly LinearParams[];

/** A network of dense layers with SiLU for states `[batch, size]`, told the time and a condition `[batch, conditionSize]`. */
export function timeMlp(options: TimeMlpOptions): DenoisingNetwork<TimeMlpParams, Tensor> {
  const owner = "timeMlp";
  checkOptions(owner, options, ["size", "hidden", "conditionSize", "time", "timeSize"], ["size"]);
  const { size, hidden = [64, 64], conditionSize = 0, time = "harmonic", timeSize = 16 } = options;
  requireInteger(owner, "size", size, 1);
  requireInteger(owner, "conditionSize", conditionSize, 0);
  requireInteger(owner, "timeSize", timeSize, 2);
  if (timeSize % 2 !== 0) throw new ValueError(`${owner}: timeSize is ${timeSize}; it must be even`);
  const widths = [size + timeSize + conditionSize, ...hidden, size];
  const layers = widths.slice(1).map((outputs, i) => linear({ inputs: widths[i], outputs }));
  return {
    init: (rng: Rng, dtype: FloatType = "float64") => layers.map((layer) => layer.init(rng, dtype)),
    apply(params, z, level: LevelTensors, condition) {
      if (conditionSize === 0 && condition !== undefined) {
        throw new ValueError(
          `${owner}: a condition of shape [${condition.shape}] says nothing here; give conditionSize`,
        );
      }
      const told =
        time === "harmonic"
          ? harmonicFeatures(forEachSample(level.t, z), timeSize / 2)
          : sinusoidalFeatures(forEachSample(level.timestep, z), timeSize);
      const given = conditionSize > 0 ? [conditionOf(condition, z, conditionSize)] : [];
      let x = concatenate([z, told, ...given], 1);
      layers.forEach((layer, i) => {
        x = layer.apply(params[i], x);
        if (i < layers.length - 1) x = mul(x, sigmoid(x));
      });
      return x;
    },
  };
}

/** `[batch, size]` of a condition, or of one for all samples. */
function conditionOf(condition: Tensor | undefined, z: Tensor, size: number): Tensor {
  if (condition === undefined)
    throw new ValueError(`timeMlp: there is no condition; give one of shape [batch, ${size}]`);
  const rows = condition.rank === 1 ? expandDims(condition, 0) : condition;
  return broadcastTo(rows, [z.shape[0], size]).cast(z.dtype);
}
