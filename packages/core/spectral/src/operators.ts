import { div, mul, requirePositive, ShapeError, stack, sum, type Tensor, type TensorLike } from "@offprint/tensor-core";
import { mapParts, scale, times, timesI } from "./complex.js";
import {
  dealiasSymbol,
  derivativePower,
  derivativeSymbol,
  frequencySymbol,
  laplacianInverseSymbol,
  laplacianSymbol,
  sobolevSymbol,
} from "./symbols.js";
import { gridAxis, type Torus } from "./torus.js";
import { asField, toField, toSpectrum, typeOf } from "./transform.js";

/**
 * The derivative of a field along an axis of the grid, exact for trigonometric polynomials below the highest frequency.
 * @param order times it is derived, >= 1
 */
export function derivative(grid: Torus, x: TensorLike, axis: number, order = 1): Tensor {
  const field = asField("derivative", grid, x);
  const { factor, imaginary } = derivativePower(grid, axis, order, typeOf(field));
  const spectrum = toSpectrum(grid, field);
  return toField(grid, imaginary ? timesI(spectrum, factor) : scale(spectrum, factor));
}

/** All first derivatives of a field, along a new axis in front: `[dimensions, ..., ...points]`. */
export function gradient(grid: Torus, x: TensorLike): Tensor {
  const field = asField("gradient", grid, x);
  const spectrum = toSpectrum(grid, field);
  const parts = grid.points.map((_, axis) => timesI(spectrum, derivativeSymbol(grid, axis, typeOf(field))));
  return toField(grid, { re: stack(parts.map((p) => p.re)), im: stack(parts.map((p) => p.im)) });
}

/** The divergence of a vector field `[dimensions, ..., ...points]`. */
export function divergence(grid: Torus, x: TensorLike): Tensor {
  const field = asField("divergence", grid, x);
  if (field.rank === grid.dimensions || field.shape[0] !== grid.dimensions) {
    throw new ShapeError(
      `divergence: the field has shape [${field.shape}]; its first axis must be the ${grid.dimensions} directions of the grid`,
    );
  }
  const spectrum = toSpectrum(grid, field);
  const factors = stack(grid.points.map((_, axis) => derivativeSymbol(grid, axis, typeOf(field))));
  const lead = field.rank - 1 - grid.dimensions;
  const shaped = factors.reshape([grid.dimensions, ...new Array<number>(lead).fill(1), ...grid.modes]);
  return toField(
    grid,
    mapParts(timesI(spectrum, shaped), (part) => sum(part, 0)),
  );
}

/** The Laplacian of a field. */
export function laplacian(grid: Torus, x: TensorLike): Tensor {
  const field = asField("laplacian", grid, x);
  return toField(grid, scale(toSpectrum(grid, field), laplacianSymbol(grid, typeOf(field))));
}

/** The field of mean 0 whose Laplacian is `x` without its mean. */
export function laplacianInverse(grid: Torus, x: TensorLike): Tensor {
  const field = asField("laplacianInverse", grid, x);
  return toField(grid, scale(toSpectrum(grid, field), laplacianInverseSymbol(grid, typeOf(field))));
}

/** The solution of shift u - Laplacian u = x, for a shift > 0. */
export function helmholtzInverse(grid: Torus, x: TensorLike, shift: number): Tensor {
  requirePositive("helmholtzInverse", "shift", shift);
  const field = asField("helmholtzInverse", grid, x);
  return toField(grid, scale(toSpectrum(grid, field), sobolevSymbol(grid, -1, shift, typeOf(field))));
}

/** A field without its modes above `fraction` (default two thirds) of the highest frequency along any axis. */
export function dealias(grid: Torus, x: TensorLike, fraction = 2 / 3): Tensor {
  const field = asField("dealias", grid, x);
  return toField(grid, scale(toSpectrum(grid, field), dealiasSymbol(grid, fraction, typeOf(field))));
}

/** The product of two fields, each filtered before and the product after: free of aliases where 3 does not divide n. */
export function dealiasedProduct(grid: Torus, x: TensorLike, y: TensorLike): Tensor {
  return dealias(grid, mul(dealias(grid, x), dealias(grid, y)));
}

/** The periodic convolution: the integral of x(s) y(t - s) ds over the box, exact for trigonometric polynomials. */
export function convolve(grid: Torus, x: TensorLike, y: TensorLike): Tensor {
  const [a, b] = [asField("convolve", grid, x), asField("convolve", grid, y)];
  return toField(grid, scale(times(toSpectrum(grid, a), toSpectrum(grid, b)), grid.cellVolume));
}

/** The field moved by a distance along an axis of the grid: x(t - distance), for any distance. */
export function translate(grid: Torus, x: TensorLike, axis: number, distance: TensorLike): Tensor {
  const field = asField("translate", grid, x);
  const at = gridAxis("translate", grid, axis);
  const [turn, real] = [frequencySymbol, derivativeSymbol].map((of) => mul(of(grid, at, typeOf(field)), distance));
  // At the highest frequency of an even number of points the grid sees cosines alone.
  return toField(grid, times(toSpectrum(grid, field), { re: turn.cos(), im: real.sin().neg() }));
}

/** The mean of a field over the grid. */
export function gridMean(grid: Torus, x: TensorLike): Tensor {
  const field = asField("gridMean", grid, x);
  return div(
    sum(
      field,
      grid.points.map((_, axis) => field.rank - 1 - axis),
    ),
    grid.size,
  );
}
