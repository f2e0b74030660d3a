import {
  coordinates,
  dealiasSymbol,
  derivativeSymbol,
  laplacianSymbol,
  simulate,
  toField,
  torus,
  toSpectrum,
} from "@offprint/spectral";
import {
  add,
  broadcastTo,
  checkOptions,
  concatenate,
  cos,
  expandDims,
  mul,
  requireInteger,
  requirePositive,
  ShapeError,
  sin,
  stack,
  sub,
  type Tensor,
  type TensorLike,
  take,
  tensor,
} from "@offprint/tensor-core";
import type { Fields, PdeConstraint } from "./constraint.js";
import { firstDifferenceToTheEnds, periodicDifference, periodicSecondDifference } from "./differences.js";

/** Options of {@link burgers} and {@link solveBurgers}. */
export interface BurgersOptions {
  /** Times of the grid, from 0 on (default 16). */
  readonly times?: number;
  /** Points in space (default 64). */
  readonly points?: number;
  /** nu > 0 (default 0.02). */
  readonly viscosity?: number;
  /** Period in space (default 4). */
  readonly length?: number;
  /** Last time (default 1). */
  readonly end?: number;
}

/** A batch of problems. */
export interface BurgersProblem {
  /** `[batch, points]` the solution at time 0. */
  readonly initial: Tensor;
  /** `[batch, times, points]`; nothing without. */
  readonly forcing?: Tensor;
}

function checked(owner: string, options: BurgersOptions, more: readonly string[] = []): Required<BurgersOptions> {
  checkOptions(owner, options, ["times", "points", "viscosity", "length", "end", ...more]);
  const { times = 16, points = 64, viscosity = 0.02, length = 4, end = 1 } = options;
  requireInteger(owner, "times", times, 3);
  requireInteger(owner, "points", points, 4);
  for (const [name, value] of Object.entries({ viscosity, length, end })) requirePositive(owner, name, value);
  return { times, points, viscosity, length, end };
}

/**
 * Viscous Burgers on a circle, `u_t + u u_x = nu u_xx`: the initial condition is built in, `u = u_0 + (t / T) b w`.
 */
export function burgers(options: BurgersOptions = {}): PdeConstraint<BurgersProblem> {
  const { times, points, viscosity, length, end } = checked("burgers", options);
  const grid = [times, points] as const;
  const spacing = length / points;
  const step = end / (times - 1);
  const share = tensor(Float64Array.from({ length: times }, (_, i) => i / (times - 1))).reshape([1, times, 1]);
  const x = coordinates(torus({ points: [points], length }), 0).mul((2 * Math.PI) / length);
  return {
    grid,
    input({ initial }) {
      const shape = [initial.shape[0], ...grid];
      const channels = [share, sin(x), cos(x), expandDims(initial, 1)];
      return stack(
        channels.map((channel) => broadcastTo(channel, shape)),
        1,
      );
    },
    shape: (basis) => mul(expandDims(share, 3), basis),
    terms: (basis) => ({
      u: basis,
      ut: firstDifferenceToTheEnds(basis, 1, step),
      ux: periodicDifference(basis, 2, spacing),
      uxx: periodicSecondDifference(basis, 2, spacing),
    }),
    offset({ initial, forcing }) {
      const along = (v: Tensor) => broadcastTo(expandDims(v, 1), [initial.shape[0], ...grid]);
      const fields: Fields = {
        u: along(initial),
        ux: along(periodicDifference(initial, 1, spacing)),
        uxx: along(periodicSecondDifference(initial, 1, spacing)),
      };
      return forcing === undefined ? fields : { ...fields, forcing };
    },
    residual({ u, ut, ux, uxx, forcing }) {
      const left = sub(add(ut, mul(u, ux)), mul(viscosity, uxx));
      return forcing === undefined ? left : sub(left, forcing);
    },
  };
}

/** Options of {@link solveBurgers}. */
export interface SolveBurgersOptions extends Omit<BurgersOptions, "points"> {
  /** Points of the grid that is kept; must divide those of the initial condition (default all). */
  readonly points?: number;
  /** Steps between two times (default 16). */
  readonly stepsBetween?: number;
}

/**
 * The reference: a Fourier method with dealiased products and five Runge-Kutta stages a step.
 *
 * @param initial - `[batch, m]` on a fine grid.
 * @returns `[batch, times, points]`.
 */
export async function solveBurgers(initial: TensorLike, options: SolveBurgersOptions = {}): Promise<Tensor> {
  const owner = "solveBurgers";
  const { stepsBetween = 16, ...rest } = options;
  requireInteger(owner, "stepsBetween", stepsBetween, 1);
  const u0 = tensor(initial, { dtype: "float64" });
  if (u0.rank !== 2) throw new ShapeError(`${owner}: initial has shape [${u0.shape}]; it must be [batch, points]`);
  const m = u0.shape[1];
  const { times, points, viscosity, length, end } = checked(owner, { points: m, ...rest });
  if (m % points !== 0)
    throw new ShapeError(`${owner}: points is ${points}; it must divide the ${m} of the initial condition`);
  const grid = torus({ points: [m], length });
  const slope = mul(dealiasSymbol(grid), derivativeSymbol(grid, 0));
  const linear = mul(viscosity, laplacianSymbol(grid));
  const spacing = end / (times - 1);
  const { frames } = await simulate(
    {
      grid,
      linear,
      nonlinear(w) {
        const u = toField(grid, w);
        const flux = toSpectrum(grid, mul(-0.5, mul(u, u)));
        return { re: mul(-1, mul(slope, flux.im)), im: mul(slope, flux.re) };
      },
    },
    u0,
    { stepSize: spacing / stepsBetween, spacing, frames: times - 1, scheme: "rk4" },
  );
  const all = concatenate([expandDims(u0, 1), frames], 1);
  const kept = Int32Array.from({ length: points }, (_, i) => (i * m) / points);
  return points === m ? all : take(all, kept, 2);
}
