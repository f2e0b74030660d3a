import type { FloatType } from "@offprint/nn";
import {
  checkOptions,
  fft,
  mul,
  type Rng,
  requireChoice,
  requireInteger,
  requireObject,
  requirePositive,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import type { Torus } from "./torus.js";

/** Options of {@link gaussianRandomField}. */
export interface RandomFieldOptions {
  /** Decay of the spectrum: coefficients are proportional to (|omega|^2 + tau^2)^(-alpha/2). > 0, default 2.5. */
  readonly alpha?: number;
  /** Inverse length below which it is flat, > 0. Default 7. */
  readonly tau?: number;
  /** Scale of the coefficients, > 0. Default tau^((2 alpha - d) / 2), which keeps the size when alpha and tau change. */
  readonly sigma?: number;
  /** Number of fields; they get an axis in front. Default: one field without that axis. */
  readonly batch?: number;
  /** Default float64. */
  readonly dtype?: FloatType;
}

/**
 * Gaussian random fields of mean 0 with covariance 2 sigma^2 (-Laplacian + tau^2)^(-alpha), as the program of Li et al.
 * ("Fourier neural operator", 2021) draws them: `[...points]`, or `[batch, ...points]`.
 */
export function gaussianRandomField(grid: Torus, rng: Rng, options: RandomFieldOptions = {}): Tensor {
  requireObject("gaussianRandomField", "grid", grid, "a Torus");
  requireObject("gaussianRandomField", "rng", rng, "a generator of random.rng(seed)");
  checkOptions("gaussianRandomField", options, ["alpha", "tau", "sigma", "batch", "dtype"]);
  const { alpha = 2.5, tau = 7, batch, dtype = "float64" } = options;
  requirePositive("gaussianRandomField", "alpha", alpha);
  requirePositive("gaussianRandomField", "tau", tau);
  const { sigma = tau ** ((2 * alpha - grid.dimensions) / 2) } = options;
  requirePositive("gaussianRandomField", "sigma", sigma);
  requireChoice("gaussianRandomField", "dtype", dtype, ["float32", "float64"]);
  if (batch !== undefined) requireInteger("gaussianRandomField", "batch", batch, 1);
  const gain = grid.size * Math.SQRT2 * sigma;
  const amplitude = wholeSpectrum(grid, (squared) => (squared === 0 ? 0 : gain * (squared + tau ** 2) ** (-alpha / 2)));
  return filteredNoise(grid, rng, amplitude, batch, dtype);
}

/** The real part of the inverse transform of complex white noise times `amplitude`. */
function filteredNoise(grid: Torus, rng: Rng, amplitude: Tensor, batch: number | undefined, dtype: FloatType): Tensor {
  const shape = batch === undefined ? grid.points : [batch, ...grid.points];
  const noise = { re: rng.normal(shape, { dtype: "float64" }), im: rng.normal(shape, { dtype: "float64" }) };
  const axes = grid.points.map((_, axis) => axis - grid.dimensions);
  const field = fft.ifftn({ re: mul(noise.re, amplitude), im: mul(noise.im, amplitude) }, { axes }).re;
  return dtype === "float64" ? field : tensor(field, { dtype });
}

/** A function of |omega|^2 on all frequencies of the grid, `[...points]`. */
function wholeSpectrum(grid: Torus, f: (squared: number) => number): Tensor {
  const { points, length, size } = grid;
  const values = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    let squared = 0;
    let rest = i;
    for (let axis = points.length - 1; axis >= 0; axis--) {
      const n = points[axis];
      const k = rest % n;
      squared += ((2 * Math.PI * (k < n / 2 ? k : k - n)) / length[axis]) ** 2;
      rest = Math.floor(rest / n);
    }
    values[i] = f(squared);
  }
  return tensor(values, { shape: points });
}
