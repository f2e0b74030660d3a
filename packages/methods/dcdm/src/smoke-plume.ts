import {
  checkOptions,
  requireFinite,
  requireFunction,
  requireObject,
  requirePositive,
  ShapeError,
  tensor,
} from "@offprint/tensor-core";
import type { SpdMatrix } from "./linear-map.js";
import {
  divergence,
  type FaceVelocities,
  type MacGrid,
  poissonMatrix,
  stillVelocities,
  stoppedAtSolids,
  withoutGradient,
} from "./mac-grid.js";

/** Smoke in a box. */
export interface Plume {
  /** `[cells]` density of the smoke. */
  readonly density: Float64Array;
  /** Velocities on the faces, without divergence. */
  readonly velocities: FaceVelocities;
}

/** Solves the pressure's system, by whatever method. */
export type PressureSolver = (a: SpdMatrix, b: Float64Array) => Float64Array | Promise<Float64Array>;

/** Options of {@link plumeStep}. */
export interface PlumeOptions {
  /** Time of a step, > 0. Default 1. */
  readonly timeStep?: number;
  /** Acceleration upwards, along the first axis, by a unit of density, > 0. Default 0.1. */
  readonly buoyancy?: number;
}

/** No smoke, at rest. */
export function stillPlume(grid: MacGrid): Plume {
  requireObject("stillPlume", "grid", grid, "a MacGrid");
  return { density: new Float64Array(grid.solid.length), velocities: stillVelocities(grid) };
}

/**
 * One step of smoke in the plane: it is carried along by its velocity (semi-Lagrangian, bilinear), rises, and a pressure
 * takes the divergence away. The first axis points upwards.
 *
 * @param source `[cells]`: density is raised to this where it is larger
 * @param solve gets the matrix of the pressures, and `-div`
 * @throws ShapeError in space; ValueError for what is out of range
 */
export async function plumeStep(
  grid: MacGrid,
  plume: Plume,
  source: Float64Array,
  solve: PressureSolver,
  options: PlumeOptions = {},
): Promise<Plume> {
  requireObject("plumeStep", "grid", grid, "a MacGrid");
  requireObject("plumeStep", "plume", plume, "a Plume");
  requireObject("plumeStep", "source", source, "a Float64Array");
  requireFunction("plumeStep", "solve", solve);
  const { density, velocities } = plume;
  const owner = "plumeStep";
  checkOptions(owner, options, ["timeStep", "buoyancy"]);
  const { timeStep = 1, buoyancy = 0.1 } = options;
  requirePositive(owner, "timeStep", timeStep);
  requirePositive(owner, "buoyancy", buoyancy);
  const { extents, solid } = grid;
  if (extents.length !== 2) throw new ShapeError(`${owner}: the grid has ${extents.length} axes; give two`);
  if (source.length !== solid.length) {
    throw new ShapeError(`${owner}: source has ${source.length} values for ${solid.length} cells`);
  }
  requireFinite(owner, "source", tensor(source));
  const [rows, columns] = extents;
  const [rise, drift] = velocities;
  // Where values lie: rising faces at (i, j + 1/2), drifting ones at (i + 1/2, j), densities at (i + 1/2, j + 1/2).
  const at = (y: number, x: number): [number, number] => [
    sample(rise, rows + 1, columns, y, x - 0.5),
    sample(drift, rows, columns + 1, y - 0.5, x),
  ];
  const carried = (values: Float64Array, height: number, width: number, dy: number, dx: number) =>
    values.map((_, n) => {
      const [y, x] = [Math.floor(n / width) + dy, (n % width) + dx];
      const [v, u] = at(y, x);
      return sample(values, height, width, y - timeStep * v - dy, x - timeStep * u - dx);
    });
  const smoke = carried(density, rows, columns, 0.5, 0.5).map((value, cell) =>
    solid[cell] ? 0 : Math.max(value, source[cell]),
  );
  const risen = carried(rise, rows + 1, columns, 0, 0.5);
  for (let i = 0; i <= rows; i++) {
    for (let j = 0; j < columns; j++) {
      const [below, above] = [i > 0 ? smoke[(i - 1) * columns + j] : 0, i < rows ? smoke[i * columns + j] : 0];
      risen[i * columns + j] += timeStep * buoyancy * 0.5 * (below + above);
    }
  }
  const moving = stoppedAtSolids(grid, [risen, carried(drift, rows, columns + 1, 0.5, 0)]);
  const right = divergence(grid, moving).map((value) => -value);
  const pressures = await solve(poissonMatrix(grid), right);
  return { density: smoke, velocities: withoutGradient(grid, moving, pressures) };
}

/** Bilinear, clamped to the values there are. */
function sample(values: Float64Array, height: number, width: number, y: number, x: number): number {
  const [v, u] = [Math.min(height - 1, Math.max(0, y)), Math.min(width - 1, Math.max(0, x))];
  const [i, j] = [Math.min(height - 2, Math.floor(v)), Math.min(width - 2, Math.floor(u))].map((n) => Math.max(0, n));
  const [b, a] = [v - i, u - j];
  const [i1, j1] = [Math.min(height - 1, i + 1), Math.min(width - 1, j + 1)];
  const low = (1 - a) * values[i * width + j] + a * values[i * width + j1];
  const high = (1 - a) * values[i1 * width + j] + a * values[i1 * width + j1];
  return (1 - b) * low + b * high;
}
