import {
  checkOptions,
  requireInteger,
  requireObject,
  requirePositive,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
} from "@offprint/tensor-core";

/** Options of {@link torus}. */
export interface TorusOptions {
  /** Grid points along each axis, one to three numbers >= 1. */
  readonly points: readonly number[];
  /** Period, one for all axes or one for each, > 0. Default 1. */
  readonly length?: number | readonly number[];
}

/** A regular grid on a periodic box of one to three dimensions. Fields on it have its axes last: `[..., ...points]`. */
export interface Torus {
  /** Grid points along each axis. */
  readonly points: readonly number[];
  /** Period along each axis. */
  readonly length: readonly number[];
  /** Number of axes. */
  readonly dimensions: number;
  /** Number of points. */
  readonly size: number;
  /** Volume of the box over the number of points. */
  readonly cellVolume: number;
  /** Shape of the coefficients of a real field: `points` with half of the last axis, rounded down, plus one. */
  readonly modes: readonly number[];
}

/**
 * A regular grid on the torus.
 * @throws ValueError for bad options.
 * @example torus({ points: [64, 64], length: 2 * Math.PI })
 */
export function torus(options: TorusOptions): Torus {
  checkOptions("torus", options, ["points", "length"], ["points"]);
  const { points, length = 1 } = options;
  if (!Array.isArray(points) || points.length < 1 || points.length > 3) {
    throw new ValueError(`torus: points is ${JSON.stringify(points)}; it must be an array of one to three numbers`);
  }
  for (const n of points) requireInteger("torus", "points", n, 1);
  if (typeof length !== "number" && !Array.isArray(length)) {
    throw new ValueError(`torus: length is ${JSON.stringify(length)}; give a number > 0, or one for each axis`);
  }
  const periods = typeof length === "number" ? points.map(() => length) : [...(length as readonly number[])];
  if (periods.length !== points.length) {
    throw new ValueError(`torus: length has ${periods.length} numbers; give one, or ${points.length} as points`);
  }
  for (const period of periods) requirePositive("torus", "length", period);
  const size = points.reduce((a: number, b: number) => a * b, 1);
  const last = points.length - 1;
  return {
    points: [...points],
    length: periods,
    dimensions: points.length,
    size,
    cellVolume: periods.reduce((a, b) => a * b, 1) / size,
    modes: points.map((n: number, axis: number) => (axis === last ? Math.floor(n / 2) + 1 : n)),
  };
}

/**
 * Coordinates of the grid points along an axis, shaped to broadcast over fields: `[n, 1, ...]` for the first axis.
 * @throws ValueError for an axis that there is not.
 */
export function coordinates(grid: Torus, axis: number, dtype: "float32" | "float64" = "float64"): Tensor {
  requireObject("coordinates", "grid", grid, "a Torus");
  const at = gridAxis("coordinates", grid, axis);
  const n = grid.points[at];
  const values = Float64Array.from({ length: n }, (_, i) => (i * grid.length[at]) / n);
  return tensor(values, { shape: grid.points.map((_, i) => (i === at ? n : 1)), dtype });
}

/** An axis of the grid, negative ones counted from the end. */
export function gridAxis(owner: string, grid: Torus, axis: number): number {
  requireInteger(owner, "axis", axis, -grid.dimensions, grid.dimensions - 1);
  return axis < 0 ? axis + grid.dimensions : axis;
}

/** Throws unless the last axes of a field are those of the grid. */
export function requireField(owner: string, grid: Torus, x: Tensor): void {
  const { points, dimensions } = grid;
  const fits = x.rank >= dimensions && points.every((n, axis) => x.shape[x.rank - dimensions + axis] === n);
  if (!fits) {
    throw new ShapeError(
      `${owner}: the field has shape [${x.shape}]; its last axes must be the grid's, [${points}]: put batches and channels first`,
    );
  }
}
