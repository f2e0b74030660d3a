import type { FloatType } from "@offprint/nn";
import {
  requireFunction,
  requireInteger,
  requireObject,
  requirePositive,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { gridAxis, type Torus } from "./torus.js";

/** Symbols are made once for a grid and type, so that compiled functions hold one copy. */
const made = new WeakMap<Torus, Map<string, Tensor>>();

function once(grid: Torus, key: string, dtype: FloatType, make: () => Tensor): Tensor {
  let known = made.get(grid);
  if (known === undefined) {
    known = new Map();
    made.set(grid, known);
  }
  const name = `${key} ${dtype}`;
  let symbol = known.get(name);
  if (symbol === undefined) {
    symbol = make();
    known.set(name, symbol);
  }
  return symbol;
}

/** Whole wave numbers k of the coefficients along an axis: 0, 1, ..., then the negative ones but on the last axis. */
export function wavenumbers(grid: Torus, axis: number): Float64Array {
  requireObject("wavenumbers", "grid", grid, "a Torus");
  const at = gridAxis("wavenumbers", grid, axis);
  const n = grid.points[at];
  const half = at === grid.dimensions - 1;
  return Float64Array.from({ length: grid.modes[at] }, (_, k) => (half || k < Math.ceil(n / 2) ? k : k - n));
}

/** Whether the k-th coefficient along an axis is the one of the highest frequency of an even number of points. */
function isNyquist(n: number, k: number): boolean {
  return n % 2 === 0 && Math.abs(k) === n / 2;
}

/**
 * A real multiplier of Fourier coefficients, `[...modes]`.
 * @param f its value from the angular frequencies 2 pi k / length, one for each axis, and the whole wave numbers k
 */
export function symbol(
  grid: Torus,
  f: (omega: readonly number[], k: readonly number[]) => number,
  dtype: FloatType = "float64",
): Tensor {
  requireObject("symbol", "grid", grid, "a Torus");
  requireFunction("symbol", "f", f);
  const axes = grid.modes.map((_, axis) => wavenumbers(grid, axis));
  const size = grid.modes.reduce((a, b) => a * b, 1);
  const values = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const k: number[] = new Array(grid.dimensions);
    let rest = i;
    for (let axis = grid.dimensions - 1; axis >= 0; axis--) {
      k[axis] = axes[axis][rest % grid.modes[axis]];
      rest = Math.floor(rest / grid.modes[axis]);
    }
    const omega = k.map((each, axis) => (2 * Math.PI * each) / grid.length[axis]);
    values[i] = f(omega, k);
  }
  return tensor(values, { shape: grid.modes, dtype });
}

/**
 * omega along an axis, `[...modes]`: coefficients times i omega are those of the derivative. 0 at the highest frequency
 * of an even number of points, whose derivative is no real field.
 */
export function derivativeSymbol(grid: Torus, axis: number, dtype: FloatType = "float64"): Tensor {
  requireObject("derivativeSymbol", "grid", grid, "a Torus");
  const at = gridAxis("derivativeSymbol", grid, axis);
  return once(grid, `derivative ${at}`, dtype, () =>
    symbol(grid, (omega, k) => (isNyquist(grid.points[at], k[at]) ? 0 : omega[at]), dtype),
  );
}

/** omega along an axis, `[...modes]`, at the highest frequency of an even number of points too. */
export function frequencySymbol(grid: Torus, axis: number, dtype: FloatType): Tensor {
  return once(grid, `frequency ${axis}`, dtype, () => symbol(grid, (omega) => omega[axis], dtype));
}

/** -|omega|^2, `[...modes]`: the Laplacian. */
export function laplacianSymbol(grid: Torus, dtype: FloatType = "float64"): Tensor {
  requireObject("laplacianSymbol", "grid", grid, "a Torus");
  return once(grid, "laplacian", dtype, () => symbol(grid, (omega) => -squared(omega), dtype));
}

/** -1 / |omega|^2, and 0 for the mean: the inverse of the Laplacian among fields of mean 0. */
export function laplacianInverseSymbol(grid: Torus, dtype: FloatType = "float64"): Tensor {
  requireObject("laplacianInverseSymbol", "grid", grid, "a Torus");
  return once(grid, "inverse", dtype, () =>
    symbol(grid, (omega) => (squared(omega) === 0 ? 0 : -1 / squared(omega)), dtype),
  );
}

/**
 * 1 where |k| <= fraction n / 2 along every axis, else 0 (Orszag's rule of two thirds by default): products of two
 * filtered fields have no aliases among the modes that are left, where 3 does not divide n.
 */
export function dealiasSymbol(grid: Torus, fraction = 2 / 3, dtype: FloatType = "float64"): Tensor {
  requireObject("dealiasSymbol", "grid", grid, "a Torus");
  requirePositive("dealiasSymbol", "fraction", fraction);
  return once(grid, `dealias ${fraction}`, dtype, () =>
    symbol(
      grid,
      (_, k) => (k.every((each, axis) => Math.abs(each) <= ((fraction * grid.points[axis]) / 2) * (1 + 1e-12)) ? 1 : 0),
      dtype,
    ),
  );
}

/** (shift + |omega|^2)^order, `[...modes]`; for shift 0 and a negative order 0 for the mean. */
export function sobolevSymbol(grid: Torus, order: number, shift: number, dtype: FloatType = "float64"): Tensor {
  requireObject("sobolevSymbol", "grid", grid, "a Torus");
  return once(grid, `sobolev ${order} ${shift}`, dtype, () =>
    symbol(
      grid,
      (omega) => {
        const base = shift + squared(omega);
        return base === 0 && order < 0 ? 0 : base ** order;
      },
      dtype,
    ),
  );
}

/** How often each stored coefficient stands in the whole spectrum of a real field: 1 or 2, `[...modes]`. */
export function multiplicity(grid: Torus, dtype: FloatType = "float64"): Tensor {
  requireObject("multiplicity", "grid", grid, "a Torus");
  const last = grid.dimensions - 1;
  return once(grid, "multiplicity", dtype, () =>
    symbol(grid, (_, k) => (k[last] === 0 || isNyquist(grid.points[last], k[last]) ? 1 : 2), dtype),
  );
}

/** (i omega)^order along an axis: its real factor, and whether i remains. */
export function derivativePower(
  grid: Torus,
  axis: number,
  order: number,
  dtype: FloatType,
): { readonly factor: Tensor; readonly imaginary: boolean } {
  requireInteger("derivative", "order", order, 1);
  const at = gridAxis("derivative", grid, axis);
  const sign = order % 4 >= 2 ? -1 : 1;
  const imaginary = order % 2 === 1;
  const factor = once(grid, `derivative ${at} ${order}`, dtype, () =>
    symbol(grid, (omega, k) => (imaginary && isNyquist(grid.points[at], k[at]) ? 0 : sign * omega[at] ** order), dtype),
  );
  return { factor, imaginary };
}

function squared(omega: readonly number[]): number {
  return omega.reduce((sum, each) => sum + each * each, 0);
}
