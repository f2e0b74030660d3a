import { add, checkOptions, div, log, mul, requirePositive, sqrt, square, type Tensor } from "@offprint/tensor-core";
import type { Denoiser } from "./denoiser.js";
import { alongBatch } from "./level.js";
import { explodingSchedule, type NoiseSchedule } from "./schedule.js";

/** A network in EDM's inner variables: scaled states, and `log(sigma) / 4` for the time. */
export type InnerNetwork<C> = (z: Tensor, noise: Tensor, condition?: C) => Tensor;

/** Options of {@link edmDenoiser}. */
export interface EdmDenoiserOptions {
  /** Standard deviation of the data. Default 0.5. */
  readonly dataDeviation?: number;
  /** Default `explodingSchedule()`. */
  readonly schedule?: NoiseSchedule;
}

/**
 * A denoiser of a network `F` with the preconditioning of EDM (Karras et al. 2022, table 1): `x0 = c_skip z + c_out F(c_in z,
 * log(sigma) / 4)`.
 */
export function edmDenoiser<C = Tensor>(network: InnerNetwork<C>, options: EdmDenoiserOptions = {}): Denoiser<C> {
  checkOptions("edmDenoiser", options, ["dataDeviation", "schedule"]);
  const { dataDeviation = 0.5, schedule = explodingSchedule() } = options;
  requirePositive("edmDenoiser", "dataDeviation", dataDeviation);
  return {
    prediction: "data",
    schedule,
    predict(z, level, condition) {
      const sigma = alongBatch(level.sigma, z);
      const total = add(square(sigma), dataDeviation ** 2);
      const inner = network(div(z, sqrt(total)), mul(log(level.sigma), 0.25), condition);
      const skip = div(dataDeviation ** 2, total);
      return add(mul(skip, z), mul(mul(dataDeviation, div(sigma, sqrt(total))), inner));
    },
  };
}
