import { withSpectrum } from "@offprint/claims/makers";
import {
  cleanLevel,
  discreteSchedule,
  type GaussianMixture,
  gaussianMixture,
  type Level,
  trainingLevel,
} from "@offprint/diffusion";
import { mean, type Rng, square, stack, type Tensor } from "@offprint/tensor-core";

/** The noise of Stable Diffusion. */
export const stable = discreteSchedule({ betas: "scaledLinear" });

/** `steps + 1` levels: the exact clean end, then training levels `1 + round(k 1000 / steps)`. */
export function stableGrid(steps: number): Level[] {
  const noisy = Array.from({ length: steps }, (_, k) => trainingLevel(stable, 1 + Math.round((k * 1000) / steps)));
  return [cleanLevel(noisy[0]), ...noisy];
}

/** Four components in 16 dimensions, stiff: eigenvalues from 0.5 down to 0.005. */
export function stiffMixture(rng: Rng, scale = 1): GaussianMixture {
  const spectrum = Array.from({ length: 16 }, (_, i) => scale ** 2 * 0.5 * (0.005 / 0.5) ** (i / 15));
  return gaussianMixture({
    means: rng.normal([4, 16], { dtype: "float64" }).mul(scale),
    covariances: stack(Array.from({ length: 4 }, () => withSpectrum(rng, spectrum))),
  });
}

/** Root mean square of all entries. */
export function rms(x: Tensor): number {
  return Math.sqrt(mean(square(x)).item());
}
