import { schemes, sobolevNorm } from "@offprint/spectral";
import { estimate, estimateForecast, refine } from "../src/index.js";

/** What the claims are about; a test puts something else in its place. */
export interface Method {
  /** Refines a forecast. */
  readonly refine: typeof refine;
  /** The estimate from frames. */
  readonly estimate: typeof estimate;
  /** The estimate of a trajectory. */
  readonly estimateForecast: typeof estimateForecast;
  /** The solver's steps. */
  readonly schemes: typeof schemes;
  /** The norm of residuals. */
  readonly sobolevNorm: typeof sobolevNorm;
}

/** The method of the paper. */
export const spectralRefiner: Method = { refine, estimate, estimateForecast, schemes, sobolevNorm };
