import type { FloatType } from "@offprint/nn";
import { fft, isTensor, requireObject, ShapeError, type Tensor, type TensorLike, tensor } from "@offprint/tensor-core";
import type { Complex } from "./complex.js";
import { requireField, type Torus } from "./torus.js";

/** A field as a tensor: tensors as they are, plain numbers in float64. */
export function asField(owner: string, grid: Torus, x: TensorLike): Tensor {
  requireObject(owner, "grid", grid, "a Torus");
  const field = isTensor(x) ? x : tensor(x, { dtype: "float64" });
  requireField(owner, grid, field);
  return field;
}

/** The type of a field's coefficients. */
export function typeOf(x: Tensor): FloatType {
  return x.dtype === "float64" ? "float64" : "float32";
}

/**
 * Fourier coefficients of a real field `[..., ...points]`, unscaled as `fft.rfftn`: `[..., ...modes]`.
 * @throws ShapeError where the last axes are not the grid's.
 */
export function toSpectrum(grid: Torus, x: TensorLike): Complex {
  const field = asField("toSpectrum", grid, x);
  return fft.rfftn(field, { axes: grid.points.map((_, axis) => axis - grid.dimensions) });
}

/**
 * The real field of Fourier coefficients, the inverse of {@link toSpectrum}.
 * @throws ShapeError where the last axes are not the grid's modes.
 */
export function toField(grid: Torus, spectrum: Complex): Tensor {
  requireObject("toField", "grid", grid, "a Torus");
  requireObject("toField", "spectrum", spectrum, "{ re, im }");
  if (!isTensor(spectrum.re) || !isTensor(spectrum.im) || spectrum.re.shape.join() !== spectrum.im.shape.join()) {
    throw new ShapeError(
      `toField: the parts have shapes [${spectrum.re?.shape}] and [${spectrum.im?.shape}]; re and im must be tensors of one shape`,
    );
  }
  const { shape, rank } = spectrum.re;
  const { modes, dimensions, points } = grid;
  if (rank < dimensions || !modes.every((m, axis) => shape[rank - dimensions + axis] === m)) {
    throw new ShapeError(
      `toField: the coefficients have shape [${shape}]; their last axes must be the modes [${modes}]`,
    );
  }
  return fft.irfftn(spectrum, { shape: points, axes: points.map((_, axis) => axis - dimensions) });
}
