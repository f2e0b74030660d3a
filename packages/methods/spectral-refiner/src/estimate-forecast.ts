import type { StiffSystem } from "@offprint/spectral";
import { add, checkOptions, mean, requireInteger, requireObject, requirePositive, sqrt } from "@offprint/tensor-core";
import { type Estimate, residualSquares, SHIFT } from "./estimate.js";
import { type Forecast, forecastFrames, requireFewTimes } from "./forecast.js";

/** Options of {@link estimateForecast}. */
export interface EstimateForecastOptions {
  /** Time between two frames, > 0. */
  readonly spacing: number;
  /** Times for each frame at which the residual is looked at, >= 1. Default 2: what vanishes at the frames is seen. */
  readonly oversample?: number;
  /** Order of the norm. Default -1. */
  readonly order?: number;
  /** What is added to |omega|^2 in it, > 0. Default 10^-1.5. */
  readonly shift?: number;
}

/**
 * The error estimate of a trajectory between its frames as well, with its exact derivative in time; and how far its start is
 * from the known frame, which no residual sees.
 */
export function estimateForecast(
  system: StiffSystem,
  forecast: Forecast,
  options: EstimateForecastOptions,
): Estimate & { readonly initialError: number } {
  requireObject("estimateForecast", "system", system, "a StiffSystem");
  requireObject("estimateForecast", "forecast", forecast, "a Forecast");
  const owner = "estimateForecast";
  checkOptions(owner, options, ["spacing", "oversample", "order", "shift"], ["spacing"]);
  const { spacing, oversample = 2, order = -1, shift = SHIFT } = options;
  requirePositive(owner, "spacing", spacing);
  requireInteger(owner, "oversample", oversample, 1);
  requirePositive(owner, "shift", shift);
  const { last, coefficients, length, frames } = forecast;
  const times = { n: last.shape[0], length, first: 0, frames, oversample };
  requireFewTimes(owner, times);
  const change = forecastFrames(coefficients, times);
  const rate = forecastFrames(coefficients, { ...times, spacing });
  const squares = residualSquares(system, add(change, last), rate, order, shift);
  return {
    eta: Math.sqrt(mean(squares).item()),
    perFrame: Float64Array.from(sqrt(squares).data()),
    initialError: Math.sqrt(change.slice([0]).square().mean().item()),
  };
}
