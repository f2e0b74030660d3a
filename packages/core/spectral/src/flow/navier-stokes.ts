import type { FloatType } from "@offprint/nn";
import {
  checkOptions,
  isTensor,
  mul,
  requireChoice,
  requireFinite,
  requireObject,
  requirePositive,
  slice,
  stack,
  type Tensor,
  type TensorLike,
  tensor,
  ValueError,
} from "@offprint/tensor-core";
import { type Complex, mapParts, minus, scale, timesI } from "../complex.js";
import { dealiasSymbol, derivativeSymbol, laplacianInverseSymbol, laplacianSymbol } from "../symbols.js";
import { requireField, type Torus } from "../torus.js";
import { asField, toField, toSpectrum, typeOf } from "../transform.js";
import type { StiffSystem } from "./system.js";

/** Options of {@link navierStokes}. */
export interface NavierStokesOptions {
  /** nu, > 0. */
  readonly viscosity: number;
  /** The curl of the force, `[...points]`. Default none. */
  readonly forcing?: TensorLike;
  /** The part of the frequencies that convection may excite, along each axis; 1 keeps all. Default two thirds. */
  readonly dealias?: number;
  /** Element type of the computation. Default float64. */
  readonly dtype?: FloatType;
}

/** Incompressible flow on a periodic square in terms of its vorticity: w_t + u . grad w = nu Laplacian w + f. */
export interface NavierStokes extends StiffSystem {
  /** nu. */
  readonly viscosity: number;
  /** Coefficients of the forcing; absent without one. */
  readonly forcing?: Complex;
  /** Coefficients of u . grad w, filtered. */
  convection(w: Complex): Complex;
  /** Coefficients of u . grad w with a velocity `[2, ..., ...points]` that is given, filtered: linear in w. */
  transport(velocity: Tensor, w: Complex): Complex;
}

/**
 * The equations of a two-dimensional flow; to be stepped by a scheme, or run by `simulate`.
 * @throws ValueError for a viscosity that is not positive or a grid without two axes
 */
export function navierStokes(grid: Torus, options: NavierStokesOptions): NavierStokes {
  requireObject("navierStokes", "grid", grid, "a Torus");
  checkOptions("navierStokes", options, ["viscosity", "forcing", "dealias", "dtype"], ["viscosity"]);
  requirePlane("navierStokes", grid);
  const { viscosity, dealias = 2 / 3, dtype = "float64" } = options;
  requirePositive("navierStokes", "viscosity", viscosity);
  requirePositive("navierStokes", "dealias", dealias);
  requireChoice("navierStokes", "dtype", dtype, ["float32", "float64"]);
  const filter = dealiasSymbol(grid, dealias, dtype);
  const forcing = options.forcing === undefined ? undefined : forcingSpectrum(grid, options.forcing, dtype);
  const transport = (velocity: Tensor, w: Complex): Complex => {
    const slopes = toField(grid, gradientOf(grid, w));
    return scale(toSpectrum(grid, mul(velocity, slopes).sum(0)), filter);
  };
  const convection = (w: Complex): Complex => {
    const [u, slopes] = [velocitySpectrum(grid, w), gradientOf(grid, w)];
    // Velocity and gradient in one inverse transform: [4, ..., ...points].
    const fields = toField(grid, { re: both(u.re, slopes.re), im: both(u.im, slopes.im) });
    const product = mul(slice(fields, [{ stop: 2 }]), slice(fields, [{ start: 2 }])).sum(0);
    return scale(toSpectrum(grid, product), filter);
  };
  return {
    grid,
    viscosity,
    forcing,
    linear: mul(laplacianSymbol(grid, dtype), viscosity),
    nonlinear: (w) => (forcing === undefined ? scale(convection(w), -1) : minus(forcing, convection(w))),
    convection,
    transport,
  };
}

/** The velocity (psi_y, -psi_x) of a flow with the vorticity `[..., ...points]`, -Laplacian psi = w: `[2, ..., ...points]`. */
export function velocity(grid: Torus, vorticity: TensorLike): Tensor {
  requireObject("velocity", "grid", grid, "a Torus");
  requirePlane("velocity", grid);
  return toField(grid, velocitySpectrum(grid, toSpectrum(grid, asField("velocity", grid, vorticity))));
}

/** The stream function psi of mean 0 with -Laplacian psi = w. */
export function streamFunction(grid: Torus, vorticity: TensorLike): Tensor {
  requireObject("streamFunction", "grid", grid, "a Torus");
  requirePlane("streamFunction", grid);
  const w = asField("streamFunction", grid, vorticity);
  return toField(grid, scale(toSpectrum(grid, w), laplacianInverseSymbol(grid, typeOf(w)).neg()));
}

/** Coefficients of the velocity from those of the vorticity, with the two directions in front. */
export function velocitySpectrum(grid: Torus, w: Complex): Complex {
  requireObject("velocitySpectrum", "grid", grid, "a Torus");
  requireObject("velocitySpectrum", "w", w, "{ re, im }");
  const dtype = typeOf(w.re);
  const psi = scale(w, laplacianInverseSymbol(grid, dtype).neg());
  const [x, y] = [0, 1].map((axis) => derivativeSymbol(grid, axis, dtype));
  const [u, v] = [timesI(psi, y), timesI(psi, x.neg())];
  return { re: stack([u.re, v.re]), im: stack([u.im, v.im]) };
}

function gradientOf(grid: Torus, w: Complex): Complex {
  const parts = [0, 1].map((axis) => timesI(w, derivativeSymbol(grid, axis, typeOf(w.re))));
  return { re: stack(parts.map((p) => p.re)), im: stack(parts.map((p) => p.im)) };
}

function both(a: Tensor, b: Tensor): Tensor {
  return stack([a, b]).reshape([4, ...a.shape.slice(1)]);
}

function requirePlane(owner: string, grid: Torus): void {
  if (grid.dimensions !== 2) {
    throw new ValueError(`${owner}: the grid has ${grid.dimensions} axes; flows in terms of vorticity have two`);
  }
}

function forcingSpectrum(grid: Torus, forcing: TensorLike, dtype: FloatType): Complex {
  const f = isTensor(forcing) ? forcing : tensor(forcing, { dtype });
  requireField("navierStokes", grid, f);
  requireFinite("navierStokes", "forcing", f);
  return mapParts(toSpectrum(grid, f), (part) => tensor(part, { dtype }));
}
