import {
  checkOptions,
  equal,
  mul,
  requireNonNegative,
  requireObject,
  sqrt,
  sum,
  type Tensor,
  type TensorLike,
  ValueError,
  where,
} from "@offprint/tensor-core";
import { type Complex, squaredModulus } from "./complex.js";
import { multiplicity, sobolevSymbol } from "./symbols.js";
import type { Torus } from "./torus.js";
import { asField, toSpectrum, typeOf } from "./transform.js";

/** Options of {@link sobolevNorm}. */
export interface SobolevOptions {
  /** The order s: 0 is the root mean square, 1 weighs derivatives, negative orders weigh low frequencies. Default 0. */
  readonly order?: number;
  /** What is added to |omega|^2, >= 0; with 0 and a negative order the mean does not count. Default 1. */
  readonly shift?: number;
}

/**
 * The square of {@link sobolevNorm} from unscaled coefficients `[..., ...modes]` (`toSpectrum`): shape `[...]`.
 */
export function sobolevSquared(grid: Torus, spectrum: Complex, options: SobolevOptions = {}): Tensor {
  requireObject("sobolevSquared", "grid", grid, "a Torus");
  requireObject("sobolevSquared", "spectrum", spectrum, "{ re, im }");
  checkOptions("sobolevSquared", options, ["order", "shift"]);
  const { order = 0, shift = 1 } = options;
  if (!Number.isFinite(order)) throw new ValueError(`sobolevSquared: order is ${order}; it must be a finite number`);
  requireNonNegative("sobolevSquared", "shift", shift);
  const dtype = typeOf(spectrum.re);
  const weight = mul(mul(sobolevSymbol(grid, order, shift, dtype), multiplicity(grid, dtype)), 1 / grid.size ** 2);
  const { rank } = spectrum.re;
  return sum(
    mul(squaredModulus(spectrum), weight),
    grid.modes.map((_, axis) => rank - 1 - axis),
  );
}

/**
 * The norm of order s by Parseval's identity: the root of sum_k (shift + |omega_k|^2)^s |c_k|^2, c_k the coefficients of
 * e^(i omega_k x). Order 0 is the root mean square over the grid. Its slope at a field of norm 0 is taken to be 0.
 * @param x field `[..., ...points]`
 * @returns one number for each field, `[...]`
 */
export function sobolevNorm(grid: Torus, x: TensorLike, options: SobolevOptions = {}): Tensor {
  const squared = sobolevSquared(grid, toSpectrum(grid, asField("sobolevNorm", grid, x)), options);
  const none = equal(squared, 0);
  return where(none, 0, sqrt(where(none, 1, squared)));
}
